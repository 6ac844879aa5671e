package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// The two resources: fractel_fonenumber_delivery manages the delivery of one FoneNumber, and fractel_fonenumber_notification one of its
// notifications.
var (
	deliverySettings     = settingResource{name: "_fonenumber_delivery", schema: deliverySchema}
	notificationSettings = settingResource{name: "_fonenumber_notification", schema: notificationSchema, hasEvent: true}
)

func newDeliveryResource() resource.Resource     { return new(deliverySettings) }
func newNotificationResource() resource.Resource { return new(notificationSettings) }

// deliveryModel and notificationModel have the fields of settingModel, and the tags of the attributes that each resource has.
type (
	deliveryModel struct {
		commonModel
		Event     types.String `tfsdk:"-"`
		OnDestroy types.String `tfsdk:"on_destroy"`
	}
	notificationModel struct {
		commonModel
		Event     types.String `tfsdk:"event"`
		OnDestroy types.String `tfsdk:"-"`
	}
)

// load reads a configuration, plan, or state.
func (r *settingResource) load(ctx context.Context, from attributeSource, diags *diag.Diagnostics) settingModel {
	if r.hasEvent {
		var m notificationModel
		diags.Append(from.Get(ctx, &m)...)
		return settingModel(m)
	}
	var m deliveryModel
	diags.Append(from.Get(ctx, &m)...)
	return settingModel(m)
}

// attributes returns the struct with all attributes, to store as a plan or state.
func (r *settingResource) attributes(m settingModel) any {
	if r.hasEvent {
		return notificationModel(m)
	}
	return deliveryModel(m)
}

// commonSchema returns the attributes that deliveries and notifications have in common.
func commonSchema() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"fonenumber": schema.StringAttribute{
			MarkdownDescription: "FoneNumber to manage, exactly ten digits. The account must contain it. Changing this forces a new resource to be created.",
			Required:            true,
			Validators:          []validator.String{foneNumberRule},
			PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
		},
		"url_username": schema.StringAttribute{
			MarkdownDescription: "Username with which FoneStorm authenticates to the callback URL (HTTP Basic authentication). Can only be set with a callback URL. " +
				"FoneStorm does not return it, so the provider cannot detect drift.",
			Optional:   true,
			Validators: []validator.String{urlUsernameRule},
		},
		"url_password": schema.StringAttribute{
			MarkdownDescription: "Password for `url_username`. Stored in the state and in saved plans; use `url_password_wo` to prevent this. " +
				"FoneStorm does not return it, so the provider cannot detect drift. Requires `url_username`. Conflicts with `url_password_wo`.",
			Optional:  true,
			Sensitive: true,
			Validators: []validator.String{
				urlPasswordRule,
				stringvalidator.AlsoRequires(path.MatchRoot("url_username")),
				stringvalidator.PreferWriteOnlyAttribute(path.MatchRoot("url_password_wo")),
			},
		},
		"url_password_wo": schema.StringAttribute{
			MarkdownDescription: "Write-only password for `url_username`. It is sent to FoneStorm and never stored in a plan or the state. " +
				"Requires Terraform 1.11 or later, or OpenTofu 1.11 or later. Requires `url_username` and `url_password_wo_version`. Conflicts with `url_password`.",
			// Not marked as sensitive: a write-only value is in no plan or state, and Terraform would store the mark for
			// each resource, which takes it a seventh of the time of a large apply.
			Optional:  true,
			WriteOnly: true,
			Validators: []validator.String{
				urlPasswordRule,
				stringvalidator.AlsoRequires(path.MatchRoot("url_username"), path.MatchRoot("url_password_wo_version")),
				stringvalidator.ConflictsWith(path.MatchRoot("url_password")),
			},
		},
		"url_password_wo_version": schema.Int64Attribute{
			MarkdownDescription: "Version of `url_password_wo`. Increment this number to send a changed `url_password_wo`, which Terraform cannot compare. Requires `url_password_wo`.",
			Optional:            true,
			Validators:          []validator.Int64{int64validator.AtLeast(0), int64validator.AlsoRequires(path.MatchRoot("url_password_wo"))},
		},
	}
}

func deliverySchema() schema.Schema {
	all := commonSchema()
	all["type"] = schema.StringAttribute{
		MarkdownDescription: "Type of the destination: `Device`, `Email`, `URL`, `Forward`, or `None`. " +
			"With `None`, messages are **deleted upon receipt without any delivery**.",
		Required:   true,
		Validators: []validator.String{deliveryTypeRule},
	}
	all["value"] = schema.StringAttribute{
		MarkdownDescription: "Destination of the messages. For `Device`, the ID of a registered device, which contains only digits. For `Email`, one e-mail address. " +
			"For `URL`, an absolute `https://` or `http://` URL, in which FoneStorm replaces `{{to}}`, `{{from}}`, `{{msg}}`, and `{{uid}}` at delivery. " +
			"For `Forward`, another ten-digit telephone number. Required, except for `None`, for which it must be omitted.",
		Optional: true,
	}
	all["url_method"] = schema.StringAttribute{
		MarkdownDescription: "HTTP method with which FoneStorm calls the callback URL. Only `POST` can be set, and every change of the delivery sets it. It has no effect for other types than `URL`. " +
			"If omitted, the provider ignores the current method, so an imported FoneNumber keeps `GET` or `JSON` until its delivery changes.",
		Optional:   true,
		Validators: []validator.String{stringvalidator.OneOf(fonestorm.URLMethodPOST)},
	}
	all["on_destroy"] = schema.StringAttribute{
		MarkdownDescription: "What to do when the resource is destroyed or its `fonenumber` changes. `disable` sets type `None`, so that messages are " +
			"**deleted upon receipt**, unless the FoneNumber has a delivery that this resource did not set. `keep` leaves the delivery unchanged. " +
			"Defaults to `disable` for a delivery that the resource created, and to `keep` for a delivery that was imported.",
		Optional:   true,
		Computed:   true,
		Validators: []validator.String{stringvalidator.OneOf(onDestroyDisable, onDestroyKeep)},
	}
	return schema.Schema{
		MarkdownDescription: "Manages where messages (SMS and MMS) received at a FoneNumber are delivered, with FoneStorm's *Set Delivery Service*. " +
			"Use one resource for each FoneNumber.",
		Attributes: all,
	}
}

func notificationSchema() schema.Schema {
	all := commonSchema()
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
		Validators: []validator.String{stringvalidator.OneOf("GET", fonestorm.URLMethodPOST, "JSON")},
	}
	return schema.Schema{
		MarkdownDescription: "Manages the notification about received or sent messages (SMS and MMS) of a FoneNumber: a callback or an e-mail about each message, in addition to " +
			"its delivery. A notification **does not deliver messages**: if the delivery has type `None`, messages are deleted even if a notification is set. " +
			"Destroying the resource sets type `None`, unless the FoneNumber has a notification that this resource did not set.",
		Attributes: all,
	}
}

// ValidateConfig checks rules across attributes. It skips unknown values: during an apply, Terraform validates again with
// the known ones before anything is sent.
func (r *settingResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	config := r.load(ctx, req.Config, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || config.Type.IsUnknown() || config.Type.IsNull() {
		return
	}
	kind := config.kind()
	if !kind.IsCallback() && !config.URLUsername.IsNull() { // Each password requires a username.
		resp.Diagnostics.AddAttributeError(path.Root("url_username"), "Credentials Without Callback URL",
			fmt.Sprintf("url_username can only be set with a callback URL, but type is %q. Remove it and its password, or change type.", kind))
	}
	resp.Diagnostics.Append(destinationErrors(config)...)
	if resp.Diagnostics.HasError() {
		r.ownersOf(config.id()).failed.Store(true)
	}
	if kind.IsCallback() && !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(callbackWarnings(config.Value.ValueString(), !config.URLUsername.IsNull(),
			!config.URLPassword.IsNull() || !config.URLPasswordWO.IsNull())...)
	}
}
