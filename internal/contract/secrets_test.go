package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// mark is part of every secret and all personal data of the account in these tests. Its digits are part of every number.
const (
	mark       = "S3cr3t"
	markDigits = "407555"
)

func markedAccount(t *testing.T, profile simulator.Profile) *simulator.Simulator {
	t.Helper()
	sim, err := simulator.New(simulator.Options{
		Username: "user-" + mark, Password: "password-" + mark, Account: markDigits + "0000", RateLimit: 10, Profile: profile,
		Subaccounts: []string{markDigits + "9999"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, receive := range []simulator.Receive{
		{Type: "Email", Email: mark + "@" + mark + ".example"},
		{Type: "URL", URL: "https://" + mark + ".example/?key=" + mark + "&msg={{msg}}", URLMethod: mark, URLUsername: mark, URLPassword: mark},
		{Type: "Forward", Forward: markDigits + "1111"},
		{Type: "Device", Device: markDigits + "22222"},
		{},
		{Type: mark, Email: mark},
	} {
		sim.Put(simulator.FoneNumber{
			Number: fmt.Sprint(markDigits, 3330+i), Label: "label " + mark, Group: mark, Receive: receive,
			ReceiveNotify: simulator.Notify{Type: "Callback", URL: "https://" + mark + ".example", Email: mark, Method: mark},
		})
	}
	sim.PutDevice(simulator.Device{ID: markDigits + "22222", Name: mark, Type: mark, FoneNumber: markDigits + "3330"})
	return sim
}

// marking adds marks in unexpected places: headers, error messages, unknown members and their names, and bodies that are not JSON.
func marking(sim *simulator.Simulator, mangle func(body string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response := httptest.NewRecorder()
		sim.ServeHTTP(response, r)
		for _, name := range []string{"Content-Type", "Set-Cookie", "Server", "X-" + mark, "Retry-After", "Location"} {
			w.Header().Set(name, mark)
		}
		w.WriteHeader(response.Code)
		_, _ = w.Write([]byte(mangle(response.Body.String())))
	})
}

func TestReportContainsNoSecrets(t *testing.T) {
	t.Parallel()
	member := fmt.Sprintf(`"%s":{"%s%s":"%s","list":["%s",%s12345]},`, mark, mark, markDigits, mark, mark, markDigits)
	mangles := map[string]func(string) string{
		"unknown members": func(body string) string { return strings.ReplaceAll(body, "{", "{"+member) },
		"messages": func(body string) string {
			return strings.NewReplacer(`"message":"`, `"message":"`+mark+" ", `"error":"`, `"error":"`+mark+" ").Replace(body)
		},
		"values": func(body string) string {
			return strings.NewReplacer(`"type":"`, `"type":"`+mark, `"is_active":"`, `"is_active":"`+mark, `"url_method":"`, `"url_method":"`+mark,
				`null`, `"`+mark+`"`, `"id":"`, `"id":"`+mark, `""`, `"`+mark+`"`).Replace(body)
		},
		"returned credentials": func(body string) string {
			return strings.ReplaceAll(body, `"url":"`, fmt.Sprintf(`"url_username":"%s","url_password":"%s","url":"`, mark, mark))
		},
		"no JSON": func(body string) string {
			if strings.Contains(body, "token") {
				return body
			}
			return "<html>" + mark + body
		},
		"text":     func(body string) string { return body + mark },
		"as it is": func(body string) string { return body },
	}
	runs := 0
	for name, profile := range profiles(t) {
		for how, mangle := range mangles {
			for _, change := range []string{"", markDigits + "3330", markDigits + "3332", markDigits + "3334"} {
				synctest.Test(t, func(t *testing.T) {
					config := config(marking(markedAccount(t, profile), mangle))
					config.Username, config.Password, config.FoneNumber = "user-"+mark, "password-"+mark, change
					report, err := Run(t.Context(), config)
					what := fmt.Sprintf("%s, %s, %s", name, how, change)
					if report == nil {
						if change == "" {
							t.Errorf("%s: there is no report: %v", what, err)
						}
						return
					}
					runs++
					data, _ := json.Marshal(report)
					for _, secret := range []string{mark, markDigits} {
						if at := strings.Index(strings.ToLower(string(data)), strings.ToLower(secret)); at >= 0 {
							t.Errorf("%s: the report contains %s", what, data[max(0, at-100):min(len(data), at+50)])
						}
					}
				})
			}
		}
	}
	if runs < len(mangles)*len(simulator.Profiles())*2 {
		t.Errorf("only %d runs had a report", runs)
	}
}

// The forms are useful.
func TestForms(t *testing.T) {
	t.Parallel()
	for value, want := range map[any]string{
		nil: "null", true: "true", "": "empty", "yes": "yes", "YES": "YES", json.Number("42"): "number of 2 characters",
		"3215550000": "10 digits", "+13215550000": "+ and 11 digits", " 3215550000 ": "10 digits, blanks around it",
		"(321) 555-0000": "digits with punctuation", "ops@example.com": "e-mail address, lower case", "Ops@example.com": "e-mail address, mixed case",
		"https://x.test/?m={{msg}}":         "URL, tokens in braces",
		"https://x.test/?m=%7b%7bmsg%7D%7D": "URL, braces percent-encoded", "https://x.test/?a&amp;b": "URL, ampersands as entities",
		"Front desk": "text", "e30.e30.x": "JWT",
	} {
		if got := form(value); got != want {
			t.Errorf("%v has the form %q, want %q", value, got, want)
		}
	}
	body := map[string]any{"fonenumbers": []any{"3215550000", "3215550001", map[string]any{"fonenumber": "3215550002", "name-of-mine": "x"}}}
	if got, want := asJSON(shape(body)), `{"fonenumbers":["10 digits",{"(other members)":1,"fonenumber":"10 digits"}]}`; got != want {
		t.Errorf("the form is %s, want %s", got, want)
	}
}
