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
	mux.Handle("POST "+BasePath+"/messages/receive", s.authenticated(s.setDelivery))
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

func (s *Simulator) setDelivery(w http.ResponseWriter, r *http.Request, account string) {
	form := Parameters(r)
	if reason := badDelivery(form); reason != "" {
		s.addViolation(reason)
		fail(w, http.StatusBadRequest, reason)
		return
	}
	number := form.Get("fonenumber")
	s.mu.Lock()
	f, ok := s.numbers[number]
	if ok = ok && f.Subaccount == s.subaccountOf(account); ok {
		f.before, f.shown = f.FoneNumber, 0
		f.Receive = f.Receive.Delivering(form.Get("type"), form.Get("value"))
		if form.Has("url_username") { // Credentials that are not sent stay.
			f.Receive.URLUsername = form.Get("url_username")
		}
		if form.Has("url_password") {
			f.Receive.URLPassword = form.Get("url_password")
		}
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
