package fonestorm

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const callback = "https://callback.test/handler.php?msg={{msg}}&from={{from}}"

// one is a delivery of each type, as it is set and as it then reads.
func oneOfEach() map[DeliveryType]Delivery {
	return map[DeliveryType]Delivery{
		Device:  {Type: Device, Value: "987123543678"},
		Email:   {Type: Email, Value: "ops+sms@example.com"},
		URL:     {Type: URL, Value: callback, URLMethod: URLMethodPOST},
		Forward: {Type: Forward, Value: "3215551111"},
		None:    {Type: None},
	}
}

func TestDeliveryTypes(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(DeliveryTypes()); got != "[Device Email URL Forward None]" {
		t.Errorf("the types are %s", got)
	}
	if got, want := len(oneOfEach()), len(DeliveryTypes()); got != want {
		t.Errorf("the tests have %d types of %d", got, want)
	}
}

func TestSetDeliverySendsWhatIsDocumented(t *testing.T) {
	t.Parallel()
	for kind, delivery := range oneOfEach() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
			client := newTestClient(t, sim)
			set := delivery
			set.URLMethod = "" // Not for the caller to choose.
			f, err := client.SetDelivery(t.Context(), anyNumber, set)
			wantSuccess(t, err)
			want := FoneNumber{Number: anyNumber, Label: "Number 0", Status: Active, Delivery: &delivery}
			if !reflect.DeepEqual(f, want) {
				t.Errorf("the answer is %+v with %+v, want %+v with %+v", f, f.Delivery, want, want.Delivery)
			}
			wantKinds(t, sim, map[string]int{"login": 1, "set": 1})

			value := delivery.Value
			if kind == None {
				value = "None"
			}
			sent := sim.Requests()[1]
			form := url.Values{"fonenumber": {anyNumber}, "type": {string(kind)}, "value": {value}, "url_method": {"POST"}}
			if !reflect.DeepEqual(sent.Form, form) {
				t.Errorf("the form is %v, want %v", sent.Form, form)
			}
			if got := sent.Header.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
				t.Errorf("the form is sent as %s", got)
			}
			account, _ := sim.Get(anyNumber)
			if account.Receive.Type != string(kind) || account.Receive.Value() != delivery.Value {
				t.Errorf("the account has %+v", account.Receive)
			}
		})
	}
}

// FoneStorm never shows credentials, so what is sent decides: not mentioned is left alone, empty is removed.
func TestSetDeliverySendsCredentials(t *testing.T) {
	t.Parallel()
	name, password, empty := "user:ü", "p&ss=w%rd +", ""
	tests := map[string]struct {
		name, password         *string
		wantName, wantPassword string // In the account, which had "before" for both.
	}{
		"not mentioned": {nil, nil, "before", "before"},
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
				t.Errorf("the form is %v, want %v", sent, form)
			}
			f, _ := sim.Get(anyNumber)
			if f.Receive.URLUsername != test.wantName || f.Receive.URLPassword != test.wantPassword {
				t.Errorf("the account has %+v", f.Receive)
			}
		})
	}
}

// Whichever form of the answer FoneStorm gives, the caller sees the same.
func TestSetDeliveryReadsEveryDialect(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"sms_options", "message_options"} {
		for _, lower := range []bool{false, true} {
			for _, bare := range []bool{false, true} {
				dialect := simulator.Dialect{Options: options, LowerCaseTypes: lower, BareSuccess: bare}
				t.Run(fmt.Sprintf("%+v", dialect), func(t *testing.T) {
					t.Parallel()
					wantEveryTypeSet(t, dialect)
				})
			}
		}
	}
}

func wantEveryTypeSet(t *testing.T, dialect simulator.Dialect) {
	t.Helper()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1, Dialect: dialect})
	client := newBubbleClient(t, sim)
	for _, want := range oneOfEach() {
		f, err := client.SetDelivery(t.Context(), anyNumber, want)
		wantSuccess(t, err)
		if f.Number != anyNumber || !reflect.DeepEqual(f.Delivery, &want) {
			t.Errorf("the answer is %+v with %+v, want %+v", f, f.Delivery, want)
		}
	}
	kinds := map[string]int{"login": 1, "set": 5}
	if dialect.BareSuccess {
		kinds["get"] = 5 // An answer that shows nothing has to be read back.
	}
	wantKinds(t, sim, kinds)
}

func TestSetDeliveryRefused(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
	client := newTestClient(t, sim)
	_, err := client.SetDelivery(t.Context(), "3215559999", Delivery{Type: None})
	wantError(t, err, http.StatusNotFound)
	wantWords(t, err, "setting the delivery of FoneNumber 3215559999", "The FoneNumber was not found.")
	wantKinds(t, sim, map[string]int{"login": 1, "set": 1})
}

// A success that shows something else than was set is none: the state of Terraform would say what is not so.
func TestSetDeliveryDistrustsTheAnswer(t *testing.T) {
	t.Parallel()
	set := Delivery{Type: URL, Value: callback}
	tests := map[string]struct {
		answer string
		words  []string
		shows  *Delivery
	}{
		"another number": {
			`{"fonenumber":{"fonenumber":"3215559999","message_options":{"receive":{"type":"URL","url":"` + callback + `"}}}}`,
			[]string{"about FoneNumber", "3215559999"},
			nil,
		},
		"another type": {
			receiving(`{"type":"email","email":"ops@example.com","url":"` + callback + `"}`),
			[]string{`it shows Email "ops@example.com" where URL "` + callback + `" was set`},
			&Delivery{Type: Email, Value: "ops@example.com"},
		},
		"another value": {
			receiving(`{"type":"url","url":"https://callback.test/old"}`),
			[]string{`it shows URL "https://callback.test/old" where URL`},
			&Delivery{Type: URL, Value: "https://callback.test/old"},
		},
		"another method": {
			receiving(`{"type":"URL","url":"` + callback + `","url_method":"get"}`),
			[]string{"it shows URL"},
			&Delivery{Type: URL, Value: callback, URLMethod: "GET"},
		},
		"nothing set":     {receiving(`{"type":"None"}`), []string{"it shows None where URL"}, &Delivery{Type: None}},
		"no delivery":     {`{"fonenumber":{"fonenumber":"` + anyNumber + `"}}`, []string{"does not show where"}, nil},
		"no FoneNumber":   {`{"status_code":200}`, []string{"it holds no FoneNumber"}, nil},
		"an error":        {`{"error":"Gone Fishing","message":"until Monday"}`, []string{"Gone Fishing", "until Monday"}, nil},
		"always the same": {`{"result":"SUCCESS"}`, []string{"it holds no FoneNumber"}, nil}, // Read back in vain.
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newBubbleClient(t, answering(http.StatusOK, test.answer), withToken, withoutRetries)
			f, err := client.SetDelivery(t.Context(), anyNumber, set)
			wantAnswerError(t, err)
			wantWords(t, err, append(test.words, anyNumber)...)
			if !reflect.DeepEqual(f.Delivery, test.shows) {
				t.Errorf("the FoneNumber delivers to %+v, want %+v", f.Delivery, test.shows)
			}
		})
	}
}

// receiving returns an answer about anyNumber with this delivery.
func receiving(receive string) string {
	return `{"fonenumber":{"fonenumber":"` + anyNumber + `","is_active":"yes","message_options":{"receive":` + receive + `}}}`
}

// Version 2.1 says that it succeeded; only what is read back shows whether it did.
func TestSetDeliveryReadsBackAnotherDelivery(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1, Dialect: simulator.Dialect{BareSuccess: true}})
	client := newBubbleClient(t, sim)
	sim.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet { // Somebody has changed it between the two requests.
			sim.Put(simulator.FoneNumber{Number: anyNumber, Receive: simulator.Receive{Type: "Forward", Forward: "3215552222"}})
		}
		return false
	})
	_, err := client.SetDelivery(t.Context(), anyNumber, Delivery{Type: Forward, Value: "3215551111"})
	wantAnswerError(t, err)
	wantWords(t, err, `it shows Forward "3215552222" where Forward "3215551111" was set`)

	sim.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet {
			sim.Remove(anyNumber)
		}
		return false
	})
	_, err = client.SetDelivery(t.Context(), anyNumber, Delivery{Type: Forward, Value: "3215551111"})
	wantError(t, err, http.StatusNotFound)
}

func TestSetDeliveryOfACancelledCall(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
	client := newBubbleClient(t, sim, withToken)
	why := errors.New("Terraform was interrupted")
	_, err := client.SetDelivery(cancelled(t, why), anyNumber, Delivery{Type: None})
	if !errors.Is(err, why) {
		t.Errorf("the error is %v, want %v", err, why)
	}
	wantWords(t, err, "setting the delivery of FoneNumber "+anyNumber)
	wantKinds(t, sim, map[string]int{})
}

// What comes of a setting that failed is known only when nothing of it can have got through.
func TestMayHaveTakenEffect(t *testing.T) {
	t.Parallel()
	refused, expired := refuse(http.StatusUnprocessableEntity, "no such device", ""), refuse(http.StatusUnauthorized, "expired", "")
	limited, failing := refuse(http.StatusGone, "Rate Limit Exceeded", ""), refuse(http.StatusBadGateway, "later", "")
	for name, test := range map[string]struct {
		answers []http.HandlerFunc
		want    bool
	}{
		"refused":                       {[]http.HandlerFunc{logIn, refused}, false},
		"limited each time":             {[]http.HandlerFunc{logIn, limited}, false},
		"token refused, login, refused": {[]http.HandlerFunc{logIn, expired, logIn, refused}, false},
		"token refused, login refused":  {[]http.HandlerFunc{logIn, expired}, false},
		"login fails":                   {[]http.HandlerFunc{failing}, false},
		"fails":                         {[]http.HandlerFunc{logIn, failing}, true},
		"times out":                     {[]http.HandlerFunc{logIn, refuse(http.StatusRequestTimeout, "too slow", "")}, true},
		"fails, refused":                {[]http.HandlerFunc{logIn, failing, refused}, true},
		"fails, token, login, refused":  {[]http.HandlerFunc{logIn, failing, expired, logIn, refused}, true},
		"fails, token, login refused":   {[]http.HandlerFunc{logIn, failing, expired}, true},
		"not understood":                {[]http.HandlerFunc{logIn, answering(http.StatusOK, "thank you").ServeHTTP}, true},
		"shown otherwise":               {[]http.HandlerFunc{logIn, answering(http.StatusOK, receiving(`{"type":"None"}`)).ServeHTTP}, true},
		"set, then not read": {
			[]http.HandlerFunc{logIn, answering(http.StatusOK, `{"result":"SUCCESS"}`).ServeHTTP, refuse(http.StatusNotFound, "", "")}, true,
		},
	} {
		inBubble(t, name, func(t *testing.T) {
			client := newBubbleClient(t, &script{answers: test.answers})
			_, err := client.SetDelivery(t.Context(), anyNumber, Delivery{Type: Email, Value: "ops@example.com"})
			if err == nil {
				t.Fatal("there is no error")
			}
			if got := MayHaveTakenEffect(err); got != test.want {
				t.Errorf("%t, want %t: %v", got, test.want, err)
			}
		})
	}
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		client := newNetworkClient(t, &network{connect: func(*http.Request) error { return io.EOF }}, withToken, withoutRetries)
		if _, err := client.SetDelivery(t.Context(), anyNumber, Delivery{Type: None}); !MayHaveTakenEffect(err) {
			t.Errorf("it may have: %v", err)
		}
	})
	t.Run("never sent", func(t *testing.T) {
		t.Parallel()
		client := newBubbleClient(t, http.NotFoundHandler(), withToken)
		if _, err := client.SetDelivery(cancelled(t, nil), anyNumber, Delivery{Type: None}); err == nil || MayHaveTakenEffect(err) {
			t.Errorf("it cannot have: %v", err)
		}
	})
}
