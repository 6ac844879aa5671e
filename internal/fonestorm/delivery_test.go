package fonestorm

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const callback = "https://callback.test/handler.php?msg={{msg}}&from={{from}}"

// Empty credentials remove earlier ones, and those that are nil are not sent.
func TestSetDeliverySendsDocumentedParameters(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(DeliveryTypes()); got != "[Device Email URL Forward None]" {
		t.Errorf("the types are %s", got)
	}
	name, password, empty := "user:ü", "p&ss=w%rd +", ""
	const body = `{"fonenumber":"3215550000","type":"%s","url_method":"POST"%s,"value":"%s"}`
	shown := `{"type":"url","url":"` + callback + `","url_method":"POST"}`
	for _, test := range []struct {
		set                Delivery
		credentials, shown string
	}{
		{Delivery{Type: Device, Value: "987123543678"}, "", `{"type":"device","device":"987123543678"}`},
		{Delivery{Type: Email, Value: "Ops+sms@example.com"}, "", `{"type":"email","email":"Ops+sms@example.com"}`},
		{Delivery{Type: Forward, Value: "3215551111"}, "", toNumber},
		{Delivery{Type: None}, "", `{"type":"None"}`},
		{Delivery{Type: URL, Value: callback, URLMethod: "GET"}, "", shown}, // The caller cannot choose the method.
		{Delivery{Type: URL, Value: callback, URLUsername: &name}, `,"url_username":"user:ü"`, shown},
		{Delivery{Type: URL, Value: callback, URLUsername: &name, URLPassword: &password}, `,"url_password":"p&ss=w%rd +","url_username":"user:ü"`, shown},
		{Delivery{Type: URL, Value: callback, URLUsername: &empty, URLPassword: &empty}, `,"url_password":"","url_username":""`, shown},
	} {
		server := newScript(shows(test.shown))
		result, err := newClient(t, server, withToken).Set(t.Context(), anyNumber, Setting{Option: Receive, Delivery: test.set})
		wantSuccess(t, err)
		want := Delivery{Type: test.set.Type, Value: test.set.Value}
		if want.Type == URL {
			want.URLMethod = URLMethodPOST
		}
		if *result.Delivery != want || result.Number != anyNumber || result.Respelled || result.CredentialsKept {
			t.Errorf("got %+v with %+v, want %+v", result, result.Delivery, want)
		}
		server.wantCalls(t, "set json")
		if sent := fmt.Sprintf(body, want.Type, test.credentials, cmp.Or(want.Value, "None")); server.bodies[0] != sent {
			t.Errorf("the body was %s, want %s", server.bodies[0], sent)
		}
	}
}

// A delivery is shown as it was set by settings, reads, and lists of each dialect.
func TestSetDeliveryInEveryDialect(t *testing.T) {
	t.Parallel()
	for name, dialect := range simulator.Dialects {
		inBubble(t, name, func(t *testing.T) {
			sim := newSimulator(t, simulator.Options{FoneNumbers: 1, Dialect: dialect})
			client := newClient(t, sim)
			for _, want := range []Delivery{
				{Type: Device, Value: "987123543678"}, {Type: Email, Value: "Ops+sms@Example.com"}, {Type: URL, Value: callback}, forwardTo("3215551111"), {Type: None},
			} {
				result, err := client.Set(t.Context(), anyNumber, Setting{Option: Receive, Delivery: want})
				wantSuccess(t, err)
				fresh := newClient(t, sim)
				for _, shown := range append(listAll(t, fresh), result.FoneNumber, get(t, fresh, anyNumber)) {
					if shown.Number != anyNumber || shown.Status != Active || shown.Delivery.Type != want.Type || shown.Delivery.Value != want.Value {
						t.Errorf("%+v is shown as %+v with %+v", want, shown, shown.Delivery)
					}
				}
			}
			wantRequests(t, sim, map[string]int{"login": 6, "set": 5, "list": 5}) // Without extra reads.
		})
	}
}

// What FoneStorm can show of destinations.
const (
	toOld     = `{"type":"email","email":"old@example.com"}`
	toOps     = `{"type":"email","email":"ops@example.com"}`
	toMailto  = `{"type":"email","email":"mailto:ops@example.com"}`
	toMasked  = `{"type":"url","url":"https://callback.test/?key=***","url_method":"POST"}`
	toEncoded = `{"type":"url","url":"https://callback.test/?m=%7B%7Bmsg%7D%7D"}`
	toNumber  = `{"type":"forward","forward":"3215551111"}`
)

// confirmTime is the sum of confirmWaits.
const confirmTime = 5 * time.Second

// A setting is confirmed by what FoneStorm shows of it: at once in a known spelling, after a read where the response does not show
// it, and after about five seconds where it cannot be distinguished from the previous destination. If the outcome is unknown, one read
// settles it, unless that cannot show the outcome, because only credentials change.
func TestSettingIsConfirmed(t *testing.T) {
	t.Parallel()
	name, empty := "user", ""
	ops := Delivery{Type: Email, Value: "ops@example.com"}
	mailto, withUser, withoutPassword := Delivery{Type: Email, Value: "mailto:ops@example.com"}, ops, ops
	withUser.URLUsername, withoutPassword.URLPassword = &name, &empty
	caller := func(rest string) Delivery { return Delivery{Type: URL, Value: "https://callback.test/?" + rest} }
	for name, test := range map[string]struct {
		set       Setting
		before    string // Shown before; empty if the client does not know it.
		responses string // To the setting and then to reads; the last one is repeated. See respondTo.
		reads     int
		took      time.Duration
		want      match // respelled, asSet, or other for an error.
	}{
		"as set":                         {Setting{Option: Receive, Delivery: ops}, toOld, toOps, 0, 0, asSet},
		"as set, in capitals":            {Setting{Option: Receive, Delivery: ops}, toOld, `{"type":"EMAIL","email":"Ops@Example.com"}`, 0, 0, asSet},
		"as set and as before":           {Setting{Option: Receive, Delivery: ops}, toOps, toOps, 0, 0, asSet},
		"as set, but read back":          {Setting{Option: Receive, Delivery: ops, Last: ops}, toOld, toOps, 1, 0, asSet},
		"read back in another spelling":  {Setting{Option: Receive, Delivery: ops, Last: ops}, toOld, toOps + " " + toMailto, 1, 0, respelled},
		"without receive":                {Setting{Option: Receive, Delivery: ops}, toOld, "null " + toOps, 1, 0, asSet},
		"only a success":                 {Setting{Option: Receive, Delivery: ops}, toOld, "success " + toOps, 1, 0, asSet},
		"nothing":                        {Setting{Option: Receive, Delivery: ops}, "", "empty " + toOps, 1, 0, asSet},
		"after half a second":            {Setting{Option: Receive, Delivery: ops}, toOld, strings.Repeat(toOld+" ", 2) + toOps, 2, 500 * time.Millisecond, asSet},
		"after five seconds":             {Setting{Option: Receive, Delivery: ops}, toOld, strings.Repeat(toOld+" ", 5) + toOps, 5, confirmTime, asSet},
		"after lag, in another spelling": {Setting{Option: Receive, Delivery: ops}, toOld, strings.Repeat(toOld+" ", 2) + toMailto, 2, 500 * time.Millisecond, respelled},
		"never":                          {Setting{Option: Receive, Delivery: ops}, toOld, toOld, 5, confirmTime, other},
		"never, nothing known":           {Setting{Option: Receive, Delivery: ops}, "", toOld, 5, confirmTime, other},
		"another destination":            {Setting{Option: Receive, Delivery: ops}, toOld, `{"type":"email","email":"devops@example.com"}`, 5, confirmTime, other},
		"another type":                   {Setting{Option: Receive, Delivery: ops}, toOld, toNumber, 5, confirmTime, other},
		"never turned off":               {Setting{Option: Receive, Delivery: Delivery{Type: None}}, toOps, toOps, 5, confirmTime, other},
		"spelling":                       {Setting{Option: Receive, Delivery: ops}, toOld, toMailto, 0, 0, respelled},
		"spelling, another type before":  {Setting{Option: Receive, Delivery: ops}, toNumber, toMailto, 0, 0, respelled},
		"spelling, nothing known":        {Setting{Option: Receive, Delivery: ops}, "", toMailto, 5, confirmTime, respelled}, // It may be the previous destination.
		"spelling as before":             {Setting{Option: Receive, Delivery: ops}, toMailto, toMailto, 5, confirmTime, other},
		"known spelling":                 {Setting{Option: Receive, Delivery: ops, Last: ops, LastShown: mailto}, toMailto, toMailto, 0, 0, asSet},
		"masked like the last one":       {Setting{Option: Receive, Delivery: caller("key=2"), Last: caller("key=1"), LastShown: caller("key=***")}, toMasked, toMasked, 0, 0, respelled},
		"masked, last one unknown":       {Setting{Option: Receive, Delivery: caller("key=2")}, toMasked, toMasked, 5, confirmTime, other},
		"masked, last one replaced":      {Setting{Option: Receive, Delivery: caller("key=2"), Last: caller("key=1"), LastShown: caller("")}, toMasked, toMasked, 5, confirmTime, other},
		"masked as before, read back":    {Setting{Option: Receive, Delivery: caller("key=2"), Last: caller("key=2")}, toMasked, toMasked, 5, confirmTime, respelled},
		"a stranger's, read back":        {Setting{Option: Receive, Delivery: ops, Last: ops}, toOld, toOld, 5, confirmTime, other},
		"tokens encoded as before":       {Setting{Option: Receive, Delivery: caller("m={{msg}}")}, toEncoded, toEncoded, 5, confirmTime, respelled},
		"lost":                           {Setting{Option: Receive, Delivery: ops}, "", "lost " + toOps, 1, 0, asSet},
		"502":                            {Setting{Option: Receive, Delivery: ops}, toOld, "502 " + toOps, 1, 0, asSet},
		"no response":                    {Setting{Option: Receive, Delivery: ops}, "", "never " + toOps, 1, DefaultRequestTimeout, asSet},
		"damaged":                        {Setting{Option: Receive, Delivery: ops}, "", "cut " + toOps, 1, 0, asSet},
		"another program's":              {Setting{Option: Receive, Delivery: ops}, "", "html " + toOps, 1, 0, asSet},
		"lost, no effect":                {Setting{Option: Receive, Delivery: ops}, "", "lost " + toOld, 1, 0, other},
		"502, as before":                 {Setting{Option: Receive, Delivery: ops}, toOld, "502 " + toOld, 1, 0, other},
		"502, spelling":                  {Setting{Option: Receive, Delivery: ops}, toOld, "502 " + toMailto, 1, 0, respelled},
		"502, spelling, nothing known":   {Setting{Option: Receive, Delivery: ops}, "", "502 " + toMailto, 1, 0, other},
		"lost, the read fails":           {Setting{Option: Receive, Delivery: ops}, toOld, "lost 502", 1, 0, other},
		"502, the read is lost":          {Setting{Option: Receive, Delivery: ops}, toOld, "502 lost", 1, 0, other},
		"credentials, nothing known":     {Setting{Option: Receive, Delivery: withUser}, "", "lost " + toOps, 0, 0, other},
		"empty password, nothing known":  {Setting{Option: Receive, Delivery: withoutPassword}, "", "lost " + toOps, 0, 0, other},
		"credentials, same before":       {Setting{Option: Receive, Delivery: withUser}, toOps, "lost " + toOps, 0, 0, other},
		"credentials, other before":      {Setting{Option: Receive, Delivery: withUser}, toOld, "lost " + toOps, 1, 0, asSet},
		"credentials, other, no effect":  {Setting{Option: Receive, Delivery: withUser}, toOld, "lost " + toOld, 1, 0, other},
	} {
		inBubble(t, name, func(t *testing.T) {
			server, calls := scripted(test.before+" "+test.responses), "set json"+strings.Repeat(", get", test.reads)
			client := newClient(t, server, withToken, withoutRetries)
			if test.before != "" {
				get(t, client, anyNumber)
				calls = "get, " + calls
			}
			begun := time.Now()
			result, err := client.Set(t.Context(), anyNumber, test.set)
			server.wantCalls(t, calls)
			if took := time.Since(begun).Round(100 * time.Millisecond); took != test.took {
				t.Errorf("it took %s, want %s", took, test.took)
			}
			known, found := client.Known(anyNumber)
			if test.want != other {
				wantSuccess(t, err)
				if result.Respelled != (test.want == respelled) || known.Delivery != result.Delivery {
					t.Errorf("respelled: %t; it knows %+v, and the result is %+v", result.Respelled, known.Delivery, result.Delivery)
				}
				return
			}
			wantWords(t, err, "set the delivery of FoneNumber "+anyNumber)
			if test.took > 0 {
				wantKind(t, err, OtherDestination, "accepted the destination of type", "but still shows "+result.Delivery.String())
			}
			if !MayHaveTakenEffect(err) || found {
				t.Errorf("the error %v is certain, or it knows %+v", err, known.Delivery)
			}
		})
	}
}

// Ctrl-C stops new requests. The one in flight completes, and its response counts.
func TestCancelledWhileASettingIsInFlight(t *testing.T) {
	t.Parallel()
	empty := ""
	d := Delivery{Type: Forward, Value: "3215551111", URLUsername: &empty}
	for response, want := range map[string]struct {
		kind Kind // Of the error; -1 for none.
		may  bool
	}{
		toNumber: {-1, false}, "ok": {Canceled, true}, "success": {Canceled, true}, "503": {Canceled, true}, "lost": {Canceled, true},
		"401": {Canceled, false}, "limit": {Canceled, false}, "404": {UnexpectedResponse, false}, // A 404 can no longer be confirmed.
		"422": {Canceled, false}, // Empty credentials may be rejected, but they are not left out any more.
	} {
		inBubble(t, response, func(t *testing.T) {
			server := scripted("login ok ok " + response)
			server.latency = time.Second
			client := newClient(t, server)
			get(t, client, anyNumber)                                                 // Logs in.
			wantSuccess(t, set(t.Context(), client, anyNumber, Delivery{Type: None})) // Finds the encoding out.
			ctx, _ := cancelLater(t, 500*time.Millisecond)
			err := set(ctx, client, anyNumber, d)
			if err != nil || want.kind >= 0 {
				wantKind(t, err, want.kind)
			}
			if MayHaveTakenEffect(err) != want.may {
				t.Errorf("it may have taken effect: %t, want %t: %v", !want.may, want.may, err)
			}
			server.wantCalls(t, "login json, get, set json, set json")
		})
	}
	inBubble(t, "reads lag behind", func(t *testing.T) {
		ctx, why := cancelLater(t, 4*time.Second)
		begun := time.Now()
		err := set(ctx, newClient(t, scripted("ok"), withToken), anyNumber, forwardTo("3215551111"))
		if wantKind(t, err, Canceled, why.Error()); !MayHaveTakenEffect(err) || time.Since(begun) != 4*time.Second {
			t.Errorf("after %s the error is certain: %v", time.Since(begun), err)
		}
	})
}

// refusesEmptyCredentials rejects settings with an empty username or password, and reads only bodies of one encoding.
func refusesEmptyCredentials(status int, encoding string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sent := simulator.Parameters(r)
		empty := func(name string) bool { return slices.Equal(sent[name], []string{""}) }
		switch {
		case !strings.Contains(r.Header.Get("Content-Type"), encoding):
			rejectWith(status, "fonenumber is required", "")(w, r)
		case empty("url_username"), empty("url_password"):
			rejectWith(status, "The credentials must not be empty.", "")(w, r)
		default:
			shows(`{"type":"url","url":"`+callback+`"}`)(w, r)
		}
	}
}

// If FoneStorm rejects empty credentials, the delivery is set without any, unless the caller must remove earlier ones. Each
// setting finds out again: a rejection can have other reasons.
func TestRejectedEmptyCredentials(t *testing.T) {
	t.Parallel()
	empty, name := "", "user"
	for _, status := range []int{400, 422} {
		for encoding, calls := range map[string]string{
			"json": "set json, set form, set json, set json, set json, set json, set json, set json, set json",
			"form": "set json, set form, set json, set form, set form, set form, set form, set form, set form, set form",
		} {
			inBubble(t, fmt.Sprintf("%d %s", status, encoding), func(t *testing.T) {
				server := newScript(refusesEmptyCredentials(status, encoding))
				client := newClient(t, server, withToken)
				removed := Delivery{Type: URL, Value: callback, URLUsername: &empty, URLPassword: &empty}
				for _, test := range []struct {
					set  Delivery
					kept bool
				}{
					{removed, true},
					{removed, true},
					{Delivery{Type: URL, Value: callback, URLUsername: &name, URLPassword: &empty}, true},
					{Delivery{Type: URL, Value: callback}, false},
				} {
					result, err := client.Set(t.Context(), anyNumber, Setting{Option: Receive, Delivery: test.set})
					if wantSuccess(t, err); result.CredentialsKept != test.kept {
						t.Errorf("credentials are reported as kept: %t", result.CredentialsKept)
					}
				}
				if last := server.bodies[len(server.bodies)-2]; !strings.Contains(last, "url_username") || strings.Contains(last, "url_password") {
					t.Errorf("a username without a password was sent as %s", last)
				}
				_, err := client.Set(t.Context(), anyNumber, Setting{Option: Receive, Delivery: removed, MustRemoveCredentials: true})
				wantKind(t, err, DestinationRejected, "The credentials must not be empty.")
				server.wantCalls(t, calls)
			})
		}
	}
}

// If FoneStorm rejects the destination with and without empty credentials, that is the error. Otherwise the outcome of the second setting
// counts, not the certain failure of the first.
func TestEmptyCredentialsOfASettingThatFails(t *testing.T) {
	t.Parallel()
	empty := ""
	for second, kind := range map[string]Kind{"422": DestinationRejected, "502": ServerError, "lost": Unreachable, "403": PermissionDenied} {
		inBubble(t, second, func(t *testing.T) {
			client := newClient(t, scripted("ok 422 "+second), withToken, withoutRetries)
			wantSuccess(t, set(t.Context(), client, anyNumber, Delivery{Type: None}))
			err := set(t.Context(), client, anyNumber, Delivery{Type: URL, Value: callback, URLUsername: &empty, URLPassword: &empty})
			wantKind(t, err, kind)
			if may := second == "502" || second == "lost"; MayHaveTakenEffect(err) != may {
				t.Errorf("the setting may have taken effect: %t, want %t: %v", !may, may, err)
			}
		})
	}
}

func TestDeliveryString(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]Delivery{
		`None`:                       {Type: None},
		`Email "a@b.c"`:              {Type: Email, Value: "a@b.c"},
		`"Pager\n" "1"`:              {Type: "Pager\n", Value: "1"},
		`URL "https://***@x.test/…"`: {Type: URL, Value: "https://user:secret@x.test/a@b"},
		`URL "https://***@x.test"`:   {Type: URL, Value: "https://us@er:secret@x.test"},
		`URL "https://x.test/…"`:     {Type: URL, Value: "https://x.test/?a=user:pass@b"},
	} {
		if got := d.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
