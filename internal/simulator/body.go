package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
)

// Parameters returns the parameters in a JSON or form body, for interceptors. It returns none if the body cannot be read. The
// body can be read again afterwards.
func Parameters(r *http.Request) url.Values {
	body, _ := io.ReadAll(r.Body) // The body is in memory.
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := formOf(bodyKind(r.Header.Get("Content-Type"), body), body)
	return form
}

// bodyKind returns "json", "form", or "" for no body or another kind.
func bodyKind(contentType string, body []byte) string {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	switch {
	case len(body) == 0:
		return ""
	case mediaType == "application/json":
		return "json"
	case mediaType == "application/x-www-form-urlencoded":
		return "form"
	default:
		return ""
	}
}

// formOf reads the parameters of a request body. JSON values that are not strings are returned as JSON.
func formOf(kind string, body []byte) (url.Values, error) {
	if kind != "json" {
		return url.ParseQuery(string(body))
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil {
		return nil, err
	}
	form := make(url.Values, len(members))
	for name, value := range members {
		form.Set(name, fmt.Sprint(value))
	}
	return form, nil
}

// parameters reads the request body of a call that accepts this kind ("json", "form", or "both"), or sends an error. A service
// that reads only the other kind finds nothing in the body, so the error says that the first parameter is missing.
func (s *Simulator) parameters(w http.ResponseWriter, r *http.Request, accepted, first string) (url.Values, bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		fail(w, http.StatusBadRequest, "The body cannot be read.")
		return nil, false
	}
	kind := bodyKind(r.Header.Get("Content-Type"), body)
	if accepted != "both" && accepted != kind {
		message := first + " is required"
		if s.profile.BodyStatus == http.StatusUnsupportedMediaType {
			message = "The content type is not supported."
		}
		fail(w, s.profile.BodyStatus, message)
		return nil, false
	}
	form, err := formOf(kind, body)
	if err != nil {
		fail(w, http.StatusBadRequest, "The body is not valid.")
		return nil, false
	}
	return form, true
}
