package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"strconv"
	"time"
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

func (s *Simulator) logIn(w http.ResponseWriter, r *http.Request) {
	form, ok := s.parameters(w, r, s.profile.LoginBody, "username")
	if !ok {
		return
	}
	account, ok := s.logInTo(form.Get("username"), form.Get("password"))
	if !ok {
		fail(w, s.profile.LoginStatus, "Invalid username or password.")
		return
	}
	seconds, _ := strconv.Atoi(form.Get("expires")) // Validated by the contract; 0 if missing.
	text, expires := s.newToken(account, time.Duration(seconds)*time.Second)
	token := map[string]any{"token": text}
	switch s.profile.LoginResponse {
	case "token":
		reply(w, http.StatusOK, map[string]any{
			"status_code": http.StatusOK,
			"result":      "REGISTERED",
			"token":       text,
			"expires":     expires.UTC().Format("2006-01-02T15:04:05.000Z"),
		})
	case "data":
		reply(w, http.StatusCreated, map[string]any{"data": map[string]any{"auth": token}})
	default:
		reply(w, http.StatusCreated, map[string]any{s.profile.LoginResponse: token})
	}
}

func (s *Simulator) subaccountToken(w http.ResponseWriter, r *http.Request, account string) {
	form, ok := s.parameters(w, r, s.profile.LoginBody, "subaccount")
	if !ok {
		return
	}
	subaccount := form.Get("subaccount")
	switch {
	case account != s.options.Account:
		fail(w, http.StatusForbidden, "A subaccount has no subaccounts.")
	case !s.hasSubaccount(subaccount):
		fail(w, http.StatusNotFound, "The subaccount was not found.")
	default:
		text, _ := s.newToken(subaccount, 0)
		reply(w, http.StatusCreated, map[string]any{"subaccount": map[string]any{"token": text}})
	}
}

func (s *Simulator) listFoneNumbers(w http.ResponseWriter, r *http.Request, account string) {
	select {
	case <-time.After(time.Duration(s.profile.ListLatency)):
	case <-r.Context().Done():
		return
	}
	filtered := r.URL.Query().Get("filter") == "all"
	if filtered && s.profile.List == "refused" {
		fail(w, s.profile.ListStatus, "The filter is not valid.")
		return
	}
	objects := filtered && s.profile.List == "all"
	inactive := s.profile.List == "objects-with-inactive"
	list := []any{}
	for _, f := range s.records() {
		switch {
		case f.Subaccount != s.subaccountOf(account) || f.Active != "yes" && !inactive:
		case objects || inactive:
			list = append(list, f.object(s.profile))
		default:
			list = append(list, f.Number)
		}
	}
	reply(w, http.StatusOK, map[string]any{"fonenumbers": list})
}

func (s *Simulator) getFoneNumber(w http.ResponseWriter, r *http.Request, account string) {
	number := r.PathValue("fonenumber")
	s.mu.Lock()
	f, ok := s.numbers[number]
	s.mu.Unlock()
	if !ok || f.Subaccount != s.subaccountOf(account) {
		fail(w, http.StatusNotFound, "The FoneNumber was not found.")
		return
	}
	reply(w, http.StatusOK, map[string]any{"fonenumber": f.object(s.profile)})
}

func (s *Simulator) setDelivery(w http.ResponseWriter, r *http.Request, account string) {
	form, ok := s.parameters(w, r, s.profile.SettingBody, "fonenumber")
	if !ok {
		return
	}
	if reason := badValue(form.Get("type"), form.Get("value")); reason != "" {
		s.addViolation(reason)
		fail(w, s.profile.ValidationStatus, reason)
		return
	}
	for _, name := range []string{"url_username", "url_password"} {
		if s.profile.EmptyCredentials == "refused" && form.Has(name) && form.Get(name) == "" {
			fail(w, s.profile.ValidationStatus, name+" must not be empty.")
			return
		}
	}
	f, ok := s.deliver(r.Context(), account, form)
	switch {
	case !ok:
		fail(w, http.StatusNotFound, "The FoneNumber was not found.")
	case s.profile.SettingResponse == "success":
		reply(w, http.StatusOK, map[string]any{"status_code": http.StatusOK, "result": "SUCCESS"})
	default:
		reply(w, http.StatusOK, map[string]any{"fonenumber": f.object(s.profile)})
	}
}

// deliver changes the delivery of a FoneNumber of the account. Credentials that are not in the request stay unchanged.
func (s *Simulator) deliver(ctx context.Context, account string, form url.Values) (record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.numbers[form.Get("fonenumber")]
	if !ok || f.Subaccount != s.subaccountOf(account) {
		return record{}, false
	}
	before := f.Receive
	f.neverSet = false
	f.Receive = f.Receive.Delivering(form.Get("type"), form.Get("value"))
	if form.Has("url_username") {
		f.Receive.URLUsername = form.Get("url_username")
	}
	if form.Has("url_password") {
		f.Receive.URLPassword = form.Get("url_password")
	}
	s.numbers[f.Number] = f
	s.noteChange(ctx, f.Number+": "+before.change(f.Receive))
	return f, true
}

func (s *Simulator) listDevices(w http.ResponseWriter, _ *http.Request, account string) {
	if s.refuseDevices(w) {
		return
	}
	list := []any{}
	for _, d := range s.Devices() {
		if d.Subaccount == s.subaccountOf(account) {
			list = append(list, d.object(s.profile))
		}
	}
	reply(w, http.StatusOK, map[string]any{"devices": list})
}

func (s *Simulator) getDevice(w http.ResponseWriter, r *http.Request, account string) {
	if s.refuseDevices(w) {
		return
	}
	s.mu.Lock()
	d, ok := s.devices[r.PathValue("id")]
	s.mu.Unlock()
	if !ok || d.Subaccount != s.subaccountOf(account) {
		fail(w, http.StatusNotFound, "The device was not found.")
		return
	}
	reply(w, http.StatusOK, map[string]any{"device": d.object(s.profile)})
}

func (s *Simulator) refuseDevices(w http.ResponseWriter) (refused bool) {
	if s.profile.Devices == "all" {
		return false
	}
	fail(w, http.StatusForbidden, "The user is not allowed to list devices.")
	return true
}

var (
	digits    = regexp.MustCompile(`^[0-9]+$`)
	tenDigits = regexp.MustCompile(`^[0-9]{10}$`)
)

// badValue says why a destination is invalid for its type; "" if it is valid.
func badValue(kind, value string) string {
	ok := false
	switch kind {
	case "Device":
		ok = digits.MatchString(value)
	case "Email":
		address, err := mail.ParseAddress(value)
		ok = err == nil && address.Address == value
	case "URL":
		u, err := url.Parse(value)
		ok = err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	case "Forward":
		ok = tenDigits.MatchString(value)
	case "None":
		ok = value == "None"
	}
	if ok {
		return ""
	}
	return fmt.Sprintf("The value %q is not valid for type %s.", value, kind)
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
