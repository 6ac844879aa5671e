package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/numbervalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// commonSchema returns the attributes that deliveries and notifications have in common, with the name of the type that has a
// callback URL.
func commonSchema(callback fonestorm.DeliveryType) map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"fonenumber": schema.StringAttribute{
			MarkdownDescription: "FoneNumber to manage, exactly ten digits. The account must contain it. Changing this forces a new resource to be created.",
			Required:            true,
			Validators:          []validator.String{foneNumberRule},
			PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
		},
		"url_username": schema.StringAttribute{
			MarkdownDescription: "Username with which FoneStorm authenticates to the callback URL (HTTP Basic authentication). Can only be set when `type` is `" + string(callback) + "`. " +
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
		"url_password_wo_version": schema.NumberAttribute{
			MarkdownDescription: "Version of `url_password_wo`. Increment this number to send a changed `url_password_wo`, which Terraform cannot compare. Requires `url_password_wo`.",
			Optional:            true,
			Validators:          []validator.Number{versionRule, numbervalidator.AlsoRequires(path.MatchRoot("url_password_wo"))},
		},
	}
}

// ValidateConfig checks rules across attributes. It skips unknown values: during an apply, Terraform validates again with
// the known ones before anything is sent.
func (r *settingResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	config := r.load(ctx, req.Config, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || config.Type.IsUnknown() || config.Type.IsNull() {
		return
	}
	kind, callback := config.kind(), fonestorm.Callback
	if config.isDelivery() {
		callback = fonestorm.URL
	}
	if !kind.IsCallback() {
		for name, value := range map[string]types.String{
			"url_username": config.URLUsername, "url_password": config.URLPassword, "url_password_wo": config.URLPasswordWO,
		} {
			if !value.IsNull() {
				resp.Diagnostics.AddAttributeError(path.Root(name), "Credentials Without Callback URL",
					fmt.Sprintf("%s can only be set when type is %q, but type is %q. Remove it, or change type.", name, callback, kind))
			}
		}
	}
	resp.Diagnostics.Append(destinationErrors(config)...)
	if resp.Diagnostics.HasError() {
		r.of(config.id()).failed.Store(true)
	}
	if kind.IsCallback() && !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(callbackWarnings(config.Value.ValueString(), !config.URLUsername.IsNull(),
			!config.URLPassword.IsNull() || !config.URLPasswordWO.IsNull())...)
	}
}
