package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework-validators/numbervalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
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

func (r *deliveryResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Manages where messages (SMS and MMS) received at a FoneNumber are delivered, with FoneStorm's *Set Delivery Service*. " +
			"Use one resource for each FoneNumber.",
		Attributes: map[string]schema.Attribute{
			"fonenumber": schema.StringAttribute{
				MarkdownDescription: "FoneNumber to manage, exactly ten digits. The account must contain it. Changing this forces a new resource to be created.",
				Required:            true,
				Validators:          []validator.String{foneNumberRule},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"type": schema.StringAttribute{
				MarkdownDescription: "Type of the destination: `Device`, `Email`, `URL`, `Forward`, or `None`. " +
					"With `None`, messages are **deleted upon receipt without any delivery**.",
				Required:   true,
				Validators: []validator.String{deliveryTypeRule},
			},
			"value": schema.StringAttribute{
				MarkdownDescription: "Destination of the messages. For `Device`, the ID of a registered device, which contains only digits. For `Email`, one e-mail address. " +
					"For `URL`, an absolute `https://` or `http://` URL, in which FoneStorm replaces `{{to}}`, `{{from}}`, `{{msg}}`, and `{{uid}}` at delivery. " +
					"For `Forward`, another ten-digit telephone number. Required, except for `None`, for which it must be omitted.",
				Optional: true,
			},
			"url_method": schema.StringAttribute{
				MarkdownDescription: "HTTP method with which FoneStorm calls the callback URL. Only `POST` can be set, and every change of the delivery sets it. " +
					"If omitted, the provider ignores the current method, so an imported FoneNumber keeps `GET` or `JSON` until its delivery changes.",
				Optional:   true,
				Validators: []validator.String{urlMethodRule},
			},
			"url_username": schema.StringAttribute{
				MarkdownDescription: "Username with which FoneStorm authenticates to the callback URL (HTTP Basic authentication). Can only be set when `type` is `URL`. " +
					"FoneStorm does not return it, so the provider cannot detect drift.",
				Optional:   true,
				Validators: []validator.String{urlUsernameRule},
			},
			"url_password": schema.StringAttribute{
				MarkdownDescription: "Password for `url_username`. Stored in the Terraform state; use `url_password_wo` to prevent this. " +
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
			"url_password_wo_version": schema.NumberAttribute{
				MarkdownDescription: "Version of `url_password_wo`. Increment this number to send a changed `url_password_wo`, which Terraform cannot compare. Requires `url_password_wo`.",
				Optional:            true,
				Validators:          []validator.Number{versionRule, numbervalidator.AlsoRequires(path.MatchRoot("url_password_wo"))},
			},
			"on_destroy": schema.StringAttribute{
				MarkdownDescription: "What to do when the resource is destroyed or its `fonenumber` changes. `disable` sets type `None`, so that messages are " +
					"**deleted upon receipt**, unless the FoneNumber has a delivery that this resource did not set. `keep` leaves the delivery unchanged. " +
					"Defaults to `disable` for a delivery that the resource created, and to `keep` for a delivery that was imported.",
				Optional:   true,
				Computed:   true,
				Validators: []validator.String{onDestroyRule},
			},
		},
	}
}

func (r *deliveryResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"fonenumber": identityschema.StringAttribute{
				Description:       "FoneNumber, exactly ten digits.",
				RequiredForImport: true,
			},
		},
	}
}

// ValidateConfig checks rules across attributes. It skips unknown values: during an apply, Terraform validates again with
// the known ones before anything is sent.
func (r *deliveryResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config deliveryModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || config.Type.IsUnknown() || config.Type.IsNull() {
		return
	}
	kind := fonestorm.DeliveryType(config.Type.ValueString())
	if kind != fonestorm.URL {
		for name, value := range map[string]types.String{
			"url_username": config.URLUsername, "url_password": config.URLPassword, "url_password_wo": config.URLPasswordWO,
		} {
			if !value.IsNull() {
				resp.Diagnostics.AddAttributeError(path.Root(name), "Credentials Without Callback URL",
					name+" can only be set when type is \"URL\", but type is "+config.Type.String()+". Remove it, or change type.")
			}
		}
	}
	switch {
	case config.Value.IsUnknown():
	case config.Value.IsNull() && kind != fonestorm.None:
		resp.Diagnostics.AddAttributeError(path.Root("value"), "Missing Destination",
			"Type "+config.Type.String()+" requires value, the destination of the messages. Only type \"None\" has no destination.")
	case !config.Value.IsNull():
		if err := checkDestination(kind, config.Value.ValueString(), config.FoneNumber.ValueString()); err != nil {
			resp.Diagnostics.AddAttributeError(path.Root("value"), "Invalid Destination", err.Error())
		} else if kind == fonestorm.URL {
			resp.Diagnostics.Append(callbackWarnings(config.Value.ValueString(), !config.URLUsername.IsNull(),
				!config.URLPassword.IsNull() || !config.URLPasswordWO.IsNull())...)
		}
	}
}

// checkPair returns an error if a planned value is not a destination of the planned type.
func checkPair(m deliveryModel) error {
	kind := fonestorm.DeliveryType(m.Type.ValueString())
	if !m.Value.IsNull() {
		return checkDestination(kind, m.Value.ValueString(), m.FoneNumber.ValueString())
	}
	if kind != fonestorm.None {
		return errors.New("There is no value, but only type \"None\" has no destination.")
	}
	return nil
}
