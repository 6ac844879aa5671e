package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// dataSource is a data source. Its model M is both its configuration and its state.
type dataSource[M any] struct {
	*providerData
	name       string // Without the prefix of the provider.
	about      string
	attributes map[string]schema.Attribute
	// read completes a model that contains the configuration. The client is never nil. Its error is one of the client.
	read func(ctx context.Context, client *fonestorm.Client, m *M) (diag.Diagnostics, error)
}

var _ datasource.DataSourceWithConfigure = (*dataSource[any])(nil)

func (d *dataSource[M]) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + d.name
}

func (d *dataSource[M]) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{MarkdownDescription: d.about, Attributes: d.attributes}
}

// Configure is called by the framework before all calls that need the provider configuration.
func (d *dataSource[M]) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	d.providerData = configuredWith(req.ProviderData)
}

func (d *dataSource[M]) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model M
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(d.requireClient()...)
	if resp.Diagnostics.HasError() {
		return
	}
	diags, err := d.read(ctx, d.client, &model)
	if err != nil {
		diags = diag.Diagnostics{apiDiagnostic(err)}
	}
	resp.Diagnostics.Append(diags...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
}

// computed returns an attribute that a data source only returns.
func computed(about string) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: about, Computed: true}
}

// optional returns an attribute of a filter.
func optional(about string, rules ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: about, Optional: true, Validators: rules}
}

// matches reports whether a text equals a filter. A null filter matches every text.
func matches(filter types.String, text string) bool {
	return filter.IsNull() || filter.ValueString() == text
}

// newFoneNumberDataSource returns the data source of one FoneNumber.
func newFoneNumberDataSource() datasource.DataSource {
	attributes := foneNumberAttributes()
	attributes["fonenumber"] = schema.StringAttribute{
		MarkdownDescription: "FoneNumber to read, exactly ten digits. The account must contain it.",
		Required:            true,
		Validators:          []validator.String{foneNumberRule},
	}
	return &dataSource[foneNumberModel]{
		name:       "fonenumber",
		about:      "Reads one FoneNumber of the account, its delivery, and its notifications.",
		attributes: attributes,
		read: func(ctx context.Context, client *fonestorm.Client, m *foneNumberModel) (diag.Diagnostics, error) {
			f, err := client.GetFoneNumber(ctx, m.FoneNumber.ValueString(), fonestorm.ReceiveNotify, fonestorm.SendNotify)
			*m = newFoneNumberModel(f)
			return nil, err
		},
	}
}

// foneNumbersModel is the model of fractel_fonenumbers.
type foneNumbersModel struct {
	foneNumberFilter
	FoneNumbers map[string]foneNumberModel `tfsdk:"fonenumbers"`
}

// newFoneNumbersDataSource returns the data source of the active FoneNumbers of the account, optionally filtered.
func newFoneNumbersDataSource() datasource.DataSource {
	attributes := filterAttributes(aboutTypeFilter, deliveryTypeRule)
	attributes["fonenumbers"] = schema.MapNestedAttribute{
		MarkdownDescription: "Map of the FoneNumbers by their ten digits.",
		Computed:            true,
		NestedObject:        schema.NestedAttributeObject{Attributes: foneNumberAttributes()},
	}
	return &dataSource[foneNumbersModel]{
		name: "fonenumbers",
		about: "Reads the active FoneNumbers of the account, optionally filtered, with their deliveries and notifications. Sends one request, " +
			"and one for each FoneNumber that FoneStorm lists without its delivery.",
		attributes: attributes,
		read: func(ctx context.Context, client *fonestorm.Client, m *foneNumbersModel) (diag.Diagnostics, error) {
			list, err := client.ListFoneNumbers(ctx)
			m.FoneNumbers = map[string]foneNumberModel{}
			for _, f := range list {
				if m.selects(f, "") {
					m.FoneNumbers[f.Number] = newFoneNumberModel(f)
				}
			}
			return nil, err
		},
	}
}

// foneNumberModel is a FoneNumber in a data source.
type foneNumberModel struct {
	FoneNumber       types.String `tfsdk:"fonenumber"`
	Label            types.String `tfsdk:"label"`
	Group            types.String `tfsdk:"group"`
	Active           types.Bool   `tfsdk:"active"`
	MessagingEnabled types.Bool   `tfsdk:"messaging_enabled"`
	Type             types.String `tfsdk:"type"`
	Value            types.String `tfsdk:"value"`
	URLMethod        types.String `tfsdk:"url_method"`
	ReceiveNotify    *notifyModel `tfsdk:"receive_notify"`
	SendNotify       *notifyModel `tfsdk:"send_notify"`
}

// notifyModel is a notification in a data source.
type notifyModel struct {
	Type   types.String `tfsdk:"type"`
	URL    types.String `tfsdk:"url"`
	Email  types.String `tfsdk:"email"`
	Method types.String `tfsdk:"method"`
}

// foneNumberAttributes returns the attributes of a FoneNumber, all computed.
func foneNumberAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"fonenumber": computed("FoneNumber, ten digits."),
		"label":      computed("Label of the FoneNumber. Null if it has none."),
		"group":      computed("Group of the FoneNumber. Null if it has none."),
		"active": schema.BoolAttribute{
			MarkdownDescription: "Whether the FoneNumber is active, that is, its cancellation is neither pending nor completed. " +
				"Null if FoneStorm returns an undocumented status.",
			Computed: true,
		},
		"messaging_enabled": schema.BoolAttribute{
			MarkdownDescription: "Whether messaging is enabled for the FoneNumber.",
			Computed:            true,
		},
		"type":       computed("Type of the destination: `Device`, `Email`, `URL`, `Forward`, or `None`."),
		"value":      computed("Destination of the messages. Does not include credentials in a URL. Null if `type` is `None`."),
		"url_method": computed("HTTP method with which FoneStorm calls the callback URL. Null unless `type` is `URL`."),
		"receive_notify": notifyAttribute("Notification about each received message, in addition to the delivery. It does not deliver the message: " +
			"if the delivery has type `None`, messages are deleted even if a notification is set."),
		"send_notify": notifyAttribute("Notification about each sent message."),
	}
}

func notifyAttribute(about string) schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: about,
		Computed:            true,
		Attributes: map[string]schema.Attribute{
			"type":   computed("Type of the notification: `None`, `Callback`, or `Email`. Null if FoneStorm does not return it."),
			"url":    computed("URL that FoneStorm calls. Does not include credentials. Null unless `type` is `Callback`."),
			"email":  computed("E-mail address that FoneStorm notifies. Null unless `type` is `Email`."),
			"method": computed("HTTP method with which FoneStorm calls the URL. Null unless `type` is `Callback`."),
		},
	}
}

// newFoneNumberModel spells the destination as it can be configured, but without credentials.
func newFoneNumberModel(f fonestorm.FoneNumber) foneNumberModel {
	found := f.Options[fonestorm.Receive].Normalized()
	m := foneNumberModel{
		FoneNumber:       types.StringValue(f.Number),
		Label:            stringOrNull(f.Label),
		Group:            stringOrNull(f.Group),
		MessagingEnabled: types.BoolValue(!f.MessagingDisabled),
		Type:             stringOrNull(string(found.Type)),
		Value:            stringOrNull(fonestorm.WithoutCredentials(found.Value)),
		URLMethod:        stringOrNull(found.URLMethod),
		ReceiveNotify:    newNotifyModel(f.Options[fonestorm.ReceiveNotify]),
		SendNotify:       newNotifyModel(f.Options[fonestorm.SendNotify]),
	}
	if f.Status != fonestorm.StatusUnknown {
		m.Active = types.BoolValue(f.Status.MayBeActive())
	}
	return m
}

// newNotifyModel returns a model whose attributes are null if FoneStorm did not return the notification.
func newNotifyModel(n fonestorm.Delivery) *notifyModel {
	m := &notifyModel{Type: stringOrNull(string(n.Type)), Method: stringOrNull(n.URLMethod)}
	value := stringOrNull(fonestorm.WithoutCredentials(n.Normalized().Value))
	if n.Type == fonestorm.Email {
		m.Email = value
	} else {
		m.URL = value
	}
	return m
}

// foneNumberFilter selects FoneNumbers of an account. A null attribute selects all.
type foneNumberFilter struct {
	Type     types.String `tfsdk:"type"`
	Label    types.String `tfsdk:"label"`
	Group    types.String `tfsdk:"group"`
	AreaCode types.String `tfsdk:"area_code"`
}

const aboutTypeFilter = "Return only FoneNumbers with this type of delivery: `Device`, `Email`, `URL`, `Forward`, or `None`."

// filterAttributes returns the attributes of a filter by a type that has this description and rule.
func filterAttributes(aboutType string, typeRule validator.String) map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"type":      optional(aboutType, typeRule),
		"label":     optional("Return only FoneNumbers with exactly this label."),
		"group":     optional("Return only FoneNumbers in exactly this group."),
		"area_code": optional("Return only FoneNumbers with this area code, three digits.", areaCodeRule),
	}
}

// selects reports whether the filter selects a notification of a FoneNumber, by its event, or its delivery without one.
// Notifications that are not set are selected only by their type.
func (s foneNumberFilter) selects(f fonestorm.FoneNumber, event string) bool {
	kind := f.Options[optionOf[event]].Type
	isUnset := event != "" && kind == fonestorm.None && s.Type.IsNull()
	return !isUnset && matches(s.Type, string(kind)) && matches(s.Label, f.Label) && matches(s.Group, f.Group) &&
		matches(s.AreaCode, f.Number[:3])
}

// newDeviceDataSource returns the data source of one device, by its ID or name.
func newDeviceDataSource() datasource.DataSource {
	attributes := deviceAttributes()
	eitherOr := []validator.String{stringvalidator.ExactlyOneOf(path.MatchRoot("id"), path.MatchRoot("name"))}
	for key, rules := range map[string][]validator.String{"id": eitherOr, "name": nil} { // One error is enough.
		attributes[key] = schema.StringAttribute{
			MarkdownDescription: attributes[key].GetMarkdownDescription() + " Set either `id` or `name`.",
			Optional:            true,
			Computed:            true,
			Validators:          rules,
		}
	}
	return &dataSource[deviceModel]{
		name:       "device",
		about:      "Reads one device of the account by its ID or its exact name. Fails if the account contains no such device, or more than one.",
		attributes: attributes,
		read: func(ctx context.Context, client *fonestorm.Client, m *deviceModel) (diag.Diagnostics, error) {
			list, err := client.ListDevices(ctx)
			return m.find(list), err
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
		read: func(ctx context.Context, client *fonestorm.Client, m *devicesModel) (diag.Diagnostics, error) {
			list, err := client.ListDevices(ctx)
			m.Devices = map[string]deviceModel{}
			for _, d := range list {
				if matches(m.Name, d.Name) && matches(m.Type, d.Type) {
					m.Devices[d.ID] = newDeviceModel(d)
				}
			}
			return nil, err
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

// find completes the model with the only device that has its ID or name. Its error lists the devices to choose from.
func (m *deviceModel) find(list []fonestorm.RegisteredDevice) (diags diag.Diagnostics) {
	found := slices.DeleteFunc(slices.Clone(list), func(d fonestorm.RegisteredDevice) bool {
		return !matches(m.ID, d.ID) || !matches(m.Name, d.Name)
	})
	if len(found) == 1 {
		*m = newDeviceModel(found[0])
		return nil
	}
	if len(found) > 0 {
		list = found
	}
	var choice []string
	for _, d := range list[:min(len(list), 20)] {
		choice = append(choice, d.ID+" "+d.Name)
	}
	attribute, wanted := "id", m.ID
	if wanted.IsNull() {
		attribute, wanted = "name", m.Name
	}
	diags.AddAttributeError(path.Root(attribute), "Device Not Found",
		fmt.Sprintf("The account has %d devices with the %s %q, but exactly one is required. Use the id of one of these, of which at most 20 are listed: %q.",
			len(found), attribute, wanted.ValueString(), choice))
	return diags
}
