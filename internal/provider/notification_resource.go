package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// notificationSettings is fractel_fonenumber_notification, which manages a notification of one FoneNumber.
var notificationSettings = settingResource{
	name: "_fonenumber_notification", schema: notificationSchema, load: loadNotification, attributes: notificationAttributes, hasEvent: true,
}

func newNotificationResource() resource.Resource { return new(notificationSettings) }

// notificationModel contains the attributes of a fractel_fonenumber_notification.
type notificationModel struct {
	commonModel
	Event types.String `tfsdk:"event"`
}

func loadNotification(ctx context.Context, from attributeSource, diags *diag.Diagnostics) settingModel {
	var m notificationModel
	diags.Append(from.Get(ctx, &m)...)
	return settingModel{commonModel: m.commonModel, Event: m.Event}
}

func notificationAttributes(m settingModel) any {
	return notificationModel{m.commonModel, m.Event}
}

func notificationSchema() schema.Schema {
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
		Validators: []validator.String{stringvalidator.OneOf("GET", fonestorm.URLMethodPOST, "JSON")},
	}
	return schema.Schema{
		MarkdownDescription: "Manages the notification about received or sent messages (SMS and MMS) of a FoneNumber: a callback or an e-mail about each message, in addition to " +
			"its delivery. A notification **does not deliver messages**: if the delivery has type `None`, messages are deleted even if a notification is set. " +
			"Destroying the resource sets type `None`, unless the FoneNumber has a notification that this resource did not set.",
		Attributes: all,
	}
}
