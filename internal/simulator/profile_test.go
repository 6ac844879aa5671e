package simulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestBuiltInProfilesAreComplete(t *testing.T) {
	t.Parallel()
	profiles := Profiles()
	for _, name := range []string{"live", "2.1", "2.4", "2.12"} {
		profile, ok := profiles[name]
		if !ok {
			t.Fatalf("there is no profile %s", name)
		}
		if complete, err := profile.complete(); err != nil || !reflect.DeepEqual(complete, profile) {
			t.Errorf("%s is not complete: %v", name, err)
		}
		for _, s := range profileSettings(&profile) {
			if s.get() == "" {
				t.Errorf("%s has no %s", name, s.Name)
			}
		}
	}
	if zero, _ := (Profile{}).complete(); !reflect.DeepEqual(zero, profiles["live"]) {
		t.Errorf("the zero profile is %+v, want that of the live service", zero)
	}
}

// Every field of a Profile can be set by name, as the simulator's flags do, and encoded as JSON and decoded again.
func TestEverySettingIsInTheTable(t *testing.T) {
	t.Parallel()
	var named []string
	for field := range reflect.TypeFor[Profile]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		named = append(named, name)
	}
	if got := settingNames(); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(named))) {
		t.Errorf("the settings are %q, the fields %q", got, named)
	}
	for _, setting := range Settings() {
		values := setting.Values
		if setting.Name == "list_latency" {
			values = []string{"2m0s"}
		}
		for _, value := range values {
			var profile, read Profile
			if err := profile.Set(setting.Name, value); err != nil {
				t.Errorf("%s %s: %v", setting.Name, value, err)
			}
			data, err := json.Marshal(profile)
			if err != nil || !strings.Contains(string(data), value) {
				t.Errorf("%s %s became %s, %v", setting.Name, value, data, err)
			}
			if err := json.Unmarshal(data, &read); err != nil {
				t.Errorf("%s: %v", data, err)
			}
			if complete, _ := profile.complete(); !reflect.DeepEqual(read, complete) {
				t.Errorf("%s was read as %+v", data, read)
			}
		}
	}
}

func TestSetRejectsUnknownSettings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, value string
		words       []string
	}{
		{"color", "red", []string{`"color"`, "login_body", "respellings"}},
		{"login_body", "xml", []string{"login_body", `"xml"`, "json, form, both"}},
		{"login_status", "404", []string{"login_status", `"404"`, "401, 400, 403"}},
		{"login_status", "", []string{"login_status", `""`}},
		{"list_latency", "soon", []string{"soon"}},
		{"list_latency", "-1s", []string{"negative"}},
		{"respellings", "device-number,shouting", []string{`"shouting"`, "email-upper-case"}},
	} {
		err := new(Profile).Set(test.name, test.value)
		for _, word := range test.words {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%s %s: the error does not say %s: %v", test.name, test.value, word, err)
			}
		}
	}
}

func TestLoadProfile(t *testing.T) {
	t.Parallel()
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "profile.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if got, err := LoadProfile("2.4"); err != nil || !reflect.DeepEqual(got, Profiles()["2.4"]) {
		t.Errorf("2.4 is %+v, %v", got, err)
	}
	want, _ := Profile{Types: "upper", ListStatus: 422, ListLatency: Duration(time.Minute), Respellings: []string{"device-number"}}.complete()
	path := file(`{"types": "upper", "list_status": 422, "list_latency": "1m", "respellings": ["device-number"]}`)
	if got, err := LoadProfile(path); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the file gives %+v, %v; want %+v", got, err, want)
	}
	if got, err := LoadProfile(file(`{"results": [], "profile": {"types": "upper"}}`)); err != nil || got.Types != "upper" {
		t.Errorf("the report gives %+v, %v", got, err)
	}
	for name, words := range map[string][]string{
		"3.0":                                    {`"3.0"`, "2.1, 2.12, 2.4, live", "JSON file"},
		t.TempDir():                              {"directory"},
		file(`{"types": "upper"`):                {"profile.json", "JSON"},
		file(`{"type": "upper"}`):                {`"type"`, "login_body", "types"},
		file(`{"types": "title"}`):               {"types", `"title"`, "padded"},
		file(`{"list_status": 500}`):             {"list_status", `"500"`, "404"},
		file(`{"list_status": "404"}`):           {"list_status"},
		file(`{"profile": {"types": "title"}}`):  {"types", `"title"`, "padded"},
		file(`{"list_latency": "-1s"}`):          {"negative"},
		file(`{"respellings": ["shouting"]}`):    {`"shouting"`, "email-upper-case"},
		file(`{"types": "upper"} {"types": ""}`): {"profile.json", "after"},
	} {
		_, err := LoadProfile(name)
		for _, word := range words {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error does not say %s: %v", name, word, err)
			}
		}
	}
}

// A body of the wrong kind is rejected before it is read. It does not violate the contract, because the client may not know.
func TestKindsOfBodies(t *testing.T) {
	t.Parallel()
	set := map[string]string{
		formBody: "fonenumber=3215550000&type=Device&value=1&url_method=POST",
		jsonBody: `{"fonenumber":"3215550000","type":"Device","value":"1","url_method":"POST"}`,
	}
	logIn := map[string]string{
		formBody: "username=demo&password=demo-password&expires=60",
		jsonBody: `{"username":"demo","password":"demo-password","expires":60}`,
	}
	for _, logins := range []string{"json", "form", "both"} {
		for _, settings := range []string{"json", "form", "both"} {
			for _, status := range []int{400, 415, 422} {
				t.Run(fmt.Sprintf("%s %s %d", logins, settings, status), func(t *testing.T) {
					t.Parallel()
					sim := newSimulator(t, Options{
						FoneNumbers: 1, Profile: Profile{LoginBody: logins, SettingBody: settings, BodyStatus: status},
					})
					for contentType, kind := range map[string]string{formBody: "form", jsonBody: "json"} {
						w := ask(t, sim, http.MethodPost, "/auth", "", contentType+"; charset=utf-8", logIn[contentType])
						wantBody(t, w, logins == "both" || logins == kind, http.StatusCreated, status, "username is required")
						sim.Put(FoneNumber{Number: number})
						w = ask(t, sim, http.MethodPost, "/messages/receive", anyToken(sim), contentType, set[contentType])
						accepted := settings == "both" || settings == kind
						wantBody(t, w, accepted, http.StatusOK, status, "fonenumber is required")
						if f, _ := sim.Get(number); (f.Receive.Type == "Device") != accepted {
							t.Errorf("after a body of kind %s the account has %+v", kind, f.Receive)
						}
						w = ask(t, sim, http.MethodPost, "/messages/receive", "wrong", contentType, set[contentType])
						wantEnvelope(t, w, http.StatusUnauthorized, "token")
					}
					wantViolations(t, sim, 0)
				})
			}
		}
	}
}

func wantBody(t *testing.T, w interface {
	Result() *http.Response
}, accepted bool, success, rejection int, message string,
) {
	t.Helper()
	response := w.Result()
	defer response.Body.Close()
	if accepted {
		if response.StatusCode != success {
			t.Errorf("the status is %d, want %d", response.StatusCode, success)
		}
		return
	}
	if rejection == http.StatusUnsupportedMediaType {
		message = "The content type is not supported."
	}
	var envelope map[string]any
	_ = json.NewDecoder(response.Body).Decode(&envelope)
	if response.StatusCode != rejection || envelope["message"] != message || envelope["status_code"] != float64(rejection) {
		t.Errorf("the response is %d %v, want %d %s", response.StatusCode, envelope, rejection, message)
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	profile := Profile{LoginStatus: 403, ValidationStatus: 422, EmptyCredentials: "refused"}
	sim := newSimulator(t, Options{FoneNumbers: 1, Profile: profile})
	token := anyToken(sim)
	wantEnvelope(t, ask(t, sim, "POST", "/auth", "", jsonBody, `{"username":"demo","password":"x"}`), 403, "password")
	set := func(kind, value, credentials string) string {
		return fmt.Sprintf(`{"fonenumber":%q,"type":%q,"value":%q,"url_method":"POST"%s}`, number, kind, value, credentials)
	}
	for _, credentials := range []string{`,"url_username":""`, `,"url_username":"alice","url_password":""`} {
		w := ask(t, sim, "POST", "/messages/receive", token, jsonBody, set("URL", "https://x.test", credentials))
		wantEnvelope(t, w, 422, "must not be empty")
	}
	wantViolations(t, sim, 0)
	wantEnvelope(t, ask(t, sim, "POST", "/messages/receive", token, jsonBody, set("Email", "nobody", "")), 422, "Email")
	wantEnvelope(t, ask(t, sim, "POST", "/messages/receive", token, jsonBody, set("Pager", "1", "")), 422, "type")
	wantEnvelope(t, ask(t, sim, "POST", "/subaccounts/token", token, jsonBody, `{}`), 400, "subaccount")
	wantViolations(t, sim, 3)
	if f, _ := sim.Get(number); f.Receive != (Receive{Type: "None"}) {
		t.Errorf("the account has %+v", f.Receive)
	}
	w := ask(t, sim, "POST", "/messages/receive", token, jsonBody, set("URL", "https://x.test", `,"url_username":"a","url_password":"b"`))
	decoded(t, w, http.StatusOK)
}

func TestStatusOfTheRateLimit(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 400, 410} {
		sim := newSimulator(t, Options{RateLimit: 1, Profile: Profile{RateLimitStatus: status}})
		decoded(t, get(t, sim, "/fonenumbers", anyToken(sim)), http.StatusOK)
		wantEnvelope(t, get(t, sim, "/fonenumbers", anyToken(sim)), status, "Rate Limit Exceeded")
	}
}

// payload returns the payload of a JWT; nil if the token is not a JWT.
func payload(token string) map[string]any {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	data, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var payload map[string]any
	_ = json.Unmarshal(data, &payload)
	return payload
}

func TestTokensNameTheAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, Options{Account: "4075550001"})
		for expires, lasts := range map[string]time.Duration{"": time.Hour, `,"expires":60`: time.Minute, `,"expires":86400`: 24 * time.Hour} {
			w := ask(t, sim, "POST", "/auth", "", jsonBody, `{"username":"demo","password":"demo-password"`+expires+`}`)
			token := tokenOf(t, "auth", decoded(t, w, http.StatusCreated))
			got := payload(token)
			now := time.Now().Unix()
			portal, _ := got["portal"].(map[string]any)
			if !reflect.DeepEqual(got["account"], map[string]any{"id": "4075550001"}) || portal["token"] == "" ||
				got["iat"] != float64(now) || got["exp"] != float64(now)+lasts.Seconds() {
				t.Errorf("with %q the token contains %v", expires, got)
			}
			time.Sleep(lasts - time.Nanosecond)
			decoded(t, get(t, sim, "/fonenumbers", token), http.StatusOK)
			time.Sleep(time.Nanosecond)
			wantEnvelope(t, get(t, sim, "/fonenumbers", token), http.StatusUnauthorized)
		}
		wantViolations(t, sim, 0)
	})
}

func TestOpaqueTokensThatAreInvalidated(t *testing.T) {
	t.Parallel()
	for _, earlier := range []string{"kept", "ended"} {
		sim := newSimulator(t, Options{Subaccounts: []string{"2000000002"}, Profile: Profile{Token: "opaque", EarlierTokens: earlier}})
		logIn := func() string {
			return tokenOf(t, "auth", decoded(t, post(t, sim, "/auth", "", rightLogin), http.StatusCreated))
		}
		first := logIn()
		if payload(first) != nil {
			t.Errorf("the token %s has a payload", first)
		}
		subaccount := subaccountToken(t, sim, first, "2000000002")
		second := logIn()
		status := map[string]int{"kept": http.StatusOK, "ended": http.StatusUnauthorized}[earlier]
		decoded(t, get(t, sim, "/fonenumbers", first), status)
		decoded(t, get(t, sim, "/fonenumbers", subaccount), http.StatusOK)
		decoded(t, get(t, sim, "/fonenumbers", second), http.StatusOK)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	const strings, objects, withInactive = "strings", "objects", "objects with inactive"
	tests := map[string]struct {
		profile               Profile
		plain, numbers, whole any // The form of the list, or the status of the error.
	}{
		"all":                   {Profile{}, strings, strings, objects},
		"strings":               {Profile{List: "strings"}, strings, strings, strings},
		"objects with inactive": {Profile{List: "objects-with-inactive"}, withInactive, withInactive, withInactive},
		"refused":               {Profile{List: "refused"}, strings, strings, 400},
		"rejected with 404":     {Profile{List: "refused", ListStatus: 404}, strings, strings, 404},
		"rejected with 422":     {Profile{List: "refused", ListStatus: 422}, strings, strings, 422},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(t, Options{FoneNumbers: 1, Profile: test.profile})
			sim.Put(FoneNumber{Number: "3215550007", Active: "no"})
			sim.Put(FoneNumber{Number: "3215550008", Active: "cancel"})
			for query, want := range map[string]any{"": test.plain, "?filter=fonenumbers": test.numbers, "?filter=all": test.whole} {
				w := get(t, sim, "/fonenumbers"+query, anyToken(sim))
				if status, refused := want.(int); refused {
					wantEnvelope(t, w, status)
					continue
				}
				list, _ := decoded(t, w, http.StatusOK)["fonenumbers"].([]any)
				_, isObject := list[0].(map[string]any)
				got := map[bool]string{false: strings, true: objects}[isObject]
				if len(list) == 3 {
					got += " with inactive"
				}
				if got != want {
					t.Errorf("%s gives %s, want %s", query, got, want)
				}
			}
			wantViolations(t, sim, 0)
		})
	}
}

func TestListLatency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, Options{FoneNumbers: 1, Latency: time.Second, Profile: Profile{ListLatency: Duration(time.Minute)}})
		token := anyToken(sim)
		for path, want := range map[string]time.Duration{"?filter=all": time.Minute + time.Second, "": time.Minute + time.Second, "/" + number: time.Second} {
			begun := time.Now()
			decoded(t, get(t, sim, "/fonenumbers"+path, token), http.StatusOK)
			if took := time.Since(begun); took != want {
				t.Errorf("%s took %s, want %s", path, took, want)
			}
		}
	})
}

func TestOddEntries(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{"null": "null", "number": "42", "object": `{"label":"Odd"}`} {
		sim := newSimulator(t, Options{FoneNumbers: 1, Profile: Profile{ListEntry: kind}})
		token := anyToken(sim)
		if got, want := get(t, sim, "/fonenumbers", token).Body.String(), `{"fonenumbers":[`+want+`,"3215550000"]}`; got != want {
			t.Errorf("with %s the list is %s, want %s", kind, got, want)
		}
		list, _ := decoded(t, get(t, sim, "/fonenumbers?filter=all", token), http.StatusOK)["fonenumbers"].([]any)
		if len(list) != 2 {
			t.Errorf("with %s the list is %v", kind, list)
		}
		decoded(t, get(t, sim, "/fonenumbers/"+number, token), http.StatusOK)
		decoded(t, get(t, sim, "/devices", token), http.StatusOK)
		wantViolations(t, sim, 0)
	}
}

// A FoneNumber whose delivery was never set shows that until a delivery, even None, is set.
func TestUnsetDelivery(t *testing.T) {
	t.Parallel()
	all := func(value any) map[string]any {
		return map[string]any{"type": value, "device": value, "email": value, "url": value, "url_method": value, "forward": value}
	}
	none := map[string]any{"type": "None", "device": "", "email": nil, "url": nil, "url_method": nil, "forward": ""}
	for setting, want := range map[string]map[string]any{"none": none, "empty": all(""), "null": all(nil), "missing": nil} {
		sim := newSimulator(t, Options{FoneNumbers: 1, Profile: Profile{UnsetDelivery: setting}})
		token := anyToken(sim)
		show := func() map[string]any {
			return receiveOf(decoded(t, get(t, sim, "/fonenumbers/"+number, token), http.StatusOK))
		}
		if got := show(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s shows %v, want %v", setting, got, want)
		}
		f, _ := sim.Get(number)
		f.Label = "renamed"
		sim.Put(f)
		if got := show(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s shows %v after the label has changed, want %v", setting, got, want)
		}
		ask(t, sim, "POST", "/messages/receive", token, jsonBody, `{"fonenumber":"3215550000","type":"None","value":"None","url_method":"POST"}`)
		if got := show(); !reflect.DeepEqual(got, none) {
			t.Errorf("%s shows %v after None was set", setting, got)
		}
		wantViolations(t, sim, 0)
	}
}

func TestMethodOfCallbackURLs(t *testing.T) {
	t.Parallel()
	tests := map[string][3]any{ // After a URL was set; set by hand with GET; never set.
		"kept": {"POST", "GET", nil}, "POST": {"POST", "POST", nil}, "JSON": {"JSON", "JSON", nil}, "GET": {"GET", "GET", nil},
		"empty": {"", "", nil}, "null": {nil, nil, nil},
	}
	for setting, want := range tests {
		sim := newSimulator(t, Options{FoneNumbers: 3, Profile: Profile{URLMethod: setting}})
		token := anyToken(sim)
		ask(t, sim, "POST", "/messages/receive", token, jsonBody, `{"fonenumber":"3215550000","type":"URL","value":"https://x.test","url_method":"POST"}`)
		sim.Put(FoneNumber{Number: "3215550001", Receive: Receive{Type: "URL", URL: "https://x.test", URLMethod: "GET"}})
		for i := range want {
			response := decoded(t, get(t, sim, fmt.Sprint("/fonenumbers/", 3215550000+i), token), http.StatusOK)
			if got := receiveOf(response)["url_method"]; got != want[i] {
				t.Errorf("%s shows %v of number %d, want %v", setting, got, i, want[i])
			}
		}
		wantViolations(t, sim, 0)
	}
}

// Real accounts contain deliveries that Set Delivery Service does not accept.
func TestPutAcceptsAnything(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{})
	odd := FoneNumber{
		Number: number, Active: "perhaps",
		Receive: Receive{Type: "Fax", Device: "sip", Email: "a@x.test, b@x.test", URL: "ftp://a:b@x", URLMethod: "PATCH", Forward: "+13215551111"},
	}
	sim.Put(odd)
	token := anyToken(sim)
	want := map[string]any{
		"type": "fax", "device": "sip", "email": "a@x.test, b@x.test", "url": "ftp://a:b@x", "url_method": "PATCH", "forward": "+13215551111",
	}
	if got := receiveOf(decoded(t, get(t, sim, "/fonenumbers/"+number, token), http.StatusOK)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	decoded(t, get(t, sim, "/fonenumbers?filter=all", token), http.StatusOK)
	wantViolations(t, sim, 0)
}
