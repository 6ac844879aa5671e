package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

var (
	_ datasource.DataSourceWithConfigure        = (*deviceDataSource)(nil)
	_ datasource.DataSourceWithConfigValidators = (*deviceDataSource)(nil)
)

// deviceDataSource reads one device by its ID or name.
type deviceDataSource struct{ configuredDataSource }

func newDeviceDataSource() datasource.DataSource {
	return &deviceDataSource{configuredDataSource{unconfigured()}}
}

func (d *deviceDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_device"
}

func (d *deviceDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads one device of the account by its ID or its exact name. Fails if the account contains no such device, or more than one.",
		Attributes: map[string]schema.Attribute{
			"id":         schema.StringAttribute{Optional: true, Computed: true, MarkdownDescription: aboutDeviceID + " Set either `id` or `name`."},
			"name":       schema.StringAttribute{Optional: true, Computed: true, MarkdownDescription: aboutDeviceName + " Set either `id` or `name`."},
			"type":       schema.StringAttribute{Computed: true, MarkdownDescription: aboutDeviceType},
			"fonenumber": schema.StringAttribute{Computed: true, MarkdownDescription: aboutDeviceFoneNumber},
		},
	}
}

func (d *deviceDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("id"), path.MatchRoot("name"))}
}

func (d *deviceDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config deviceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(d.requireClient()...)
	if resp.Diagnostics.HasError() {
		return
	}

	list, err := d.client.ListDevices(ctx)
	if err != nil {
		resp.Diagnostics.Append(apiDiagnostic(err, ""))
		return
	}

	found, diags := config.find(list)
	resp.Diagnostics.Append(diags...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, newDeviceModel(found))...)
	}
}

// find returns the only device that has the configured ID or name.
func (m deviceModel) find(list []fonestorm.RegisteredDevice) (found fonestorm.RegisteredDevice, diags diag.Diagnostics) {
	var matching []fonestorm.RegisteredDevice
	for _, d := range list {
		if matches(m.ID, d.ID) && matches(m.Name, d.Name) {
			matching = append(matching, d)
		}
	}
	attribute, wanted := "id", m.ID.ValueString()
	if m.ID.IsNull() {
		attribute, wanted = "name", m.Name.ValueString()
	}
	switch len(matching) {
	case 1:
		return matching[0], nil
	case 0:
		diags.AddAttributeError(path.Root(attribute), "Device Not Found", fmt.Sprintf("The account has no device with the %s %q. %s",
			attribute, wanted, describeDevices("Its devices are", list)))
	default:
		diags.AddAttributeError(path.Root(attribute), "Multiple Devices Found", fmt.Sprintf("The account has %d devices with the %s %q. %s Use id instead.",
			len(matching), attribute, wanted, describeDevices("They are", matching)))
	}
	return found, diags
}

// maxDevicesListed is the maximum number of devices that an error lists.
const maxDevicesListed = 20

// describeDevices lists devices in a sentence.
func describeDevices(begin string, list []fonestorm.RegisteredDevice) string {
	if len(list) == 0 {
		return "It has no devices."
	}
	var described []string
	for _, d := range list[:min(len(list), maxDevicesListed)] {
		described = append(described, fmt.Sprintf("%s (%q)", d.ID, d.Name))
	}
	more := ""
	if len(list) > maxDevicesListed {
		more = fmt.Sprintf(" and %d more", len(list)-maxDevicesListed)
	}
	return begin + " " + strings.Join(described, ", ") + more + "."
}
