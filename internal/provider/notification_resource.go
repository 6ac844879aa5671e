package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// notificationResource manages the notification about received or sent messages of one FoneNumber.
type notificationResource struct{ settingResource }

func newNotificationResource() resource.Resource {
	var r completeResource = &notificationResource{newSettingResource("_fonenumber_notification", notificationAttributes{})}
	return r
}

// notificationModel contains the attributes of a fractel_fonenumber_notification.
type notificationModel struct {
	commonModel
	Event types.String `tfsdk:"event"`
}

// notificationIdentity is the identity of a fractel_fonenumber_notification.
type notificationIdentity struct {
	FoneNumber types.String `tfsdk:"fonenumber"`
	Event      types.String `tfsdk:"event"`
}

// notificationAttributes maps the attributes of a fractel_fonenumber_notification.
type notificationAttributes struct{}

func (notificationAttributes) load(ctx context.Context, from attributeSource, diags *diag.Diagnostics) settingModel {
	var m notificationModel
	diags.Append(from.Get(ctx, &m)...)
	return settingModel{commonModel: m.commonModel, Event: m.Event}
}

func (notificationAttributes) attributes(m settingModel) any {
	return notificationModel{m.commonModel, m.Event}
}

func (notificationAttributes) identity(m settingModel) any {
	return notificationIdentity{m.FoneNumber, m.Event}
}

func (r *notificationResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	all := commonSchema(fonestorm.Callback)
	all["event"] = schema.StringAttribute{
		MarkdownDescription: "Messages to notify about: `receive` for received messages, or `send` for sent messages. A FoneNumber has one notification for each. " +
			"Changing this forces a new resource to be created.",
		Required:      true,
		Validators:    []validator.String{eventRule},
		PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
	all["type"] = schema.StringAttribute{
		MarkdownDescription: "Type of the notification: `Callback`, `Email`, or `None`. With `None`, nothing is notified.",
		Required:            true,
		Validators:          []validator.String{notificationTypeRule},
	}
	all["value"] = schema.StringAttribute{
		MarkdownDescription: "Destination of the notification. For `Callback`, an absolute `https://` or `http://` URL, in which FoneStorm replaces `{{to}}`, `{{from}}`, " +
			"`{{msg}}`, and `{{uid}}`. For `Email`, one e-mail address. Required, except for `None`, for which it must be omitted.",
		Optional: true,
	}
	all["url_method"] = schema.StringAttribute{
		MarkdownDescription: "How FoneStorm calls the callback URL: `GET` or `POST` with the data in the query, or `JSON` with the data as JSON. " +
			"With `POST`, the body also contains the data as JSON. Required for type `Callback`, and ignored for other types.",
		Optional:   true,
		Validators: []validator.String{notificationMethodRule},
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Manages the notification about received or sent messages (SMS and MMS) of a FoneNumber: a callback or an e-mail about each message, in addition to " +
			"its delivery. A notification **does not deliver messages**: if the delivery has type `None`, messages are deleted even if a notification is set. " +
			"Destroying the resource sets type `None`, unless the FoneNumber has a notification that this resource did not set.",
		Attributes: all,
	}
}

func (r *notificationResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"fonenumber": identityschema.StringAttribute{Description: "FoneNumber, exactly ten digits.", RequiredForImport: true},
			"event":      identityschema.StringAttribute{Description: "\"receive\" or \"send\".", RequiredForImport: true},
		},
	}
}

func (r *notificationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	var imported notificationIdentity
	if req.ID == "" {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &imported)...)
	} else {
		number, event, _ := strings.Cut(req.ID, "/")
		imported = notificationIdentity{types.StringValue(number), types.StringValue(event)}
	}
	if err := checkTenDigits("The FoneNumber to import", imported.FoneNumber.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("fonenumber"), "Invalid FoneNumber", err.Error())
	}
	if event := imported.Event.ValueString(); event != eventReceive && event != eventSend {
		resp.Diagnostics.AddAttributeError(path.Root("event"), "Invalid Event",
			fmt.Sprintf("The event must be \"receive\" or \"send\", but %q was given. The ID of a notification is the FoneNumber, a slash, and the event, "+
				"such as \"3215551212/receive\".", event))
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("fonenumber"), imported.FoneNumber)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("event"), imported.Event)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, imported)...)
}
