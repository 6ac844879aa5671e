package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// deliverySettings is fractel_fonenumber_delivery, which manages the delivery of one FoneNumber.
var deliverySettings = settingResource{name: "_fonenumber_delivery", schema: deliverySchema, load: loadDelivery, attributes: deliveryAttributes}

func newDeliveryResource() resource.Resource { return new(deliverySettings) }

// deliveryModel contains the attributes of a fractel_fonenumber_delivery.
type deliveryModel struct {
	commonModel
	OnDestroy types.String `tfsdk:"on_destroy"`
}

func loadDelivery(ctx context.Context, from attributeSource, diags *diag.Diagnostics) settingModel {
	var m deliveryModel
	diags.Append(from.Get(ctx, &m)...)
	return settingModel{commonModel: m.commonModel, OnDestroy: m.OnDestroy}
}

func deliveryAttributes(m settingModel) any {
	return deliveryModel{m.commonModel, m.OnDestroy}
}

func deliverySchema() schema.Schema {
	all := commonSchema(fonestorm.URL)
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
		MarkdownDescription: "HTTP method with which FoneStorm calls the callback URL. Only `POST` can be set, and every change of the delivery sets it. " +
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
