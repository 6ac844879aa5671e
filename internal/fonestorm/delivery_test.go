package fonestorm

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const callback = "https://callback.test/handler.php?msg={{msg}}&from={{from}}"

// A delivery is always sent with POST, and a notification with its type and only the parameters of that type. Empty credentials
// remove earlier ones.
func TestSetSendsDocumentedParameters(t *testing.T) {
	t.Parallel()
	if types := fmt.Sprint(DeliveryTypes(), NotificationTypes()); types != "[Device Email URL Forward None] [Callback Email None]" {
		t.Errorf("the types are %s", types)
	}
	url, hook := Delivery{Type: URL, Value: callback}, Delivery{Type: Callback, Value: callback, URLMethod: "JSON"}
	withBoth, withEmpty := Setting{Delivery: url, Credentials: &Credentials{"user:ü", "p&ss=w%rd +"}}, Setting{Delivery: url, Credentials: &Credentials{}}
	for _, test := range []struct {
		set  Setting
		want string // The path and the parameters; # is the FoneNumber, and $ the callback URL.
	}{
		{Setting{Delivery: Delivery{Type: Device, Value: "987123543678"}}, `receive {#,"type":"Device","url_method":"POST","value":"987123543678"}`},
		{Setting{Delivery: ops}, `receive {#,"type":"Email","url_method":"POST","value":"ops@example.com"}`},
		{Setting{Delivery: forward}, `receive {#,"type":"Forward","url_method":"POST","value":"3215551111"}`},
		{Setting{Delivery: none}, `receive {#,"type":"None","url_method":"POST","value":"None"}`},
		{withBoth, `receive {#,"type":"URL","url_method":"POST","url_password":"p&ss=w%rd +","url_username":"user:ü","value":"$"}`},
		{withEmpty, `receive {#,"type":"URL","url_method":"POST","url_password":"","url_username":"","value":"$"}`},
		{Setting{Option: SendNotify, Delivery: hook}, `send_notify {#,"method":"JSON","type":"Callback","url":"$"}`},
		{Setting{Option: ReceiveNotify, Delivery: ops}, `receive_notify {"email":"ops@example.com",#,"type":"Email"}`},
		{Setting{Option: ReceiveNotify, Delivery: none}, `receive_notify {#,"type":"None"}`},
	} {
		r := test.set.request(anyNumber)
		body, _ := asJSON.encode(r.params)
		want := "/messages/" + strings.NewReplacer("#", `"fonenumber":"3215550000"`, "$", callback).Replace(test.want)
		if got := r.path + " " + strings.ReplaceAll(string(body), `\u0026`, "&"); got != want {
			t.Errorf("the request is %s, want %s", got, want)
		}
	}
	const form = "fonenumber=3215550000&type=URL&url_method=POST&url_password=p%26ss%3Dw%25rd+%2B&url_username=user%3A%C3%BC&" +
		"value=https%3A%2F%2Fcallback.test%2Fhandler.php%3Fmsg%3D%7B%7Bmsg%7D%7D%26from%3D%7B%7Bfrom%7D%7D"
	if body, _ := asForm.encode(withBoth.request(anyNumber).params); string(body) != form {
		t.Errorf("the form is %s, want %s", body, form)
	}
}

var (
	none    = Delivery{Type: None}
	forward = Delivery{Type: Forward, Value: "3215551111"}
	ops     = Delivery{Type: Email, Value: "ops@example.com"}
)

// What FoneStorm can show of destinations.
const (
	toOld      = `{"receive":{"type":"email","email":"old@example.com"}}`
	toOps      = `{"receive":{"type":"email","email":"ops@example.com"}}`
	toMailto   = `{"receive":{"type":"email","email":"mailto:ops@example.com"}}`
	toMasked   = `{"receive":{"type":"url","url":"https://callback.test/?key=***","url_method":"POST"}}`
	toNumber   = `{"receive":{"type":"forward","forward":"3215551111"}}`
	toCallback = `{"receive":{"type":"url","url":"` + callback + `"}}`
	toURL      = `{"receive":{"type":"url","url":"https://callback.test/","url_method":"JSON"}}`

	// The same notification with different methods, as words of a script.
	withGET    = `{"receive_notify":{"type":"Callback","url":"https://x.test","method":"GET"}}`
	withJSON   = `{"receive_notify":{"type":"Callback","url":"https://x.test","method":"json"}}`
	withNoType = `{"receive_notify":{"url":"https://x.test"}}`
)

// A setting is confirmed by what FoneStorm shows of it: at once in a known spelling, after a read where the response does not show
// it, and after about five seconds where it cannot be distinguished from the previous destination. Otherwise it may have taken effect.
func TestSettingIsConfirmed(t *testing.T) {
	t.Parallel()
	const asSet, respelled = "as set", "respelled"
	const toOldAgain = `accepted the destination of type "Email" but still shows Email "old@example.com"`
	setOps, opsAgain := Setting{Delivery: ops}, Setting{Delivery: ops, Last: ops}
	mailto := Delivery{Type: Email, Value: "mailto:ops@example.com"}
	caller := func(rest string) Delivery { return Delivery{Type: URL, Value: "https://callback.test/" + rest} }
	hook := Setting{Option: ReceiveNotify, Delivery: Delivery{Type: Callback, Value: "https://x.test", URLMethod: "JSON"}}
	knownHook, newMethod := hook, hook
	newMethod.Last = Delivery{Type: Callback, Value: "https://x.test", URLMethod: "GET"}
	knownHook.Last, knownHook.LastShown = hook.Delivery, hook.Delivery
	knownHook.LastShown.URLMethod = "GET"
	for name, test := range map[string]struct {
		set       Setting
		before    string // Shown before; empty if the client does not know it.
		responses string // To the setting and then to reads; the last one is repeated. See respondTo.
		reads     int
		want      string // Or what the error says.
	}{
		"as set":                        {setOps, toOld, toOps, 0, asSet},
		"as set, but read back":         {opsAgain, toOld, toOps, 1, asSet},
		"read back in another spelling": {opsAgain, toOld, toOps + " " + toMailto, 1, respelled},
		"without receive":               {setOps, toOld, `{"receive":null} ` + toOps, 1, asSet},
		"None, without receive":         {Setting{Delivery: none}, toOld, `{"receive":null} ok`, 1, asSet},
		"nothing":                       {setOps, "", "empty " + toOps, 1, asSet},
		"another FoneNumber":            {setOps, toOld, "another " + toOps, 1, asSet},
		"after five seconds":            {setOps, toOld, strings.Repeat(toOld+" ", 5) + toOps, 5, asSet},
		"never":                         {setOps, toOld, toOld, 5, toOldAgain},
		"spelling":                      {setOps, toOld, toMailto, 0, respelled},
		"spelling, nothing known":       {setOps, "", toMailto, 5, respelled}, // It may be the previous destination.
		"known spelling":                {Setting{Delivery: ops, Last: ops, LastShown: mailto}, toMailto, toMailto, 0, asSet},
		"masked as before":              {Setting{Delivery: caller("?key=2"), Last: caller("?key=1")}, toMasked, toMasked, 5, respelled},
		"the last path, as before":      {Setting{Delivery: caller("b"), Last: caller("")}, toURL, toURL, 5, `shows URL "https://callback.test/…"`},
		"method of a delivery":          {Setting{Delivery: Delivery{Type: URL, Value: "https://callback.test"}}, "", toURL, 0, asSet},
		"method of a notification":      {hook, withGET, withJSON, 0, asSet},
		"method, after lag":             {hook, withGET, withGET + " " + withGET + " " + withJSON, 2, asSet},
		"method, always another":        {hook, withGET, withGET, 5, respelled},
		"method, always the last one":   {newMethod, withGET, withGET, 5, respelled},
		"method, always the known one":  {knownHook, withGET, withGET, 0, asSet},
		"method, never shown":           {hook, withGET, withNoType, 0, asSet},
		"lost":                          {setOps, toOld, "lost " + toOps, 0, "no response"},
	} {
		inBubble(t, name, func(t *testing.T) {
			server := scripted(test.before + " " + test.responses)
			client := newClient(t, server, withoutRetries)
			if test.before != "" {
				get(t, client)
			}
			begun := time.Now()
			result, err := client.Set(t.Context(), anyNumber, test.set)
			wantTime := map[int]time.Duration{2: 500 * time.Millisecond, 5: 5 * time.Second}[test.reads]
			if took := time.Since(begun).Round(100 * time.Millisecond); took != wantTime {
				t.Errorf("it took %s, want %s", took, wantTime)
			}
			server.wantCount(t, len(strings.Fields(test.before))+1+test.reads)
			known := client.Known(anyNumber)
			found := known.Number != ""
			if test.want != asSet && test.want != respelled {
				if wantWords(t, err, "set the delivery of FoneNumber "+anyNumber, test.want); !MayHaveTakenEffect(err) || found {
					t.Errorf("the error %v is certain, or it knows %+v", err, known.Options)
				}
				if isOther := KindOf(err) == OtherDestination; isOther != (test.reads > 0) {
					t.Errorf("the error is an OtherDestination: %t", isOther)
				}
				return
			}
			wantSuccess(t, err)
			knows, got := known.Options[test.set.Option], result.Options[test.set.Option]
			isComplete := result.Options[Receive].Type != "" // Without a delivery, the FoneNumber is not known.
			if result.Respelled != (test.want == respelled) || found != isComplete || found && knows != got {
				t.Errorf("respelled: %t; it knows %+v, and the result is %+v", result.Respelled, knows, got)
			}
		})
	}
}

// Ctrl-C stops new requests, such as those without empty credentials, which FoneStorm may reject, or those that confirm a 404. The
// one in flight completes, and its response counts.
func TestCancelledWhileASettingIsInFlight(t *testing.T) {
	t.Parallel()
	setting := Setting{Delivery: forward, Credentials: &Credentials{}}
	for response, may := range map[string]bool{
		toNumber: false, "ok": true, "success": true, "503": true, "lost": true, "401": false, "limit": false, "404": false, "422": false,
	} {
		inBubble(t, response, func(t *testing.T) {
			server := scripted("login ok ok " + response)
			server.latency = time.Second
			client := newClient(t, server)
			get(t, client)                                 // Logs in.
			wantSuccess(t, set(t.Context(), client, none)) // Finds the encoding out.
			ctx, _ := cancelLater(t, 500*time.Millisecond)
			switch _, err := client.Set(ctx, anyNumber, setting); {
			case response == toNumber:
				wantSuccess(t, err)
			case KindOf(err) == NotFound || response != "404" && response != "422" && KindOf(err) != Canceled, MayHaveTakenEffect(err) != may:
				t.Errorf("it may have taken effect: %t, want %t: %v", !may, may, err)
			}
			server.wantCalls(t, "login json, get, set json, set json")
		})
	}
	inBubble(t, "the encoding is not known", func(t *testing.T) {
		server := scripted("400")
		server.latency = time.Second
		ctx, why := cancelLater(t, 500*time.Millisecond)
		wantKind(t, set(ctx, newClient(t, server), forward), Canceled, why.Error())
	})
	inBubble(t, "reads lag behind", func(t *testing.T) {
		ctx, why := cancelLater(t, 4*time.Second)
		begun := time.Now()
		wantKind(t, set(ctx, newClient(t, scripted("ok")), forward), Canceled, why.Error())
		if took := time.Since(begun); took != 4*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// If FoneStorm rejects empty credentials, the delivery is set without any, unless the caller must remove earlier ones or an attempt
// may have done so.
func TestRejectedEmptyCredentials(t *testing.T) {
	t.Parallel()
	empties := Setting{Delivery: Delivery{Type: URL, Value: callback}, Credentials: &Credentials{}}
	withUser, must := empties, empties
	withUser.Credentials, must.MustRemoveCredentials = &Credentials{Username: "user"}, true
	for _, test := range []struct {
		set       Setting
		responses string // The last one is to the reads, too.
		calls     string
		want      string // Parameters of the last setting after its password, or words of the error.
	}{
		{empties, toCallback, "set json", `"url_password":"","url_username":""`},
		{empties, "422 400 " + toCallback, "set json, set form, set json", `"url_method":"POST","value"`},
		{withUser, "422 400 " + toCallback, "set json, set form, set json", `"url_method":"POST","url_username":"user","value"`},
		{empties, "422 400 400 " + toCallback, "set json, set form, set json, set form", "url_method=POST&value"}, // It reads only forms.
		{must, "422 400", "set json, set form", "words of 400. The request also removes the earlier callback credentials"},
		{empties, "422 503", "set json, set form, set form", "words of 503"}, // It does not reject empty ones.
		{empties, "422 400 415 403", "set json, set form, set json, set form", "words of 403"},
		{empties, "422 400 503", "set json, set form, set json, set json", "words of 503"},
		{empties, "502 422 400", "set json, set json, set form", "words of 422"}, // They may be removed.
	} {
		inBubble(t, fmt.Sprint(test.responses, test.set.MustRemoveCredentials), func(t *testing.T) {
			server := scripted(test.responses)
			result, err := newClient(t, server, func(c *Config) { c.MaxRetries = 1 }).Set(t.Context(), anyNumber, test.set)
			if strings.HasPrefix(test.want, "words") {
				wantWords(t, err, test.want)
			} else if last := server.bodies[len(server.bodies)-1]; err != nil || !strings.Contains(last, test.want) {
				t.Errorf("the last body was %s: %v", last, err)
			}
			if kept := err == nil && len(server.bodies) > 1; result.CredentialsKept != kept {
				t.Errorf("credentials are kept: %t", !kept)
			}
			if may := strings.Contains(test.responses, "50"); MayHaveTakenEffect(err) != may {
				t.Errorf("it may have taken effect: %t", !may)
			}
			server.wantCalls(t, test.calls)
		})
	}
}

// However FoneStorm spells a URL, and whatever type it shows it with, only its host is shown.
func TestDeliveryString(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]Delivery{
		`None`:                      {Type: None},
		`Email "a@b.c"`:             {Type: Email, Value: "a@b.c"},
		`Pager  "…"`:                {Type: "Pager\n", Value: "1"},
		`URL "https://x.test/…"`:    {Type: URL, Value: "https://us@er:secret@x.test"},
		`URL "https://x.test:80/…"`: {Type: URL, Value: "https://x.test:80/?a=user:pass@b c"},
		`URL "…"`:                   {Type: URL, Value: "user:secret@x.test/sms?token=secret"},
		`Forward "…"`:               {Type: Forward, Value: "x.test/secret&to=https://x.test/"},
		`Email "https://x.test/…"`:  {Type: Email, Value: "https://x.test/sms?token=secret"},
		`Callback "…"`:              {Type: Callback, Value: "http%3A%2F%2Fx.test%2Fsms%3Ftoken%3Dsecret"},
	} {
		if got := d.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
