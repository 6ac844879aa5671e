package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

var _ datasource.DataSourceWithConfigure = (*devicesDataSource)(nil)

// devicesDataSource reads the devices of the account, optionally filtered.
type devicesDataSource struct{ configuredDataSource }

func newDevicesDataSource() datasource.DataSource {
	return &devicesDataSource{configuredDataSource{unconfigured()}}
}

// devicesModel is the model of fractel_devices.
type devicesModel struct {
	Name    types.String           `tfsdk:"name"`
	Type    types.String           `tfsdk:"type"`
	Devices map[string]deviceModel `tfsdk:"devices"`
}

// deviceModel is a device in a data source.
type deviceModel struct {
	ID         types.String `tfsdk:"id"`
	Name       types.String `tfsdk:"name"`
	Type       types.String `tfsdk:"type"`
	FoneNumber types.String `tfsdk:"fonenumber"`
}

func newDeviceModel(d fonestorm.RegisteredDevice) deviceModel {
	return deviceModel{
		ID:         types.StringValue(d.ID),
		Name:       stringOrNull(d.Name),
		Type:       stringOrNull(d.Type),
		FoneNumber: stringOrNull(d.FoneNumber),
	}
}

// Descriptions of the attributes of a device.
const (
	aboutDeviceID         = "ID of the device, which contains only digits. Use it as the `value` of a delivery of type `Device`."
	aboutDeviceName       = "Name of the device. Null if it has none."
	aboutDeviceType       = "Model of the device, as FoneStorm returns it."
	aboutDeviceFoneNumber = "FoneNumber that is the outbound caller ID of the device. Null if it has none."
)

func (d *devicesDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_devices"
}

func (d *devicesDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads the devices of the account, optionally filtered. All data sources of a provider configuration share one request.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{Optional: true, MarkdownDescription: "Return only devices with exactly this name. Several devices can have the same name."},
			"type": schema.StringAttribute{Optional: true, MarkdownDescription: "Return only devices of exactly this model."},
			"devices": schema.MapNestedAttribute{
				Computed:            true,
				MarkdownDescription: "Map of the devices by ID.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":         schema.StringAttribute{Computed: true, MarkdownDescription: aboutDeviceID},
					"name":       schema.StringAttribute{Computed: true, MarkdownDescription: aboutDeviceName},
					"type":       schema.StringAttribute{Computed: true, MarkdownDescription: aboutDeviceType},
					"fonenumber": schema.StringAttribute{Computed: true, MarkdownDescription: aboutDeviceFoneNumber},
				}},
			},
		},
	}
}

func (d *devicesDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var state devicesModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &state)...)
	resp.Diagnostics.Append(d.requireClient()...)
	if resp.Diagnostics.HasError() {
		return
	}

	list, err := d.client.ListDevices(ctx)
	if err != nil {
		resp.Diagnostics.Append(apiDiagnostic(err, ""))
		return
	}

	state.Devices = map[string]deviceModel{}
	for _, found := range list {
		if matches(state.Name, found.Name) && matches(state.Type, found.Type) {
			state.Devices[found.ID] = newDeviceModel(found)
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

// matches reports whether a text equals a filter. A null filter matches every text.
func matches(filter types.String, text string) bool {
	return filter.IsNull() || filter.ValueString() == text
}
