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
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// newDeviceDataSource returns the data source of one device, by its ID or name.
func newDeviceDataSource() datasource.DataSource {
	attributes := deviceAttributes()
	for _, key := range []string{"id", "name"} {
		attributes[key] = schema.StringAttribute{
			MarkdownDescription: attributes[key].GetMarkdownDescription() + " Set either `id` or `name`.",
			Optional:            true,
			Computed:            true,
		}
	}
	return &dataSource[deviceModel]{
		name:       "device",
		about:      "Reads one device of the account by its ID or its exact name. Fails if the account contains no such device, or more than one.",
		attributes: attributes,
		validators: []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("id"), path.MatchRoot("name"))},
		read: func(ctx context.Context, client *fonestorm.Client, m *deviceModel) diag.Diagnostics {
			list, err := client.ListDevices(ctx)
			if err != nil {
				return diag.Diagnostics{apiDiagnostic(err, "")}
			}
			return m.find(list)
		},
	}
}

// devicesModel is the model of fractel_devices.
type devicesModel struct {
	Name    types.String           `tfsdk:"name"`
	Type    types.String           `tfsdk:"type"`
	Devices map[string]deviceModel `tfsdk:"devices"`
}

// newDevicesDataSource returns the data source of the devices of the account, optionally filtered.
func newDevicesDataSource() datasource.DataSource {
	return &dataSource[devicesModel]{
		name:  "devices",
		about: "Reads the devices of the account, optionally filtered. All data sources for devices share one request.",
		attributes: map[string]schema.Attribute{
			"name": optional("Return only devices with exactly this name. Several devices can have the same name."),
			"type": optional("Return only devices of exactly this model."),
			"devices": schema.MapNestedAttribute{
				MarkdownDescription: "Map of the devices by ID.",
				Computed:            true,
				NestedObject:        schema.NestedAttributeObject{Attributes: deviceAttributes()},
			},
		},
		read: func(ctx context.Context, client *fonestorm.Client, m *devicesModel) diag.Diagnostics {
			list, err := client.ListDevices(ctx)
			if err != nil {
				return diag.Diagnostics{apiDiagnostic(err, "")}
			}
			m.Devices = map[string]deviceModel{}
			for _, d := range list {
				if matches(m.Name, d.Name) && matches(m.Type, d.Type) {
					m.Devices[d.ID] = newDeviceModel(d)
				}
			}
			return nil
		},
	}
}

// deviceModel is a device in a data source.
type deviceModel struct {
	ID         types.String `tfsdk:"id"`
	Name       types.String `tfsdk:"name"`
	Type       types.String `tfsdk:"type"`
	FoneNumber types.String `tfsdk:"fonenumber"`
}

// deviceAttributes returns the attributes of a device, all computed.
func deviceAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":         computed("ID of the device, which contains only digits. Use it as the `value` of a delivery of type `Device`."),
		"name":       computed("Name of the device. Null if it has none."),
		"type":       computed("Model of the device, as FoneStorm returns it."),
		"fonenumber": computed("FoneNumber that is the outbound caller ID of the device. Null if it has none."),
	}
}

func newDeviceModel(d fonestorm.RegisteredDevice) deviceModel {
	return deviceModel{
		ID:         types.StringValue(d.ID),
		Name:       stringOrNull(d.Name),
		Type:       stringOrNull(d.Type),
		FoneNumber: stringOrNull(d.FoneNumber),
	}
}

// find completes the model with the only device that has its ID or name.
func (m *deviceModel) find(list []fonestorm.RegisteredDevice) (diags diag.Diagnostics) {
	attribute, wanted := "id", m.ID.ValueString()
	if m.ID.IsNull() {
		attribute, wanted = "name", m.Name.ValueString()
	}
	var found []fonestorm.RegisteredDevice
	for _, d := range list {
		if matches(m.ID, d.ID) && matches(m.Name, d.Name) {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 0:
		diags.AddAttributeError(path.Root(attribute), "Device Not Found", fmt.Sprintf("The account has no device with the %s %q. %s",
			attribute, wanted, describeDevices("Its devices are", list)))
	case 1:
		*m = newDeviceModel(found[0])
	default:
		diags.AddAttributeError(path.Root(attribute), "Multiple Devices Found", fmt.Sprintf("The account has %d devices with the %s %q. %s Use id instead.",
			len(found), attribute, wanted, describeDevices("They are", found)))
	}
	return diags
}

// describeDevices lists devices in a sentence, at most 20 of them.
func describeDevices(begin string, list []fonestorm.RegisteredDevice) string {
	const most = 20
	if len(list) == 0 {
		return "It has no devices."
	}
	var described []string
	for _, d := range list[:min(len(list), most)] {
		described = append(described, fmt.Sprintf("%s (%q)", d.ID, d.Name))
	}
	more := ""
	if len(list) > most {
		more = fmt.Sprintf(" and %d more", len(list)-most)
	}
	return begin + " " + strings.Join(described, ", ") + more + "."
}
