package provider

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// The examples in the documentation read all data sources through the CLI.

func (r *run) readDataSource(name string, config attributes) (map[string]any, []*tfprotov6.Diagnostic) {
	schemas := must(r.server.GetProviderSchema(r.call(), &tfprotov6.GetProviderSchemaRequest{}))
	kind := schemas.DataSourceSchemas[name].ValueType()
	sent := wire(kind, config.value(kind))
	validated := must(r.server.ValidateDataResourceConfig(r.call(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: name, Config: sent}))
	if failure(validated.Diagnostics) != nil {
		return nil, validated.Diagnostics
	}
	resp := must(r.server.ReadDataSource(r.call(), &tfprotov6.ReadDataSourceRequest{TypeName: name, Config: sent}))
	if failure(resp.Diagnostics) != nil {
		return nil, resp.Diagnostics
	}
	var read map[string]any
	if err := msgpack.Unmarshal(resp.State.MsgPack, &read); err != nil {
		panic(err)
	}
	return read, resp.Diagnostics
}

// returns checks the result as JSON, or the attribute that is named like the data source, or only its keys if a list is wanted.
func (r *run) returns(t *testing.T, source string, config attributes, want string) {
	t.Helper()
	result, diags := r.readDataSource(source, config)
	if d := failure(diags); d != nil {
		t.Errorf("%s %v: %s", source, config, d.Detail)
	}
	var got any = result
	if found, isMap := result[strings.TrimPrefix(source, "fractel_")].(map[string]any); isMap {
		got = found
		if strings.HasPrefix(want, "[") {
			got = append([]string{}, slices.Sorted(maps.Keys(found))...)
		}
	}
	text, _ := json.Marshal(got)
	if string(text) != want {
		t.Errorf("%s %v: got\n%s, want\n%s", source, config, text, want)
	}
}

func (r *run) fails(t *testing.T, source string, config attributes, summary string, texts ...string) {
	t.Helper()
	_, diags := r.readDataSource(source, config)
	wantError(t, diags, summary, texts...)
}

func TestDataSourceFoneNumber(t *testing.T) {
	t.Parallel()
	const source = "fractel_fonenumber"
	a := newVariedAccount(t)
	a.byHand("3215550002", "URL", "https://hook:horse@hooks.example.com/sms?msg={{msg}}")
	for number, n := range map[string]simulator.Notify{
		"3215550002": {Type: "Email", Email: "ops@example.com", URL: "https://left.example.com/"},
		"3215550004": {Type: "Callback", URL: "https://hook:horse@app.example.com/sms", Method: "JSON"},
	} {
		f, _ := a.Get(number)
		f.ReceiveNotify = n
		a.Put(f)
	}
	const none = `{"email":null,"method":null,"type":"None","url":null}`
	r := a.start(t.Context(), t, nil)
	r.returns(t, source, attributes{"fonenumber": "3215550001"}, `{"active":true,"fonenumber":"3215550001","group":"odd",`+
		`"label":"Number Email","messaging_enabled":true,"receive_notify":`+none+`,"send_notify":`+none+`,`+
		`"type":"Email","url_method":null,"value":"ops@example.com"}`)
	r.returns(t, source, attributes{"fonenumber": "3215550002"}, `{"active":true,"fonenumber":"3215550002","group":"even",`+
		`"label":"Number URL","messaging_enabled":true,`+
		`"receive_notify":{"email":"ops@example.com","method":null,"type":"Email","url":null},"send_notify":`+none+`,`+
		`"type":"URL","url_method":"POST","value":"https://***@hooks.example.com/sms?msg={{msg}}"}`)
	r.returns(t, source, attributes{"fonenumber": "3215550004"}, `{"active":true,"fonenumber":"3215550004","group":"even",`+
		`"label":"Number None","messaging_enabled":true,`+
		`"receive_notify":{"email":null,"method":"JSON","type":"Callback","url":"https://***@app.example.com/sms"},"send_notify":`+none+`,`+
		`"type":"None","url_method":null,"value":null}`)
	r.returns(t, source, attributes{"fonenumber": "4075550000"}, `{"active":false,"fonenumber":"4075550000","group":null,`+
		`"label":null,"messaging_enabled":false,"receive_notify":`+none+`,"send_notify":`+none+`,"type":"None","url_method":null,"value":null}`)
	r.fails(t, source, attributes{"fonenumber": "3215559999"}, "FoneNumber Not Found in Account", `AttributeName("fonenumber")`)
}

// All lists of a run are one request. TestFiltersOfLists tests each filter.
func TestDataSourceFoneNumbers(t *testing.T) {
	t.Parallel()
	const source = "fractel_fonenumbers"
	a := newVariedAccount(t)
	r := a.start(t.Context(), t, nil)
	r.returns(t, source, attributes{}, `["3215550000","3215550001","3215550002","3215550003","3215550004"]`)
	r.returns(t, source, attributes{"label": "Number URL"}, `["3215550002"]`)
	r.returns(t, source, attributes{"area_code": "407"}, `[]`)
	r.returns(t, source, attributes{"group": "odd", "type": "Forward", "area_code": "321"}, `["3215550003"]`)
	r.fails(t, source, attributes{"type": "email"}, "Invalid Attribute Value Match", `"Email"`)
	r.fails(t, source, attributes{"area_code": "32"}, "Invalid Attribute Value Match", `such as "321"`)
	if a.count("list") != 1 || len(a.Requests()) != 2 {
		t.Errorf("the requests are %+v, want a login and a list", a.Requests())
	}
	a.reject("/fonenumbers", "403 No.")
	a.start(t.Context(), t, nil).fails(t, source, attributes{}, "Permission Denied by FoneStorm")
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
	r := a.start(t.Context(), t, nil)
	r.returns(t, several, attributes{}, `["21915233078","21915233079","21915233080","987123543678"]`)
	r.returns(t, several, attributes{"name": "Kitchen"}, `["21915233078","21915233079"]`)
	r.returns(t, several, attributes{"name": "Kitchen", "type": "App"},
		`{"21915233078":{"fonenumber":null,"id":"21915233078","name":"Kitchen","type":"App"}}`)
	r.returns(t, one, attributes{"name": "Front desk"},
		`{"fonenumber":"3215550000","id":"987123543678","name":"Front desk","type":"Polycom VVX 250"}`)
	r.returns(t, one, attributes{"id": "21915233080"}, `{"fonenumber":null,"id":"21915233080","name":null,"type":"App"}`)
	r.fails(t, one, attributes{"name": "kitchen"}, "Device Not Found", `has 0 devices with the name "kitchen", but exactly one is required.`,
		`listed: ["21915233078 Kitchen" "21915233079 Kitchen" "21915233080 " "987123543678 Front desk"].`)
	r.fails(t, one, attributes{"id": "1"}, "Device Not Found", `has 0 devices with the id "1"`)
	r.fails(t, one, attributes{"name": "Kitchen"}, "Device Not Found", `has 2 devices with the name "Kitchen"`, "Use the id of one of these",
		`listed: ["21915233078 Kitchen" "21915233079 Kitchen"].`)
	r.fails(t, one, attributes{"id": "1", "name": "Kitchen"}, "Invalid Attribute Combination", "only one) of [id,name]")
	r.fails(t, one, attributes{}, "Invalid Attribute Combination")
	if a.count("devices") != 1 || len(a.Requests()) != 2 {
		t.Errorf("the requests are %+v, want a login and a list", a.Requests())
	}
	a.reject("/devices", "403 The user is not allowed to list devices.")
	a.start(t.Context(), t, nil).fails(t, several, attributes{}, "Permission Denied by FoneStorm")
}
