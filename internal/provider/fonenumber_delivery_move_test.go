package provider

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// restapiState returns the state of a restapi_object as documented.
func restapiState(path, data string) string {
	return fmt.Sprintf(`{"id":"3215550000","path":%q,"data":%q,"api_data":{"status":"ok"},"api_response":"{}","create_method":"POST","create_path":null,
		"create_response":"{}","debug":false,"destroy_data":null,"destroy_method":null,"destroy_path":null,"force_new":null,"id_attribute":"fonenumber",
		"object_id":null,"query_string":null,"read_data":null,"read_method":null,"read_path":"/fonenumbers/{id}","read_search":null,"update_data":null,
		"update_method":"POST","update_path":"/messages/receive"}`, path, data)
}

// restfulState returns the state of a restful_resource, whose body can be of any type.
func restfulState(path, body string) string {
	return fmt.Sprintf(`{"id":"/fonenumbers/3215550000","path":%q,"body":{"value":%s,"type":["object",{"fonenumber":"string","type":"string","value":"string"}]},
		"create_method":"POST","delete_method":null,"ephemeral_body":null,"header":null,"output":{"value":{},"type":["object",{}]},
		"poll_create":null,"query":null,"read_path":"/fonenumbers/$(body.fonenumber)","update_method":"POST","write_only_attrs":null}`, path, body)
}

// move moves a resource of another provider to this provider.
func (r *run) move(sourceType, state string) (instance, []*tfprotov6.Diagnostic) {
	r.t.Helper()
	resp, err := r.server.MoveResourceState(r.call(), &tfprotov6.MoveResourceStateRequest{
		SourceProviderAddress: "registry.terraform.io/example/" + strings.Split(sourceType, "_")[0], SourceTypeName: sourceType,
		SourceState: &tfprotov6.RawState{JSON: []byte(state)}, TargetTypeName: resourceName,
	})
	r.works(err)
	if resp.TargetState == nil {
		return instance{}, resp.Diagnostics
	}
	return instance{unwire(r.t, protocol().resource, resp.TargetState), resp.TargetPrivate, resp.TargetIdentity}, resp.Diagnostics
}

// A delivery moves from a generic REST provider: the plan is empty before and after a refresh, and a destroy turns the
// FoneNumber off, because the moved resource had set it.
func TestMoveFromGenericProvider(t *testing.T) {
	t.Parallel()
	const hook = `{"fonenumber":"3215550000","type":"URL","value":"https://hooks.example.com/sms?msg={{msg}}","url_method":"POST","url_username":"hook","url_password":"horse"}`
	url := attributes{
		"fonenumber": "3215550000", "type": "URL", "value": "https://hooks.example.com/sms?msg={{msg}}", "url_username": "hook", "url_password": "horse",
	}
	email := attributes{"fonenumber": "3215550000", "type": "Email", "value": "ops@example.com"}
	forward := attributes{"fonenumber": "3215550000", "type": "Forward", "value": "3215551111"}
	tests := map[string]struct {
		sourceType, state string
		config            attributes
	}{
		"restapi_object":              {"restapi_object", restapiState("/messages/receive", `{"fonenumber":"3215550000","type":"Email","value":"ops@example.com","url_method":"POST"}`), email},
		"restapi_object, URL":         {"restapi_object", restapiState("/v2/messages/receive/", hook), url},
		"restapi_object, numbers":     {"restapi_object", restapiState("messages/receive", `{"fonenumber":3215550000,"type":"forward","value":13215551111}`), forward},
		"restapi_object, None":        {"restapi_object", restapiState("/messages/receive", `{"fonenumber":"3215550000","type":"None","value":"None"}`), attributes{"fonenumber": "3215550000", "type": "None"}},
		"restful_resource":            {"restful_resource", restfulState("/messages/receive", hook), url},
		"restful_resource, as string": {"restful_resource", restfulState("/messages/receive", fmt.Sprintf("%q", hook)), url},
		"restful_resource, earlier":   {"restful_resource", fmt.Sprintf(`{"id":"x","path":"/messages/receive","body":%q}`, hook), url},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{FoneNumbers: 1})
			a.byHand("3215550000", test.config.text("type"), test.config.text("value"))
			f, _ := a.Get("3215550000")
			f.Receive.URLUsername, f.Receive.URLPassword = test.config.text("url_username"), test.config.text("url_password")
			a.Put(f)
			r := a.start(t.Context(), t, nil)
			moved, diags := r.move(test.sourceType, test.state)
			if d := failure(diags); d != nil {
				t.Fatal(d.Detail)
			}
			want := maps.Clone(test.config)
			want["on_destroy"] = "disable"
			if got := attributesOf(moved.state); !maps.Equal(got, want) {
				t.Errorf("moved to %v, want %v", got, want)
			}
			if identity := attributesOf(unwire(t, protocol().identity, moved.identity.IdentityData)); identity.text("fonenumber") != "3215550000" {
				t.Errorf("the identity is %v", identity)
			}
			if c, _ := r.plan(moved, test.config); !c.isEmpty() {
				t.Errorf("before a refresh, the plan changes %q", c.differs())
			}
			moved, diags = r.refresh(moved)
			if d := failure(diags); d != nil {
				t.Fatal(d.Detail)
			}
			if c, _ := r.plan(moved, test.config); !c.isEmpty() {
				t.Errorf("after a refresh, the plan changes %q", c.differs())
			}
			a.sendsOnly(t, 0)
			c, _ := r.plan(moved, nil)
			r.apply(c)
			if f, _ := a.Get("3215550000"); f.Receive.Type != "None" {
				t.Errorf("the destroy leaves %+v", f.Receive)
			}
		})
	}
}

// A destroy does not change a delivery that was set elsewhere since the move.
func TestDestroyAfterMoveAndDrift(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 1})
	a.byHand("3215550000", "Email", "somebody@example.com")
	r := a.start(t.Context(), t, nil)
	moved, _ := r.move("restapi_object", restapiState("/messages/receive", `{"fonenumber":"3215550000","type":"Email","value":"ops@example.com"}`))
	moved, _ = r.refresh(moved)
	c, _ := r.plan(moved, nil)
	r.apply(c)
	if f, _ := a.Get("3215550000"); f.Receive.Email != "somebody@example.com" || f.Receive.Type != "Email" {
		t.Errorf("the destroy sets %+v", f.Receive)
	}
}

// Everything else is rejected with a reason, which does not contain values of the state.
func TestMoveRejected(t *testing.T) {
	t.Parallel()
	r := newAccount(t, simulator.Options{}).start(t.Context(), t, nil)
	const good = `{"fonenumber":"3215550000","type":"Email","value":"ops@example.com"}`
	for name, test := range map[string]struct{ sourceType, state, want string }{
		"another type":    {"terraform_data", `{"id":"x"}`, "Only restapi_object and restful_resource can be moved."},
		"another path":    {"restapi_object", restapiState("/messages/receive_notify", good), `Its path is "/messages/receive_notify"`},
		"another receive": {"restapi_object", restapiState("/faxes/receive", good), `Its path is "/faxes/receive"`},
		"a longer path":   {"restful_resource", restfulState("/messages/receive/1", good), `Its path is "/messages/receive/1"`},
		"no JSON":         {"restapi_object", restapiState("/messages/receive", `url_password=horse`), "Its request body is not a JSON object."},
		"a list":          {"restful_resource", restfulState("/messages/receive", `["horse"]`), "Its request body is not a JSON object."},
		"no body":         {"restful_resource", `{"path":"/messages/receive"}`, "Its request body is not a JSON object."},
		"no number":       {"restapi_object", restapiState("/messages/receive", `{"type":"Email","value":"horse"}`), "The fonenumber in its request body must be exactly ten digits"},
		"no type":         {"restapi_object", restapiState("/messages/receive", `{"fonenumber":"3215550000","value":"horse"}`), "Its request body has no type."},
		"an unknown type": {"restapi_object", restapiState("/messages/receive", `{"fonenumber":"3215550000","type":"Fax","value":"horse"}`), `but "Fax" was given.`},
		"a secret in URL": {"restapi_object", restapiState("/messages/receive", `{"fonenumber":"3215550000","type":"URL","value":"https://hook:horse@example.com/"}`), "contains a username or password"},
		"no state":        {"restapi_object", `null and void`, "The state cannot be read."},
	} {
		moved, diags := r.move(test.sourceType, test.state)
		d := failure(diags)
		if d == nil || moved.exists() || d.Summary != "Unable to Move Resource" {
			t.Errorf("%s: %v, %+v, want an error", name, moved, diags)
			continue
		}
		says(t, d.Detail, test.want, "import block")
		if strings.Contains(d.Detail, "horse") {
			t.Errorf("%s: contains a value of the state: %s", name, d.Detail)
		}
	}
}

// The guide on moving, through the CLI, which requires an installed provider of the other name but does not use it: this
// provider serves as one.
func TestAccGuideOnMovedBlocks(t *testing.T) {
	t.Parallel()
	needs(t, movesBetweenTypes)
	a := newAccount(t, simulator.Options{})
	a.byHand("3215551212", "Email", "ops@example.com")
	w := a.newWorkspace(t, guided(t, "moving.md", "moved {"))
	host := "registry.terraform.io"
	if isTofu(theCLI()) {
		host = "registry.opentofu.org"
	}
	other := t.TempDir()
	if err := os.Symlink(filepath.Join(builtProvider.dir, "terraform-provider-fractel"), filepath.Join(other, "terraform-provider-restapi")); err != nil {
		t.Fatal(err)
	}
	w.write("cli.tfrc", fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"fractel/fractel\" = %q\n    \"mastercard/restapi\" = %q\n  }\n  direct {}\n}\n", builtProvider.dir, other))
	w.write("terraform.tfstate", fmt.Sprintf(`{"version":4,"terraform_version":"1.8.0","serial":1,"lineage":"0b8a5b6e-6d5b-4a3c-8f0c-2a3c6f1f5a11","outputs":{},"resources":[{
		"mode":"managed","type":"restapi_object","name":"operations","provider":"provider[\"%s/mastercard/restapi\"]",
		"instances":[{"schema_version":0,"attributes":%s,"sensitive_attributes":[]}]}],"check_results":null}`,
		host, restapiState("/messages/receive", `{"fonenumber":"3215551212","type":"Email","value":"ops@example.com","url_method":"POST"}`)))
	says(t, w.plan(2), "restapi_object.operations has moved to fractel_fonenumber_delivery.operations", "Plan: 0 to add, 0 to change, 0 to destroy.")
	w.apply()
	w.plan(0)
	a.sendsOnly(t, 0)
}
