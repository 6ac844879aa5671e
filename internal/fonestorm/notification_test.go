package fonestorm

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// notifies returns a response that shows a notification of anyNumber.
func notifies(option MessageOption, shown string) string {
	return `{"fonenumber":{"fonenumber":"` + anyNumber + `","sms_options":{"receive":{"type":"None"},"` + string(option) + `":` + shown + `}}}`
}

// A notification is sent as FracTEL's pages and live programs do: with its type, and with only the parameters of that type.
func TestSetNotificationSendsDocumentedParameters(t *testing.T) {
	t.Parallel()
	name, empty := "hook", ""
	const url = `{"fonenumber":"3215550000","method":"JSON","type":"Callback","url":"` + callback + `"%s}`
	shown := `{"type":"Callback","email":"","url":"` + callback + `","method":"JSON"}`
	for _, test := range []struct {
		set         Delivery
		sent, shown string
	}{
		{Delivery{Type: Callback, Value: callback, URLMethod: "JSON"}, fmt.Sprintf(url, ""), shown},
		{Delivery{Type: Callback, Value: callback, URLMethod: "JSON", URLUsername: &name, URLPassword: &empty}, fmt.Sprintf(url, `,"url_password":"","url_username":"hook"`), shown},
		{Delivery{Type: Email, Value: "ops@example.com"}, `{"email":"ops@example.com","fonenumber":"3215550000","type":"Email"}`, `{"type":"Email","email":"OPS@example.com","url":"https://stale.test"}`},
		{Delivery{Type: None}, `{"fonenumber":"3215550000","type":"None"}`, `{"type":"None","email":"stale@example.com"}`},
	} {
		for _, option := range []MessageOption{ReceiveNotify, SendNotify} {
			server := newScript(respondWith(200, notifies(option, test.shown)))
			result, err := newClient(t, server, withToken).Set(t.Context(), anyNumber, Setting{Option: option, Delivery: test.set})
			wantSuccess(t, err)
			got := result.Option(option)
			if !SameDestination(got, test.set) || got.URLMethod != test.set.URLMethod || result.Respelled {
				t.Errorf("got %+v, want %+v", got, test.set)
			}
			if call := fmt.Sprint(server.calls); call != "[POST /messages/"+string(option)+"]" && call != "[notify json]" || server.bodies[0] != test.sent {
				t.Errorf("the requests were %s with %s, want %s", server.calls, server.bodies, test.sent)
			}
		}
	}
}

// A response that shows the previous method is read again. A method that FoneStorm keeps showing is accepted, and reported.
func TestMethodOfNotification(t *testing.T) {
	t.Parallel()
	asGET, asJSON := notifies(ReceiveNotify, `{"type":"Callback","url":"https://x.test","method":"GET"}`), notifies(ReceiveNotify, `{"type":"Callback","url":"https://x.test","method":"json"}`)
	hidden := notifies(ReceiveNotify, `{"url":"https://x.test"}`)
	set := Setting{Option: ReceiveNotify, Delivery: Delivery{Type: Callback, Value: "https://x.test", URLMethod: "JSON"}}
	learned := set
	learned.Last, learned.LastShown = set.Delivery, Delivery{Type: Callback, Value: "https://x.test", URLMethod: "GET"}
	for name, test := range map[string]struct {
		set       Setting
		responses []string // To the read before, the setting, and reads.
		requests  int
		respelled bool
	}{
		"shown at once":       {set, []string{asGET, asJSON}, 2, false},
		"the response lags":   {set, []string{asGET, asGET, asGET, asJSON}, 4, false},
		"always another":      {set, []string{asGET}, 7, true},
		"never shown":         {set, []string{asGET, hidden}, 2, false},
		"another, as learned": {learned, []string{asGET}, 2, false},
	} {
		inBubble(t, name, func(t *testing.T) {
			server := newScript()
			for _, response := range test.responses {
				server.responses = append(server.responses, respondWith(200, response))
			}
			client := newClient(t, server, withToken)
			get(t, client, anyNumber)
			result, err := client.Set(t.Context(), anyNumber, test.set)
			wantSuccess(t, err)
			if result.Respelled != test.respelled || len(server.calls) != test.requests {
				t.Errorf("got %+v after %s", result, server.calls)
			}
		})
	}
}

// A response may show only the message option that was set. The others stay known as they were. A response without the option
// confirms nothing, not even type None.
func TestPartialResponses(t *testing.T) {
	t.Parallel()
	const only = `{"fonenumber":{"fonenumber":"` + anyNumber + `","sms_options":{%s}}}`
	off := `"receive_notify":{"type":"None"}`
	for name, test := range map[string]struct {
		response string
		calls    string
	}{
		"only the option": {fmt.Sprintf(only, off), "[get set json]"},
		"no option":       {fmt.Sprintf(only, ""), "[get set json get]"},
	} {
		inBubble(t, name, func(t *testing.T) {
			all := respondWith(http.StatusOK, fmt.Sprintf(only, `"receive":{"type":"email","email":"ops@example.com"},`+off))
			server := newScript(all, respondWith(http.StatusOK, test.response), all)
			client := newClient(t, server, withToken)
			get(t, client, anyNumber)
			_, err := client.Set(t.Context(), anyNumber, Setting{Option: ReceiveNotify, Delivery: Delivery{Type: None}})
			wantSuccess(t, err)
			if f := get(t, client, anyNumber); f.Delivery == nil || f.Delivery.Value != "ops@example.com" {
				t.Errorf("the delivery is %+v", f.Delivery)
			}
			if got := strings.ReplaceAll(fmt.Sprint(server.calls), "notify json", "set json"); got != test.calls {
				t.Errorf("the requests are %s, want %s", got, test.calls)
			}
		})
	}
}
