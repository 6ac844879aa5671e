package simulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// object is a JSON object.
type object = map[string]any

// call is a call of the API. It returns the status and the body of the response, as for reply. The account is the Subaccount of the
// FoneNumbers and devices on which the request's token acts.
type call func(r *http.Request, account string) (status int, body any)

// Messages of errors.
const (
	tokenInvalid       = "The token is missing, invalid, or expired."
	foneNumberNotFound = "The FoneNumber was not found."
	rateLimitExceeded  = "Rate Limit Exceeded"
)

// api routes the calls that the contract describes.
func (s *Simulator) api() http.Handler {
	mux := http.NewServeMux()
	for pattern, call := range map[string]call{
		"POST /auth":                    s.logIn,
		"POST /subaccounts/token":       s.subaccountToken,
		"GET /fonenumbers":              s.listFoneNumbers,
		"GET /fonenumbers/{fonenumber}": s.getFoneNumber,
		"POST /messages/receive":        s.setting(setDelivery),
		"POST /messages/receive_notify": s.setting(func(f *FoneNumber, form url.Values) { f.ReceiveNotify.set(form) }),
		"POST /messages/send_notify":    s.setting(func(f *FoneNumber, form url.Values) { f.SendNotify.set(form) }),
		"GET /devices":                  s.listDevices,
	} {
		mux.Handle(pattern, s.handler(call))
	}
	return http.StripPrefix(BasePath, mux)
}

// handler handles requests with a valid token, and logins, one at a time.
func (s *Simulator) handler(next call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		token := s.tokens[r.Header.Get("token")]
		status, body := http.StatusUnauthorized, any(tokenInvalid)
		if r.Pattern == "POST /auth" || time.Now().Before(token.expires) {
			status, body = next(r, token.account)
		}
		s.mu.Unlock()
		reply(w, status, body)
	}
}

func (s *Simulator) listFoneNumbers(r *http.Request, account string) (int, any) {
	everything := s.options.Dialect.IgnoresFilter
	list := []any{}
	for _, number := range slices.Sorted(maps.Keys(s.numbers)) {
		switch f := s.numbers[number]; {
		case f.Subaccount != account || f.Active != "yes" && !everything:
		case everything || r.URL.Query().Get("filter") == "all":
			list = append(list, s.show(r, f))
		default:
			list = append(list, number)
		}
	}
	return http.StatusOK, object{"fonenumbers": list}
}

func (s *Simulator) getFoneNumber(r *http.Request, account string) (int, any) {
	f, ok := s.numbers[r.PathValue("fonenumber")]
	if !ok || f.Subaccount != account {
		return http.StatusNotFound, foneNumberNotFound
	}
	return http.StatusOK, object{"fonenumber": s.show(r, f)}
}

// setting returns a call that changes a FoneNumber.
func (s *Simulator) setting(set func(*FoneNumber, url.Values)) call {
	return func(r *http.Request, account string) (int, any) {
		f, ok := s.numbers[r.PostForm.Get("fonenumber")]
		if !ok || f.Subaccount != account {
			return http.StatusNotFound, foneNumberNotFound
		}
		set(&f, r.PostForm)
		s.numbers[f.Number] = f
		return http.StatusOK, object{"fonenumber": s.show(r, f)}
	}
}

// setDelivery leaves credentials that are not sent unchanged.
func setDelivery(f *FoneNumber, form url.Values) {
	f.Receive = f.Receive.Delivering(form.Get("type"), form.Get("value"))
	setIfSent(form, map[string]*string{"url_username": &f.Receive.URLUsername, "url_password": &f.Receive.URLPassword})
}

// set changes the parameters that are sent.
func (n *Notify) set(form url.Values) {
	n.Type = form.Get("type")
	setIfSent(form, map[string]*string{
		"email": &n.Email, "url": &n.URL, "method": &n.Method, "url_username": &n.URLUsername, "url_password": &n.URLPassword,
	})
}

func setIfSent(form url.Values, fields map[string]*string) {
	for name, field := range fields {
		if form.Has(name) {
			*field = form.Get(name)
		}
	}
}

func (s *Simulator) listDevices(_ *http.Request, account string) (int, any) {
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(s.devices)) {
		if d := s.devices[id]; d.Subaccount == account {
			list = append(list, d)
		}
	}
	return http.StatusOK, object{"devices": list}
}

// reply sends a response. A body that is a text is the message of an error, in the envelope of all FoneStorm errors.
func reply(w http.ResponseWriter, status int, body any) {
	if message, isText := body.(string); isText {
		body = object{"error": http.StatusText(status), "message": message, "status_code": status}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // Fails only if the client has disconnected.
}
