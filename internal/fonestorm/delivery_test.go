package fonestorm

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const callback = "https://callback.test/handler.php?msg={{msg}}&from={{from}}"

// one has a delivery of each type, as it is set and as it is read.
func oneOfEach() map[DeliveryType]Delivery {
	return map[DeliveryType]Delivery{
		Device:  {Type: Device, Value: "987123543678"},
		Email:   {Type: Email, Value: "ops+sms@example.com"},
		URL:     {Type: URL, Value: callback, URLMethod: URLMethodPOST},
		Forward: {Type: Forward, Value: "3215551111"},
		None:    {Type: None},
	}
}

func TestSetDeliverySendsDocumentedParameters(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(DeliveryTypes()); got != "[Device Email URL Forward None]" || len(oneOfEach()) != len(DeliveryTypes()) {
		t.Errorf("the types are %s", got)
	}
	for kind, delivery := range oneOfEach() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
			client := newTestClient(t, sim)
			set := delivery
			set.URLMethod = "" // The caller cannot choose it.
			f, err := client.SetDelivery(t.Context(), anyNumber, set)
			wantSuccess(t, err)
			want := SetResult{FoneNumber: FoneNumber{Number: anyNumber, Label: "Number 0", Status: Active, Delivery: &delivery}}
			want.ReceiveNotify.Type = NotifyNone
			if kind == URL {
				want.CallbackURL = callback
			}
			if !reflect.DeepEqual(f, want) {
				t.Errorf("got %+v with %+v, want %+v with %+v", f, f.Delivery, want, want.Delivery)
			}
			wantRequests(t, sim, map[string]int{"login": 1, "set": 1})

			value := delivery.Value
			if kind == None {
				value = "None"
			}
			sent := sim.Requests()[1]
			form := url.Values{"fonenumber": {anyNumber}, "type": {string(kind)}, "value": {value}, "url_method": {"POST"}}
			if !reflect.DeepEqual(sent.Form, form) {
				t.Errorf("the parameters are %v, want %v", sent.Form, form)
			}
			if got := sent.Header.Get("Content-Type"); got != "application/json" {
				t.Errorf("the parameters are sent as %s", got)
			}
			account, _ := sim.Get(anyNumber)
			if account.Receive.Type != string(kind) || account.Receive.Value() != delivery.Value {
				t.Errorf("the account has %+v", account.Receive)
			}
		})
	}
}

// Credentials that are not sent stay unchanged. Empty ones are removed.
func TestSetDeliverySendsCredentials(t *testing.T) {
	t.Parallel()
	name, password, empty := "user:ü", "p&ss=w%rd +", ""
	tests := map[string]struct {
		name, password         *string
		wantName, wantPassword string // In the account afterwards; both were "before".
	}{
		"not sent":      {nil, nil, "before", "before"},
		"both":          {&name, &password, name, password},
		"only the name": {&name, nil, name, "before"},
		"removed":       {&empty, &empty, "", ""},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(t, simulator.Options{})
			sim.Put(simulator.FoneNumber{Number: anyNumber, Receive: simulator.Receive{
				Type: "URL", URL: "https://callback.test/old", URLUsername: "before", URLPassword: "before",
			}})
			client := newTestClient(t, sim)
			_, err := client.SetDelivery(t.Context(), anyNumber, Delivery{
				Type: URL, Value: callback, URLUsername: test.name, URLPassword: test.password,
			})
			wantSuccess(t, err)

			form := url.Values{"fonenumber": {anyNumber}, "type": {"URL"}, "value": {callback}, "url_method": {"POST"}}
			if test.name != nil {
				form.Set("url_username", *test.name)
			}
			if test.password != nil {
				form.Set("url_password", *test.password)
			}
			if sent := sim.Requests()[1].Form; !reflect.DeepEqual(sent, form) {
				t.Errorf("the parameters are %v, want %v", sent, form)
			}
			f, _ := sim.Get(anyNumber)
			if f.Receive.URLUsername != test.wantName || f.Receive.URLPassword != test.wantPassword {
				t.Errorf("the account has %+v", f.Receive)
			}
		})
	}
}

// A delivery is read as it was set, whichever form and spelling the response has, and without an extra read.
func TestSetDeliveryReadsEveryForm(t *testing.T) {
	t.Parallel()
	for name, dialect := range simulator.Dialects {
		inBubble(t, name, func(t *testing.T) { wantEveryTypeSet(t, dialect) })
	}
}

// spellable contains a destination of each type that every respelling changes.
var spellable = []Delivery{
	{Type: Device, Value: "987123543678"},
	{Type: Email, Value: "Ops+sms@Example.com"},
	{Type: URL, Value: "https://Callback.test?msg={{msg}}&from={{from}}&a-b_c~d"},
	{Type: URL, Value: callback},
	{Type: Forward, Value: "3215551111"},
	{Type: None},
}

func wantEveryTypeSet(t *testing.T, dialect simulator.Dialect) {
	t.Helper()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1, Dialect: dialect})
	client := newBubbleClient(t, sim)
	if f := get(t, client, anyNumber); f.Delivery.Type != None || f.Status != Active {
		t.Errorf("before it is set it reads as %+v with %+v", f, f.Delivery)
	}
	for _, want := range spellable {
		f, err := client.SetDelivery(t.Context(), anyNumber, want)
		wantSuccess(t, err)
		fresh := newBubbleClient(t, sim)
		read := get(t, fresh, anyNumber)
		list, err := fresh.ListFoneNumbers(t.Context())
		wantSuccess(t, err)
		for _, shown := range append(list, f.FoneNumber, read) {
			if shown.Number != anyNumber || shown.Status != Active || !SameDestination(*shown.Delivery, want) || !SameDestination(shown.Delivery.Normalized(), want) {
				t.Errorf("%+v is shown as %+v with %+v", want, shown, shown.Delivery)
			}
		}
	}
	for kind, most := range map[string]int{"set": len(spellable) + 1, "login": 2 * (len(spellable) + 1)} { // Including one to detect the encoding.
		if n := len(arrivals(sim, kind)); n > most {
			t.Errorf("there were %d requests to %s, want at most %d", n, kind, most)
		}
	}
}

// After a response without the delivery, or with the previous one, the FoneNumber is read once.
func TestSetDeliveryReadsBack(t *testing.T) {
	t.Parallel()
	want := forwardTo("3215551111")
	stale := respondWith(http.StatusOK, receiving(`{"type":"email","email":"a@b.c"}`))
	for name, response := range map[string]http.HandlerFunc{
		"only a success":  respondWith(http.StatusOK, `{"status_code":200,"result":"SUCCESS"}`),
		"success below":   respondWith(http.StatusOK, `{"data":{"result":"ok"}}`),
		"empty":           respondWith(http.StatusOK, " \n"),
		"204":             func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"without receive": respondWith(http.StatusOK, `{"fonenumber":{"fonenumber":"`+anyNumber+`"}}`),
		"before":          stale,
	} {
		inBubble(t, name, func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{response, respondWith(http.StatusOK, receiving(`{"type":"forward","forward":"3215551111"}`))}}
			client := newBubbleClient(t, server, withToken)
			f, err := client.SetDelivery(t.Context(), anyNumber, want)
			wantSuccess(t, err)
			if !reflect.DeepEqual(f.Delivery, &want) || len(server.arrived) != 2 {
				t.Errorf("after %d requests it is %+v", len(server.arrived), f.Delivery)
			}
			get(t, client, anyNumber) // No request: the FoneNumber is known.
			if len(server.arrived) != 2 {
				t.Errorf("there were %d requests", len(server.arrived))
			}

			server = &script{responses: []http.HandlerFunc{response, stale}}
			f, err = newBubbleClient(t, server, withToken).SetDelivery(t.Context(), anyNumber, want)
			wantKind(t, err, OtherDestination)
			wantWords(t, err, `destination of type "Forward"`, `still shows Email "a@b.c"`, "set the delivery of FoneNumber "+anyNumber)
			if !MayHaveTakenEffect(err) || len(server.arrived) != 2 || f.Delivery == nil || f.Delivery.Type != Email {
				t.Errorf("after %d requests it shows %+v, uncertain: %t", len(server.arrived), f.Delivery, MayHaveTakenEffect(err))
			}

			server = &script{responses: []http.HandlerFunc{response, rejectWith(http.StatusForbidden, "no", "")}}
			_, err = newBubbleClient(t, server, withToken).SetDelivery(t.Context(), anyNumber, want)
			wantKind(t, err, PermissionDenied)
			if !MayHaveTakenEffect(err) {
				t.Error("the setting was accepted, but the error is certain")
			}
		})
	}
}

// A 404 in response to a setting is not trusted if the FoneNumber can still be read.
func TestNotFoundForASettingIsConfirmed(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
	client := newTestClient(t, sim)
	err := set(t.Context(), client, "3215559999", Delivery{Type: None})
	wantKind(t, err, NotFound)
	wantWords(t, err, "set the delivery of FoneNumber 3215559999", "The FoneNumber was not found.")
	wantRequests(t, sim, map[string]int{"login": 1, "set": 1, "get": 1, "list": 1}) // Reading confirms that it is gone.
	injectInto(sim, "set", simulator.NotFound)
	_, err = client.SetDelivery(t.Context(), anyNumber, Delivery{Type: None})
	wantKind(t, err, UnexpectedResponse)
	wantWords(t, err, "The FoneNumber was not found.", "Reading the FoneNumber does not confirm that")
}

// A failed setting may have taken effect, unless every attempt was rejected or never sent.
func TestMayHaveTakenEffect(t *testing.T) {
	t.Parallel()
	refused, expired := rejectWith(http.StatusUnprocessableEntity, "no such device", ""), rejectWith(http.StatusUnauthorized, "expired", "")
	limited, failing := rejectWith(http.StatusGone, "Rate Limit Exceeded", ""), rejectWith(http.StatusBadGateway, "later", "")
	for name, test := range map[string]struct {
		responses []http.HandlerFunc
		want      bool
	}{
		"rejected":                        {[]http.HandlerFunc{acceptLogin, refused}, false},
		"limited each time":               {[]http.HandlerFunc{acceptLogin, limited}, false},
		"token rejected, login, rejected": {[]http.HandlerFunc{acceptLogin, expired, acceptLogin, refused}, false},
		"token rejected, login rejected":  {[]http.HandlerFunc{acceptLogin, expired}, false},
		"login fails":                     {[]http.HandlerFunc{failing}, false},
		"fails":                           {[]http.HandlerFunc{acceptLogin, failing}, true},
		"times out":                       {[]http.HandlerFunc{acceptLogin, rejectWith(http.StatusRequestTimeout, "too slow", "")}, true},
		"fails, rejected":                 {[]http.HandlerFunc{acceptLogin, failing, refused}, true},
		"lost":                            {[]http.HandlerFunc{acceptLogin, loseResponse}, true},
		"lost, rejected":                  {[]http.HandlerFunc{acceptLogin, loseResponse, refused}, true},
		"no response, rejected":           {[]http.HandlerFunc{acceptLogin, neverRespond, refused}, true},
		"fails, token, login, rejected":   {[]http.HandlerFunc{acceptLogin, failing, expired, acceptLogin, refused}, true},
		"fails, token, login rejected":    {[]http.HandlerFunc{acceptLogin, failing, expired}, true},
		"not JSON":                        {[]http.HandlerFunc{acceptLogin, respondWith(http.StatusOK, "thank you").ServeHTTP}, true},
		"about another":                   {[]http.HandlerFunc{acceptLogin, respondWith(http.StatusOK, `{"fonenumber":{"fonenumber":"3215559999"}}`)}, true},
		"success and error":               {[]http.HandlerFunc{acceptLogin, respondWith(http.StatusOK, `{"error":"Gone Fishing"}`)}, true},
		"other destination":               {[]http.HandlerFunc{acceptLogin, respondWith(http.StatusOK, receiving(`{"type":"None"}`)).ServeHTTP}, true},
		"set, then not read": {
			[]http.HandlerFunc{acceptLogin, respondWith(http.StatusOK, `{"result":"SUCCESS"}`).ServeHTTP, rejectWith(http.StatusNotFound, "", "")}, true,
		},
	} {
		inBubble(t, name, func(t *testing.T) {
			client := newBubbleClient(t, &script{responses: test.responses}, func(c *Config) { c.MaxRetries = 4 })
			_, err := client.SetDelivery(t.Context(), anyNumber, Delivery{Type: Email, Value: "ops@example.com"})
			if err == nil {
				t.Fatal("there is no error")
			}
			if got := MayHaveTakenEffect(err); got != test.want {
				t.Errorf("%t, want %t: %v", got, test.want, err)
			}
		})
	}
	inBubble(t, "without a connection", func(t *testing.T) {
		client := newNetworkClient(t, &network{connect: func(*http.Request) error { return errors.New("connection refused") }}, withToken)
		err := set(t.Context(), client, anyNumber, Delivery{Type: None})
		if wantKind(t, err, Unreachable); MayHaveTakenEffect(err) {
			t.Errorf("the setting may have taken effect: %v", err)
		}
	})
}

// If the outcome of a setting is unknown, the client reads the FoneNumber, unless that cannot show the outcome.
func TestUncertainSettings(t *testing.T) {
	t.Parallel()
	name, password := "user", "password-of-callback"
	plain := Delivery{Type: URL, Value: callback}
	secret := Delivery{Type: URL, Value: callback, URLUsername: &name, URLPassword: &password}
	const before, after = false, true // Whether it takes effect.
	for title, test := range map[string]struct {
		want    Delivery
		effect  bool
		known   string // Destination that the client knows before; "" for none.
		fail    http.HandlerFunc
		read    http.HandlerFunc // How reading fails.
		settled bool
	}{
		"lost after":                                {plain, after, "", loseResponse, nil, true},
		"lost before":                               {plain, before, "", loseResponse, nil, false},
		"502 after":                                 {plain, after, "", rejectWith(502, "no", ""), nil, true},
		"502 before":                                {plain, before, "", rejectWith(502, "no", ""), nil, false},
		"timeout after":                             {plain, after, "", neverRespond, nil, true},
		"timeout before":                            {plain, before, "", neverRespond, nil, false},
		"damaged after":                             {plain, after, "", respondWith(200, "{"), nil, true},
		"damaged before":                            {plain, before, "", respondWith(200, "{"), nil, false},
		"another program after":                     {plain, after, "", respondWith(200, "<html>"), nil, true},
		"unread, because the read fails":            {plain, after, "", loseResponse, rejectWith(503, "later", ""), false},
		"unread, because the read is lost":          {plain, after, "", loseResponse, loseResponse, false},
		"credentials, nothing known":                {secret, after, "", loseResponse, nil, false},
		"credentials, same destination before":      {secret, after, callback, loseResponse, nil, false},
		"credentials, other destination before":     {secret, after, "https://callback.test/old", loseResponse, nil, true},
		"credentials, other destination, no effect": {secret, before, "https://callback.test/old", loseResponse, nil, false},
	} {
		inBubble(t, title, func(t *testing.T) {
			sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
			client := newBubbleClient(t, sim)
			if test.known != "" {
				sim.Put(simulator.FoneNumber{Number: anyNumber, Receive: simulator.Receive{Type: "URL", URL: test.known}})
				get(t, client, anyNumber)
			}
			sim.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if kindOf(r) == "get" && test.read != nil {
					test.read(w, r)
					return true
				}
				if kindOf(r) != "set" {
					return false
				}
				if test.effect {
					sim.Put(simulator.FoneNumber{Number: anyNumber, Receive: simulator.Receive{Type: "URL", URL: callback}})
				}
				test.fail(w, r)
				return true
			})
			result, err := client.SetDelivery(t.Context(), anyNumber, test.want)
			if !test.settled {
				if err == nil || !MayHaveTakenEffect(err) {
					t.Fatalf("the setting may have taken effect: %v", err)
				}
				wantWords(t, err, "set the delivery of FoneNumber "+anyNumber)
				if f, known := client.Known(anyNumber); known {
					t.Errorf("the snapshot still contains %+v", f.Delivery)
				}
				return
			}
			wantSuccess(t, err)
			if !SameDestination(*result.Delivery, test.want) {
				t.Errorf("the result is %+v", result.Delivery)
			}
			if _, known := client.Known(anyNumber); !known {
				t.Error("the snapshot does not contain what was read")
			}
		})
	}
}

// Ctrl-C stops new requests. The one in flight completes, and its response counts.
func TestCancelledWhileASettingIsInFlight(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault simulator.Fault
		kind  Kind // Of the error; -1 for none.
		may   bool
	}{
		"succeeds":             {"", -1, false},
		"is rejected with 404": {simulator.NotFound, UnexpectedResponse, false}, // It can no longer be confirmed.
		"fails":                {simulator.Unavailable, Canceled, true},
		"is lost":              {simulator.ResponseLost, Canceled, true},
		"token is rejected":    {simulator.TokenRejected, Canceled, false},
		"shows nothing":        {simulator.BareSuccess, Canceled, true},
		"is rate-limited":      {simulator.RateLimited, Canceled, false},
	} {
		inBubble(t, name, func(t *testing.T) {
			sim := newSimulator(t, slow(1))
			client := newBubbleClient(t, sim)
			wantSuccess(t, read1(t, client)) // Logs in.
			sim.Forget()
			if test.fault != "" {
				injectInto(sim, "set", test.fault)
			}
			ctx, cancel := contextWithCause(t)
			why := errors.New("Terraform was interrupted")
			done := begin(func() error { return set(ctx, client, anyNumber, forwardTo("3215551111")) })
			time.Sleep(500 * time.Millisecond)
			cancel(why)
			err := <-done
			switch {
			case test.kind < 0:
				wantSuccess(t, err)
			default:
				wantKind(t, err, test.kind)
			}
			if MayHaveTakenEffect(err) != test.may {
				t.Errorf("the setting may have taken effect: %t, want %t: %v", !test.may, test.may, err)
			}
			wantRequests(t, sim, map[string]int{"set": 1})
			if f, _ := sim.Get(anyNumber); test.fault == "" && f.Receive.Forward != "3215551111" {
				t.Errorf("the account has %+v", f.Receive)
			}
		})
	}
}

// If FoneStorm rejects empty credentials, the delivery is set without any, and the client remembers that.
func TestRejectedEmptyCredentials(t *testing.T) {
	t.Parallel()
	empty, name := "", "user"
	for _, status := range []int{400, 422} {
		for _, body := range []string{"json", "form"} {
			inBubble(t, fmt.Sprintf("%d %s", status, body), func(t *testing.T) {
				sim := newSimulator(t, simulator.Options{FoneNumbers: 3})
				unread := readsOnly(map[string]string{"set": body}, status)
				sim.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
					if body == "form" && unread(w, r) {
						return true
					}
					sent := simulator.Parameters(r)
					rejected := sent.Has("url_username") && sent.Get("url_username") == "" || sent.Has("url_password") && sent.Get("url_password") == ""
					if rejected {
						rejectWith(status, "The credentials must not be empty.", "")(w, r)
					}
					return rejected
				})
				client := newBubbleClient(t, sim)
				want := Delivery{Type: URL, Value: callback, URLUsername: &empty, URLPassword: &empty}
				for i := range 2 {
					f, err := client.SetDelivery(t.Context(), numberAt(i), want)
					wantSuccess(t, err)
					if !f.CredentialsKept {
						t.Error("the result does not report that the credentials were kept")
					}
					if got, _ := sim.Get(numberAt(i)); got.Receive.URL != callback {
						t.Errorf("the account has %+v", got.Receive)
					}
				}
				bodies := map[string]int{"login json": 1, "set json": 3, "set form": 1} // Rejected as JSON and as a form; then twice without credentials.
				if body == "form" {
					bodies = map[string]int{"login json": 1, "set json": 2, "set form": 3}
				}
				wantBodies(t, sim, bodies)

				want.URLUsername = &name // One that is not empty is always sent.
				f, err := client.SetDelivery(t.Context(), numberAt(2), want)
				wantSuccess(t, err)
				if got, _ := sim.Get(numberAt(2)); got.Receive.URLUsername != name || !f.CredentialsKept {
					t.Errorf("the account has %+v, kept: %t", got.Receive, f.CredentialsKept)
				}
				f, err = client.SetDelivery(t.Context(), numberAt(2), Delivery{Type: URL, Value: callback})
				wantSuccess(t, err)
				if f.CredentialsKept {
					t.Error("credentials that were not sent are reported as kept")
				}
			})
		}
	}
}

// If FoneStorm rejects the destination with and without empty credentials, the error contains the message once, and nothing is
// remembered. The outcome of the second setting counts, not the certain failure of the first.
func TestEmptyCredentialsOfASettingThatFails(t *testing.T) {
	t.Parallel()
	empty := ""
	want := Delivery{Type: URL, Value: callback, URLUsername: &empty, URLPassword: &empty}
	bad := rejectWith(422, "value is not valid", "")
	for name, test := range map[string]struct {
		later []http.HandlerFunc
		kind  Kind
		may   bool
	}{
		"rejected":   {[]http.HandlerFunc{bad}, DestinationRejected, false},
		"then fails": {[]http.HandlerFunc{rejectWith(502, "later", "")}, ServerError, true},
		"then lost":  {[]http.HandlerFunc{loseResponse}, Unreachable, true},
		"forbidden":  {[]http.HandlerFunc{rejectWith(403, "no", "")}, PermissionDenied, false},
	} {
		inBubble(t, name, func(t *testing.T) {
			server := &script{responses: append([]http.HandlerFunc{succeed, bad}, test.later...)}
			client := newBubbleClient(t, server, withToken, withoutRetries)
			wantSuccess(t, set(t.Context(), client, anyNumber, Delivery{Type: None}))
			_, err := client.SetDelivery(t.Context(), anyNumber, want)
			wantKind(t, err, test.kind)
			if MayHaveTakenEffect(err) != test.may || client.rejectsEmptyCredentials.Load() {
				t.Errorf("the setting may have taken effect: %t, want %t: %v", !test.may, test.may, err)
			}
		})
	}
}

func TestDeliveryString(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]Delivery{
		`None`:                                {Type: None},
		`Email "a@b.c"`:                       {Type: Email, Value: "a@b.c"},
		`"Pager\n" "1"`:                       {Type: "Pager\n", Value: "1"},
		`URL "https://***@x.test/a@b"`:        {Type: URL, Value: "https://user:secret@x.test/a@b"},
		`URL "https://***@x.test"`:            {Type: URL, Value: "https://us@er:secret@x.test"},
		`URL "https://x.test/?a=user:pass@b"`: {Type: URL, Value: "https://x.test/?a=user:pass@b"},
	} {
		if got := d.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
