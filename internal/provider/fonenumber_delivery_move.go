package provider

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

var _ resource.ResourceWithMoveState = (*foneNumberDeliveryResource)(nil)

// MoveState supports `moved` blocks from resources of generic REST providers that set a delivery.
func (r *foneNumberDeliveryResource) MoveState(context.Context) []resource.StateMover {
	return []resource.StateMover{{StateMover: moveState}}
}

func moveState(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
	body, err := foreignBody(req)
	var moved deliveryModel
	if err == nil {
		moved, err = body.model()
	}
	if err != nil {
		resp.Diagnostics.AddError("Unable to Move Resource",
			fmt.Sprintf("The state of a resource of type %q cannot be moved to a fractel_fonenumber_delivery. %s\n\n"+
				"Instead, use a removed block with destroy = false for that resource, and an import block for the FoneNumber.", req.SourceTypeName, err))
		return
	}
	// The moved resource set the delivery, so this resource owns it.
	rec := record{FoneNumber: moved.FoneNumber.ValueString(), Own: true}.identified()
	resp.Diagnostics.Append(moved.write(ctx, &resp.TargetState)...)
	resp.Diagnostics.Append(resp.TargetIdentity.Set(ctx, moved.identity())...)
	resp.Diagnostics.Append(rec.write(ctx, resp.TargetPrivate)...)
}

// settingBody contains the parameters of Set Delivery Service that another provider sent.
type settingBody map[string]any

// foreignBody returns the request body in the state of another provider's resource that calls Set Delivery Service.
func foreignBody(req resource.MoveStateRequest) (settingBody, error) {
	var state struct {
		Path       string          `json:"path"`
		CreatePath string          `json:"create_path"` // Of restapi_object.
		Data       string          `json:"data"`        // Of restapi_object.
		Body       json.RawMessage `json:"body"`        // Of restful_resource.
	}
	if req.SourceTypeName != "restapi_object" && req.SourceTypeName != "restful_resource" {
		return nil, errors.New("Only restapi_object and restful_resource can be moved.")
	}
	if req.SourceRawState == nil || json.Unmarshal(req.SourceRawState.JSON, &state) != nil {
		return nil, errors.New("The state cannot be read.")
	}
	if path := cmp.Or(state.CreatePath, state.Path); !strings.HasSuffix("/"+strings.Trim(path, "/"), "/messages/receive") {
		return nil, fmt.Errorf("Its path is %q, but only resources that call /messages/receive set a delivery.", path)
	}
	text := []byte(state.Data)
	if req.SourceTypeName == "restful_resource" {
		text = dynamicJSON(state.Body)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var body settingBody
	if decoder.Decode(&body) != nil { // Omit the error, which could contain a secret.
		return nil, errors.New("Its request body is not a JSON object.")
	}
	return body, nil
}

// dynamicJSON returns the JSON in an attribute of any type, which a state stores in `value`. It can be a string, which
// earlier versions of restful_resource store without `value`.
func dynamicJSON(attribute json.RawMessage) []byte {
	var dynamic struct {
		Value json.RawMessage `json:"value"`
	}
	if json.Unmarshal(attribute, &dynamic) == nil && len(dynamic.Value) > 0 {
		attribute = dynamic.Value
	}
	var text string
	if json.Unmarshal(attribute, &text) == nil {
		return []byte(text)
	}
	return attribute
}

// text returns a parameter; "" if it is missing.
func (b settingBody) text(name string) string {
	if value, ok := b[name]; ok && value != nil {
		return fmt.Sprint(value)
	}
	return ""
}

// model returns the resource that sets the same delivery as the body.
func (b settingBody) model() (m deliveryModel, err error) {
	number := b.text("fonenumber")
	if err := checkTenDigits("The fonenumber in its request body", number); err != nil {
		return m, err
	}
	found := fonestorm.Delivery{Type: fonestorm.DeliveryType(b.text("type")), Value: b.text("value")}
	if found.Type == "" {
		return m, errors.New("Its request body has no type.")
	}
	if err := whyNotConfigurable(fonestorm.FoneNumber{Number: number, Delivery: &found}); err != nil {
		return m, err
	}
	found = found.Normalized()
	m = deliveryModel{
		FoneNumber: types.StringValue(number), Type: types.StringValue(string(found.Type)), Value: stringOrNull(found.Value),
		OnDestroy: types.StringValue(onDestroyDisable),
	}
	if found.Type == fonestorm.URL {
		m.URLUsername, m.URLPassword = stringOrNull(b.text("url_username")), stringOrNull(b.text("url_password"))
	}
	return m, nil
}
