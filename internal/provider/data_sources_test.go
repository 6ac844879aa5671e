package provider

import (
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// The examples in the documentation read all data sources through the CLI.

// readDataSource validates and reads a data source.
func (r *run) readDataSource(name string, config attributes) (map[string]any, []*tfprotov6.Diagnostic) {
	r.t.Helper()
	schemas, err := r.server.GetProviderSchema(r.call(), &tfprotov6.GetProviderSchemaRequest{})
	r.works(err)
	kind := schemas.DataSourceSchemas[name].ValueType()
	sent := wire(r.t, kind, config.value(kind))
	validated, err := r.server.ValidateDataResourceConfig(r.call(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: name, Config: sent})
	r.works(err)
	if failure(validated.Diagnostics) != nil {
		return nil, validated.Diagnostics
	}
	resp, err := r.server.ReadDataSource(r.call(), &tfprotov6.ReadDataSourceRequest{TypeName: name, Config: sent})
	r.works(err)
	read, _ := plain(unwire(r.t, kind, resp.State)).(map[string]any)
	return read, resp.Diagnostics
}

// plain returns a value of Terraform as a value that can become JSON.
func plain(value tftypes.Value) any {
	var text string
	var truth bool
	var number big.Float
	var members map[string]tftypes.Value
	switch {
	case value.IsNull():
		return nil
	case value.As(&text) == nil:
		return text
	case value.As(&truth) == nil:
		return truth
	case value.As(&number) == nil:
		return number.String()
	case value.As(&members) == nil:
		object := map[string]any{}
		for name, member := range members {
			object[name] = plain(member)
		}
		return object
	default:
		panic(value.String())
	}
}

// reading is one read of a data source.
type reading struct {
	source string
	config attributes
	want   string   // The attribute of the result that is named like the data source, or the whole result, as JSON.
	fails  string   // Summary of the error.
	says   []string // Texts in the error.
}

// read reads in a new run.
func (a *account) read(t *testing.T, readings ...reading) {
	t.Helper()
	r := a.start(t.Context(), t, nil)
	for _, reading := range readings {
		result, diags := r.readDataSource(reading.source, reading.config)
		if reading.fails != "" {
			wantError(t, diags, reading.fails, reading.says...)
			continue
		}
		if d := failure(diags); d != nil {
			t.Errorf("%s %v: %s", reading.source, reading.config, d.Detail)
		}
		var got any = result
		if list, isList := result[strings.TrimPrefix(reading.source, "fractel_")].(map[string]any); isList {
			got = list
			if strings.HasPrefix(reading.want, "[") { // Only the keys.
				got = append([]string{}, slices.Sorted(maps.Keys(list))...)
			}
		}
		if text := strings.ReplaceAll(asJSON(t, got), `\u0026`, "&"); text != reading.want {
			t.Errorf("%s %v: got\n%s, want\n%s", reading.source, reading.config, text, reading.want)
		}
	}
}

func TestDataSourceFoneNumber(t *testing.T) {
	t.Parallel()
	const source = "fractel_fonenumber"
	a := newVariedAccount(t)
	for number, n := range map[string]simulator.Notify{
		"3215550002": {Type: "Email", Email: "ops@example.com", URL: "https://left.example.com/"},
		"3215550004": {Type: "Callback", URL: "https://hook:horse@app.example.com/sms", Method: "JSON"},
	} {
		f, _ := a.Get(number)
		f.ReceiveNotify = n
		a.Put(f)
	}
	const none = `{"email":null,"method":null,"type":"None","url":null}`
	const notSent = `"send_notify":` + none
	const noNotify = `"receive_notify":` + none + `,` + notSent
	a.read(t,
		reading{source: source, config: attributes{"fonenumber": "3215550001"}, want: `{"active":true,"fonenumber":"3215550001","group":"odd",` +
			`"label":"Number Email","messaging_enabled":true,` + noNotify + `,"type":"Email","url_method":null,"value":"ops@example.com"}`},
		reading{source: source, config: attributes{"fonenumber": "3215550002"}, want: `{"active":true,"fonenumber":"3215550002","group":"even",` +
			`"label":"Number URL","messaging_enabled":true,"receive_notify":{"email":"ops@example.com","method":null,"type":"Email","url":null},` + notSent +
			`,"type":"URL","url_method":"POST","value":"https://hooks.example.com/sms?msg={{msg}}"}`},
		reading{source: source, config: attributes{"fonenumber": "3215550004"}, want: `{"active":true,"fonenumber":"3215550004","group":"even",` +
			`"label":"Number None","messaging_enabled":true,` +
			`"receive_notify":{"email":null,"method":"JSON","type":"Callback","url":"https://***@app.example.com/sms"},` + notSent +
			`,"type":"None","url_method":null,"value":null}`},
		reading{source: source, config: attributes{"fonenumber": "4075550000"}, want: `{"active":false,"fonenumber":"4075550000","group":null,` +
			`"label":null,"messaging_enabled":false,` + noNotify + `,"type":"None","url_method":null,"value":null}`},
		reading{source: source, config: attributes{"fonenumber": "3215559999"}, fails: "FoneNumber Not Found in Account", says: []string{`AttributeName("fonenumber")`}},
	)
}

// All lists of a run are one request.
func TestDataSourceFoneNumbers(t *testing.T) {
	t.Parallel()
	const source = "fractel_fonenumbers"
	a := newVariedAccount(t)
	a.read(t,
		reading{source: source, want: `["3215550000","3215550001","3215550002","3215550003","3215550004"]`, config: attributes{}},
		reading{source: source, want: `["3215550001"]`, config: attributes{"type": "Email"}},
		reading{source: source, want: `["3215550004"]`, config: attributes{"type": "None"}},
		reading{source: source, want: `["3215550002"]`, config: attributes{"label": "Number URL"}},
		reading{source: source, want: `["3215550001","3215550003"]`, config: attributes{"group": "odd"}},
		reading{source: source, want: `[]`, config: attributes{"area_code": "407"}},
		reading{source: source, want: `["3215550003"]`, config: attributes{"group": "odd", "type": "Forward", "area_code": "321"}},
		reading{source: source, config: attributes{"type": "email"}, fails: "Invalid Attribute Value Match", says: []string{`"Email"`}},
		reading{source: source, config: attributes{"area_code": "32"}, fails: "Invalid Attribute Value Match", says: []string{`such as "321"`}},
	)
	if a.count("list") != 1 || len(a.Requests()) != 2 {
		t.Errorf("the requests are %+v, want a login and a list", a.Requests())
	}
	a.reject("", "/fonenumbers", http.StatusForbidden, "No.")
	a.read(t, reading{source: source, config: attributes{}, fails: "Permission Denied by FoneStorm"})
}

// All reads of devices in a run are one request. If no device or several devices match, the error lists them.
func TestDataSourcesOfDevices(t *testing.T) {
	t.Parallel()
	const one, several = "fractel_device", "fractel_devices"
	a := newAccount(t, simulator.Options{})
	for _, d := range []simulator.Device{
		{ID: "987123543678", Name: "Front desk", Type: "Polycom VVX 250", FoneNumber: "3215550000"},
		{ID: "21915233078", Name: "Kitchen", Type: "App"},
		{ID: "21915233079", Name: "Kitchen", Type: "Polycom VVX 250"},
		{ID: "21915233080", Type: "App"},
	} {
		a.PutDevice(d)
	}
	a.read(t,
		reading{source: several, config: attributes{}, want: `["21915233078","21915233079","21915233080","987123543678"]`},
		reading{source: several, config: attributes{"name": "Kitchen"}, want: `["21915233078","21915233079"]`},
		reading{
			source: several, config: attributes{"name": "Kitchen", "type": "App"},
			want: `{"21915233078":{"fonenumber":null,"id":"21915233078","name":"Kitchen","type":"App"}}`,
		},
		reading{
			source: one, config: attributes{"name": "Front desk"},
			want: `{"fonenumber":"3215550000","id":"987123543678","name":"Front desk","type":"Polycom VVX 250"}`,
		},
		reading{source: one, config: attributes{"id": "21915233080"}, want: `{"fonenumber":null,"id":"21915233080","name":null,"type":"App"}`},
		reading{source: one, config: attributes{"name": "kitchen"}, fails: "Device Not Found", says: []string{
			`no device with the name "kitchen".`,
			`Its devices are 21915233078 ("Kitchen"), 21915233079 ("Kitchen"), 21915233080 (""), 987123543678 ("Front desk").`,
		}},
		reading{source: one, config: attributes{"id": "1"}, fails: "Device Not Found", says: []string{`no device with the id "1".`}},
		reading{source: one, config: attributes{"name": "Kitchen"}, fails: "Multiple Devices Found", says: []string{
			`has 2 devices with the name "Kitchen".`, `They are 21915233078 ("Kitchen"), 21915233079 ("Kitchen").`, "Use id instead.",
		}},
		reading{source: one, config: attributes{"id": "1", "name": "Kitchen"}, fails: "Invalid Attribute Combination"},
		reading{source: one, config: attributes{}, fails: "Missing Attribute Configuration"},
	)
	if a.count("devices") != 1 || len(a.Requests()) != 2 {
		t.Errorf("the requests are %+v, want a login and a list", a.Requests())
	}
	a.reject("", "/devices", http.StatusForbidden, "The user is not allowed to list devices.")
	a.read(t, reading{source: several, config: attributes{}, fails: "Permission Denied by FoneStorm"})
}

// The configuration in the guide on adoption finds FoneNumbers whose messages arrive twice or not at all.
func TestAccGuideOnNotifications(t *testing.T) {
	t.Parallel()
	const hook = "https://hooks.example.com/sms?msg={{msg}}"
	a := newAccount(t, simulator.Options{})
	for number, f := range map[string]simulator.FoneNumber{
		"3215550000": {ReceiveNotify: simulator.Notify{Type: "Callback", URL: hook}},
		"3215550001": {ReceiveNotify: simulator.Notify{Type: "Email", Email: "ops@example.com"}},
		"3215550002": {ReceiveNotify: simulator.Notify{Type: "None", URL: hook}},
		"3215550003": {
			Receive:       simulator.Receive{Type: "URL", URL: hook},
			ReceiveNotify: simulator.Notify{Type: "Callback", URL: strings.ReplaceAll(hook, "{", "%7B")},
		},
		"3215550004": {Receive: simulator.Receive{Type: "URL", URL: hook}, ReceiveNotify: simulator.Notify{Type: "Callback", URL: "https://app.example.com/"}},
		"3215550005": {Receive: simulator.Receive{Type: "Email", Email: "ops@example.com"}},
	} {
		f.Number = number
		a.Put(f)
	}
	w := a.newWorkspace(t, guided(t, "adopt-an-existing-account.md", "receive_notify"))
	w.apply()
	got := w.outputs()
	if text := asJSON(t, got["deleted_although_notified"]); text != `["3215550000","3215550001"]` {
		t.Errorf("deleting messages: %s", text)
	}
	if text := asJSON(t, got["arriving_twice"]); text != `["3215550003"]` {
		t.Errorf("delivering twice: %s", text)
	}
}
