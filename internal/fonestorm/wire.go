package fonestorm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// params are the body parameters of a request: strings, and numbers where FracTEL documents a number.
type params map[string]any

// encoding is a format for body parameters. The zero value means that it is not known which one FoneStorm reads.
type encoding int32

// The encodings. FracTEL's current pages and every live program use JSON; the API descriptions from 2017 and 2018 (2.0 to 2.4)
// use forms.
const (
	asJSON encoding = iota + 1
	asForm
)

func (e encoding) contentType() string {
	if e == asForm {
		return "application/x-www-form-urlencoded"
	}
	return "application/json"
}

func (e encoding) encode(p params) []byte {
	if e == asForm {
		form := make(url.Values, len(p))
		for name, value := range p {
			form.Set(name, fmt.Sprint(value))
		}
		return []byte(form.Encode())
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // Other programs do not escape the "&" of a URL either.
	_ = encoder.Encode(p)        // Encoding strings and integers cannot fail.
	return bytes.TrimSpace(body.Bytes())
}

// scalar reads any JSON value as text, because FracTEL's documents say string where their examples show numbers, and boolean
// where they show words. Null, objects, and arrays become "", and true becomes "true".
type scalar struct{ text string }

func (s *scalar) UnmarshalJSON(data []byte) error {
	s.text = ""
	switch data[0] {
	case '"':
		return json.Unmarshal(data, &s.text)
	case '{', '[', 'n':
		return nil
	default:
		s.text = string(data)
		return nil
	}
}

// trimmed returns the text without surrounding white space.
func (s scalar) trimmed() string { return strings.TrimSpace(s.text) }

// isNo and isYes read FracTEL's "no" and "yes", which some of its clients write as booleans.
func (s scalar) isNo() bool  { return isOneOf(s.trimmed(), "no", "false", "0", "off", "disabled") }
func (s scalar) isYes() bool { return isOneOf(s.trimmed(), "yes", "true", "1", "on", "active") }

func isOneOf(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.EqualFold(text, word) })
}

// object is an object that may be missing or be something else, such as null or the empty array that PHP writes for an empty
// object. It never makes the rest of the response invalid.
type object[T any] struct {
	value T
	found bool
}

func (o *object[T]) UnmarshalJSON(data []byte) error {
	*o = object[T]{}
	if data[0] != '{' {
		return nil
	}
	o.found = true
	return json.Unmarshal(data, &o.value)
}

// envelope is the body of every error response from FoneStorm. All three members are required.
type envelope struct {
	Error      scalar  `json:"error"`
	Message    *scalar `json:"message"`
	StatusCode scalar  `json:"status_code"`
}

// decodeEnvelope reads the body of an error response; a body that is not from FoneStorm becomes an empty envelope.
func decodeEnvelope(body []byte) (e envelope) {
	if json.Unmarshal(body, &e) != nil {
		return envelope{}
	}
	return e
}

// isComplete reports whether this is FoneStorm's envelope for the status, and not the JSON of a proxy.
func (e *envelope) isComplete(status int) bool {
	return e.Error.text != "" && e.Message != nil && e.StatusCode.text == strconv.Itoa(status)
}

// text returns FoneStorm's own words: the message, or the error if there is none.
func (e *envelope) text() string {
	if e.Message != nil && e.Message.text != "" {
		return e.Message.text
	}
	return e.Error.text
}

// wireFoneNumber is a FoneNumber as the API returns it. Other members are ignored.
type wireFoneNumber struct {
	Number         scalar              `json:"fonenumber"`
	Label          scalar              `json:"label"`
	Group          scalar              `json:"group"`
	IsActive       scalar              `json:"is_active"`
	SMSOptions     object[wireOptions] `json:"sms_options"`     // On the Set Delivery page and in live responses.
	MessageOptions object[wireOptions] `json:"message_options"` // v2.11 and later.
	wireOptions                        // v2.1.1 has `receive` in the FoneNumber itself.
}

type wireOptions struct {
	Receive          object[wireReceive] `json:"receive"`
	ReceiveNotify    object[wireNotify]  `json:"receive_notify"`
	SendNotify       object[wireNotify]  `json:"send_notify"`
	SMSEnabled       scalar              `json:"sms_enabled"`
	MessagingEnabled scalar              `json:"messaging_enabled"`
}

// wireReceive has a field for each type of destination. Fields of other types than the current one contain old values.
type wireReceive struct {
	Type      scalar `json:"type"`
	Device    scalar `json:"device"`
	Email     scalar `json:"email"`
	URL       scalar `json:"url"`
	URLMethod scalar `json:"url_method"`
	Forward   scalar `json:"forward"`
	Value     scalar `json:"value"` // The request parameter, which a response may repeat.
}

type wireNotify struct {
	Type   scalar `json:"type"`
	Email  scalar `json:"email"`
	URL    scalar `json:"url"`
	Method scalar `json:"method"`
}

func (w *wireFoneNumber) foneNumber() FoneNumber {
	f := FoneNumber{
		Number: canonicalNumber(w.Number.text),
		Label:  w.Label.text,
		Group:  w.Group.text,
		Status: parseStatus(w.IsActive),
	}
	for _, options := range []*wireOptions{&w.SMSOptions.value, &w.MessageOptions.value, &w.wireOptions} {
		f.MessagingDisabled = f.MessagingDisabled || options.SMSEnabled.isNo() || options.MessagingEnabled.isNo()
		if receive := &options.Receive; receive.found && (f.Delivery == nil || f.Delivery.Type == None && f.CallbackURL == "") {
			f.Delivery, f.CallbackURL = receive.value.delivery(), receive.value.URL.trimmed()
		}
		if n := &options.ReceiveNotify; n.found && f.ReceiveNotify == (Notification{}) {
			f.ReceiveNotify = n.value.notification()
		}
		if n := &options.SendNotify; n.found && f.SendNotify == (Notification{}) {
			f.SendNotify = n.value.notification()
		}
	}
	return f
}

func parseStatus(active scalar) Status {
	switch {
	case active.trimmed() == "":
		return ""
	case active.isYes():
		return Active
	case active.isNo():
		return CancellationPending
	case isOneOf(active.trimmed(), "cancel", "cancelled", "canceled"):
		return Cancelled
	default:
		return StatusUnknown
	}
}

func (w *wireReceive) delivery() *Delivery {
	d := &Delivery{Type: parseType(w.Type.text)}
	switch d.Type {
	case Device:
		d.Value = w.Device.trimmed()
	case Email:
		d.Value = w.Email.trimmed()
	case URL:
		d.Value = w.URL.trimmed()
		d.URLMethod = strings.ToUpper(w.URLMethod.trimmed())
	case Forward:
		d.Value = w.Forward.trimmed()
	case None:
		return d
	}
	if d.Value == "" {
		d.Value = w.Value.trimmed()
	}
	return d
}

func (w *wireNotify) notification() Notification {
	n := Notification{Email: w.Email.trimmed(), URL: w.URL.trimmed(), Method: strings.ToUpper(w.Method.trimmed())}
	kind := w.Type.trimmed()
	switch {
	case strings.EqualFold(kind, string(NotifyEmail)), kind == "" && n.URL == "" && n.Email != "":
		n.Type = NotifyEmail
	case strings.EqualFold(kind, string(NotifyCallback)), kind == "" && n.URL != "": // Older versions return no type.
		n.Type = NotifyCallback
	case kind == "" || strings.EqualFold(kind, string(NotifyNone)):
		n.Type = NotifyNone
	default:
		n.Type = NotificationType(kind)
	}
	return n
}

// unmarshal reads JSON. Unlike those of json.Unmarshal, its errors never quote the response.
func unmarshal(body []byte, into any) error {
	if json.Unmarshal(body, into) != nil {
		return errors.New("is " + describe(body))
	}
	return nil
}

// decodeFoneNumber reads a response about one FoneNumber: an object in `fonenumber`, or the FoneNumber itself. Either can be
// nested in `data`. The FoneNumber is nil if the response only reports success, as in version 2.1.
func decodeFoneNumber(body []byte) (*FoneNumber, error) {
	var sent struct {
		envelope
		Result     scalar          `json:"result"`
		FoneNumber json.RawMessage `json:"fonenumber"`
		Data       json.RawMessage `json:"data"`
	}
	if err := unmarshal(body, &sent); err != nil {
		return nil, err
	}
	found := sent.FoneNumber
	if len(found) > 0 && found[0] != '{' && found[0] != 'n' {
		found = body // The FoneNumber itself, with its number in this member.
	}
	switch {
	case len(found) > 0 && found[0] != 'n':
		var w wireFoneNumber
		if err := unmarshal(found, &w); err != nil {
			return nil, err
		}
		f := w.foneNumber()
		return &f, nil
	case len(sent.Data) > 0 && sent.Data[0] == '{':
		return decodeFoneNumber(sent.Data)
	case sent.Error.text != "":
		return nil, fmt.Errorf("reports success and the error %q", sent.Error.text)
	case isOneOf(sent.Result.trimmed(), "SUCCESS", "OK"):
		return nil, nil //nolint:nilnil // See above.
	default:
		return nil, errors.New("contains no FoneNumber")
	}
}

// decodeToken returns the token in a response to a login or to a request for a subaccount token. FracTEL's documents show it in
// `auth`, `authorization`, and `subaccount`, and at the top level. One live program reads it from a further `data`.
func decodeToken(body []byte) (string, error) {
	type holder struct {
		Token scalar `json:"token"`
	}
	var sent struct {
		holder
		Auth          object[holder]  `json:"auth"`
		Authorization object[holder]  `json:"authorization"`
		Subaccount    object[holder]  `json:"subaccount"`
		Data          json.RawMessage `json:"data"`
	}
	if err := unmarshal(body, &sent); err != nil {
		return "", fmt.Errorf("contains no token: it %w", err)
	}
	for _, found := range []holder{sent.Auth.value, sent.Authorization.value, sent.Subaccount.value, sent.holder} {
		if token := found.Token.trimmed(); strings.ContainsFunc(token, unicode.IsControl) {
			return token, errors.New("contains a token with a control character, which cannot be sent")
		} else if token != "" {
			return token, nil
		}
	}
	if len(sent.Data) > 0 && sent.Data[0] == '{' {
		return decodeToken(sent.Data)
	}
	return "", errors.New("contains no token")
}

// decodeFoneNumbers reads a response to `GET /fonenumbers`. An entry that is only a number becomes a FoneNumber without a delivery.
// Entries without a number are skipped, unless there are no others.
func decodeFoneNumbers(body []byte) ([]FoneNumber, error) {
	entries, err := decodeArray[wireEntry](body, "fonenumbers")
	list := make([]FoneNumber, 0, len(entries))
	for i := range entries {
		if f := entries[i].foneNumber(); isTenDigits(f.Number) {
			list = append(list, f)
		}
	}
	if len(list) == 0 && len(entries) > 0 { // An account without FoneNumbers has an empty list.
		return nil, errors.New("has a list in which no entry contains a FoneNumber")
	}
	return list, err
}

// decodeArray reads the array in the named member of an object or of its `data`. Null is an empty array.
func decodeArray[T any](body []byte, name string) ([]T, error) {
	var members map[string]json.RawMessage
	if err := unmarshal(body, &members); err != nil {
		return nil, err
	}
	array, found := members[name]
	if data := members["data"]; !found && len(data) > 0 && data[0] == '{' {
		return decodeArray[T](data, name)
	}
	if !found {
		return nil, fmt.Errorf("contains no %q", name)
	}
	var list []T
	if json.Unmarshal(array, &list) != nil {
		return nil, fmt.Errorf("has no list in %q", name)
	}
	return list, nil
}

// wireEntry is one entry of the list: a FoneNumber, or only its number.
type wireEntry struct{ wireFoneNumber }

func (e *wireEntry) UnmarshalJSON(data []byte) error {
	e.wireFoneNumber = wireFoneNumber{}
	if data[0] == '{' {
		return json.Unmarshal(data, &e.wireFoneNumber)
	}
	return json.Unmarshal(data, &e.Number)
}

// wireDevice is a device as the API returns it.
type wireDevice struct {
	ID         scalar `json:"id"`
	Name       scalar `json:"name"`
	Type       scalar `json:"type"`
	FoneNumber scalar `json:"fonenumber"`
}

// decodeDevices reads a response to `GET /devices`. Entries without an ID are skipped.
func decodeDevices(body []byte) ([]RegisteredDevice, error) {
	entries, err := decodeArray[object[wireDevice]](body, "devices")
	list := make([]RegisteredDevice, 0, len(entries))
	for _, entry := range entries {
		if w := entry.value; w.ID.trimmed() != "" {
			list = append(list, RegisteredDevice{ID: w.ID.trimmed(), Name: w.Name.text, Type: w.Type.text, FoneNumber: canonicalNumber(w.FoneNumber.text)})
		}
	}
	return list, err
}

// describe says what a response body is that is not the expected JSON. It never quotes the body, which may contain a secret.
func describe(body []byte) string {
	text := bytes.TrimSpace(body)
	sniffed := http.DetectContentType(text)
	kind := "binary data"
	switch {
	case len(text) == 0:
		return "empty"
	case json.Valid(text):
		kind = "JSON of another form"
	case text[0] == '{' || text[0] == '[':
		kind = "incomplete or damaged JSON"
	case strings.HasPrefix(sniffed, "text/html"):
		kind = "an HTML page"
	case strings.HasPrefix(sniffed, "text/"):
		kind = "text"
	}
	return fmt.Sprintf("%s (%d bytes)", kind, len(body))
}
