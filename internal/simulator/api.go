package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
)

// api routes the calls that the contract describes.
func (s *Simulator) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+BasePath+"/auth", s.logIn)
	mux.Handle("POST "+BasePath+"/subaccounts/token", s.authenticated(s.subaccountToken))
	mux.Handle("GET "+BasePath+"/fonenumbers", s.authenticated(s.listFoneNumbers))
	mux.Handle("GET "+BasePath+"/fonenumbers/{fonenumber}", s.authenticated(s.getFoneNumber))
	mux.Handle("POST "+BasePath+"/messages/receive", s.authenticated(s.setting(badDelivery, setDelivery)))
	mux.Handle("POST "+BasePath+"/messages/receive_notify", s.authenticated(s.setting(badNotification, func(f *FoneNumber, form url.Values) { f.ReceiveNotify.set(form) })))
	mux.Handle("POST "+BasePath+"/messages/send_notify", s.authenticated(s.setting(badNotification, func(f *FoneNumber, form url.Values) { f.SendNotify.set(form) })))
	mux.Handle("GET "+BasePath+"/devices", s.authenticated(s.listDevices))
	mux.Handle("GET "+BasePath+"/devices/{id}", s.authenticated(s.getDevice))
	return mux
}

// authenticated passes requests with a valid token to the handler, with the account that the token acts on.
func (s *Simulator) authenticated(next func(w http.ResponseWriter, r *http.Request, account string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		account, ok := s.accountOf(r.Header.Get("token"))
		if !ok {
			fail(w, http.StatusUnauthorized, "The token is missing, invalid, or expired.")
			return
		}
		next(w, r, account)
	})
}

func (s *Simulator) listFoneNumbers(w http.ResponseWriter, r *http.Request, account string) {
	everything := s.options.Dialect.IgnoresFilter
	list := []any{}
	for _, f := range s.Numbers() {
		switch {
		case f.Subaccount != s.subaccountOf(account) || f.Active != "yes" && !everything:
		case everything || r.URL.Query().Get("filter") == "all":
			if object := s.show(FromList, f.Number); object != nil {
				list = append(list, object)
			}
		default:
			list = append(list, f.Number)
		}
	}
	reply(w, http.StatusOK, map[string]any{"fonenumbers": list})
}

func (s *Simulator) getFoneNumber(w http.ResponseWriter, r *http.Request, account string) {
	number := r.PathValue("fonenumber")
	if f, ok := s.Get(number); !ok || f.Subaccount != s.subaccountOf(account) {
		fail(w, http.StatusNotFound, "The FoneNumber was not found.")
		return
	}
	reply(w, http.StatusOK, map[string]any{"fonenumber": s.show(FromRead, number)})
}

// setting returns the handler of a call that changes a FoneNumber, after bad has found no reason to reject the parameters.
func (s *Simulator) setting(bad func(url.Values) (reason string), set func(*FoneNumber, url.Values)) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, account string) {
		form := Parameters(r)
		if reason := bad(form); reason != "" {
			s.addViolation(reason)
			fail(w, http.StatusBadRequest, reason)
			return
		}
		number := form.Get("fonenumber")
		s.mu.Lock()
		f, ok := s.numbers[number]
		if ok = ok && f.Subaccount == s.subaccountOf(account); ok {
			f.before, f.shown = f.FoneNumber, 0
			set(&f.FoneNumber, form)
			if s.storeAs != nil {
				f.FoneNumber = s.storeAs(f.before, f.FoneNumber)
			}
		}
		s.mu.Unlock()
		if !ok {
			fail(w, http.StatusNotFound, "The FoneNumber was not found.")
			return
		}
		reply(w, http.StatusOK, map[string]any{"fonenumber": s.show(FromSetting, number)})
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

func (s *Simulator) listDevices(w http.ResponseWriter, _ *http.Request, account string) {
	list := []any{}
	for _, d := range s.Devices() {
		if d.Subaccount == s.subaccountOf(account) {
			list = append(list, d.object())
		}
	}
	reply(w, http.StatusOK, map[string]any{"devices": list})
}

func (s *Simulator) getDevice(w http.ResponseWriter, r *http.Request, account string) {
	s.mu.Lock()
	d, ok := s.devices[r.PathValue("id")]
	s.mu.Unlock()
	if !ok || d.Subaccount != s.subaccountOf(account) {
		fail(w, http.StatusNotFound, "The device was not found.")
		return
	}
	reply(w, http.StatusOK, map[string]any{"device": d.object()})
}

var (
	digits    = regexp.MustCompile(`^[0-9]+$`)
	tenDigits = regexp.MustCompile(`^[0-9]{10}$`)
)

// badDelivery says why a destination is invalid for its type; "" if it is valid.
func badDelivery(form url.Values) string {
	kind, value := form.Get("type"), form.Get("value")
	valid := map[string]func(string) bool{
		"Device":  digits.MatchString,
		"Email":   isEmail,
		"URL":     isURL,
		"Forward": tenDigits.MatchString,
		"None":    func(value string) bool { return value == "None" },
	}[kind]
	if valid != nil && valid(value) {
		return ""
	}
	return fmt.Sprintf("The value %q is not valid for type %s.", value, kind)
}

// badNotification says why a notification is invalid; "" if it is valid.
func badNotification(form url.Values) string {
	switch kind := form.Get("type"); {
	case kind == "Email" && !isEmail(form.Get("email")):
		return fmt.Sprintf("The email %q is not valid.", form.Get("email"))
	case kind == "Callback" && !isURL(form.Get("url")):
		return fmt.Sprintf("The url %q is not valid.", form.Get("url"))
	case kind == "Callback" && !form.Has("method"):
		return "The method is required for type Callback."
	default:
		return ""
	}
}

func isEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // Fails only if the client has disconnected.
}

// fail sends the envelope of all FoneStorm errors.
func fail(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]any{"error": http.StatusText(status), "message": message, "status_code": status})
}
