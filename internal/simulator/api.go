package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"time"
)

// api routes the calls that the contract describes.
func (s *Simulator) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+BasePath+"/auth", s.logIn)
	mux.Handle("GET "+BasePath+"/fonenumbers", s.authenticated(s.listFoneNumbers))
	mux.Handle("GET "+BasePath+"/fonenumbers/{fonenumber}", s.authenticated(s.getFoneNumber))
	mux.Handle("POST "+BasePath+"/messages/receive", s.authenticated(s.setDelivery))
	return mux
}

func (s *Simulator) authenticated(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.validToken(r.Header.Get("token")) {
			fail(w, http.StatusUnauthorized, "The token is missing, invalid or expired.")
			return
		}
		next(w, r)
	})
}

func (s *Simulator) logIn(w http.ResponseWriter, r *http.Request) {
	form, ok := parameters(w, r)
	if !ok {
		return
	}
	if form.Get("username") != s.options.Username || form.Get("password") != s.options.Password {
		fail(w, http.StatusUnauthorized, "Invalid username or password.")
		return
	}
	token := s.newToken()
	if s.options.Dialect.Auth == "token" {
		reply(w, http.StatusOK, map[string]any{
			"status_code": http.StatusOK,
			"result":      "REGISTERED",
			"token":       token,
			"expires":     time.Now().Add(s.options.TokenLifetime).UTC().Format("2006-01-02T15:04:05.000Z"),
		})
		return
	}
	reply(w, http.StatusCreated, map[string]any{s.options.Dialect.Auth: map[string]any{"token": token}})
}

func (s *Simulator) listFoneNumbers(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for _, f := range s.Numbers() {
		if f.Active != "yes" {
			continue
		}
		if r.URL.Query().Get("filter") == "all" {
			list = append(list, f.object(s.options.Dialect))
		} else {
			list = append(list, f.Number)
		}
	}
	reply(w, http.StatusOK, map[string]any{"fonenumbers": list})
}

func (s *Simulator) getFoneNumber(w http.ResponseWriter, r *http.Request) {
	f, ok := s.Get(r.PathValue("fonenumber"))
	if !ok {
		fail(w, http.StatusNotFound, "The FoneNumber was not found.")
		return
	}
	reply(w, http.StatusOK, map[string]any{"fonenumber": f.object(s.options.Dialect)})
}

func (s *Simulator) setDelivery(w http.ResponseWriter, r *http.Request) {
	form, ok := parameters(w, r)
	if !ok {
		return
	}
	number, kind, value := form.Get("fonenumber"), form.Get("type"), form.Get("value")
	if reason := badValue(kind, value); reason != "" {
		s.addViolation(reason)
		fail(w, http.StatusBadRequest, reason)
		return
	}
	f, ok := s.deliver(number, kind, value, form)
	switch {
	case !ok:
		fail(w, http.StatusNotFound, "The FoneNumber was not found.")
	case s.options.Dialect.BareSuccess:
		reply(w, http.StatusOK, map[string]any{"status_code": http.StatusOK, "result": "SUCCESS"})
	default:
		reply(w, http.StatusOK, map[string]any{"fonenumber": f.object(s.options.Dialect)})
	}
}

// deliver changes where a FoneNumber delivers. Credentials that the request does not mention stay as they are.
func (s *Simulator) deliver(number, kind, value string, form url.Values) (FoneNumber, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.numbers[number]
	if !ok {
		return FoneNumber{}, false
	}
	f.Receive = f.Receive.Delivering(kind, value)
	if form.Has("url_username") {
		f.Receive.URLUsername = form.Get("url_username")
	}
	if form.Has("url_password") {
		f.Receive.URLPassword = form.Get("url_password")
	}
	s.numbers[number] = f
	return f, true
}

var (
	digits    = regexp.MustCompile(`^[0-9]+$`)
	tenDigits = regexp.MustCompile(`^[0-9]{10}$`)
)

// badValue says why a destination does not suit its type, and "" when it does.
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

// parameters reads the request body, or answers that it cannot be read.
func parameters(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		fail(w, http.StatusBadRequest, "The body cannot be read.")
		return nil, false
	}
	form, err := formOf(r.Header.Get("Content-Type"), body)
	if err != nil {
		fail(w, http.StatusBadRequest, "The body cannot be understood.")
		return nil, false
	}
	return form, true
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // Fails only when the client has gone away.
}

// fail answers with the envelope that every error of FoneStorm has.
func fail(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]any{"error": http.StatusText(status), "message": message, "status_code": status})
}
