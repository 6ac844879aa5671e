package fonestorm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

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
	case 't', 'f':
		s.text = string(data)
		return nil
	default:
		s.text = wholeNumber(string(data))
		return nil
	}
}

// maxExponent limits the numbers that are written out; telephone numbers and IDs have about a dozen digits.
const maxExponent = 40

// wholeNumber writes out a JSON number without loss: 2.1915233078e10 becomes 21915233078.
func wholeNumber(number string) string {
	if !strings.ContainsAny(number, ".eE") {
		return number
	}
	if _, exponent, found := strings.Cut(strings.ToLower(number), "e"); found && len(strings.TrimLeft(exponent, "+-0")) > 2 {
		return number
	}
	if value, ok := new(big.Rat).SetString(number); ok && value.IsInt() && len(value.Num().String()) <= maxExponent {
		return value.Num().String()
	}
	return number
}

// trimmed returns the text without surrounding white space.
func (s scalar) trimmed() string { return strings.TrimSpace(s.text) }

// isNo and isYes read FracTEL's "no" and "yes", which some of its clients write as booleans.
func (s scalar) isNo() bool  { return isOneOf(s.trimmed(), "no", "false", "0", "off", "disabled") }
func (s scalar) isYes() bool { return isOneOf(s.trimmed(), "yes", "true", "1", "on", "active") }

func isOneOf(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.EqualFold(text, word) })
}

// loose is an object that may be missing or be something else, such as null or the empty array that PHP writes for an empty
// object. It never makes the rest of the response invalid.
type loose[T any] struct {
	value T
	found bool
}

func (l *loose[T]) UnmarshalJSON(data []byte) error {
	*l = loose[T]{}
	if data[0] != '{' {
		return nil
	}
	l.found = true
	return json.Unmarshal(data, &l.value)
}

// wireFoneNumber is a FoneNumber as the API returns it. Other members are ignored.
type wireFoneNumber struct {
	Number         scalar             `json:"fonenumber"`
	Label          scalar             `json:"label"`
	Group          scalar             `json:"group"`
	IsActive       scalar             `json:"is_active"`
	SMSOptions     loose[wireOptions] `json:"sms_options"`     // On the Set Delivery page and in live responses.
	MessageOptions loose[wireOptions] `json:"message_options"` // v2.11 and later.
	wireOptions                       // v2.1.1 has `receive` in the FoneNumber itself.
}

type wireOptions struct {
	Receive          loose[wireReceive] `json:"receive"`
	ReceiveNotify    loose[wireNotify]  `json:"receive_notify"`
	SMSEnabled       scalar             `json:"sms_enabled"`
	MessagingEnabled scalar             `json:"messaging_enabled"`
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
		if options.ReceiveNotify.found && f.ReceiveNotify == (Notification{}) {
			f.ReceiveNotify = options.ReceiveNotify.value.notification()
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

// foneNumberResponse is a response about one FoneNumber.
type foneNumberResponse struct {
	foneNumber *FoneNumber // Nil if the response only reports success, as in version 2.1.
}

// decodeFoneNumber reads a response about one FoneNumber: an object in `fonenumber`, or the FoneNumber itself. Either can be
// nested in `data`.
func decodeFoneNumber(body []byte) (foneNumberResponse, error) {
	var sent struct {
		envelope
		Result     scalar          `json:"result"`
		FoneNumber json.RawMessage `json:"fonenumber"`
		Data       json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return foneNumberResponse{}, err
	}
	object := bytes.TrimSpace(sent.FoneNumber)
	if len(object) > 0 && object[0] != '{' && object[0] != 'n' {
		object = body // The FoneNumber itself, with its number in this member.
	}
	switch {
	case len(object) > 0 && object[0] == '{':
		var w wireFoneNumber
		if err := json.Unmarshal(object, &w); err != nil {
			return foneNumberResponse{}, err
		}
		f := w.foneNumber()
		return foneNumberResponse{&f}, nil
	case len(sent.Data) > 0 && sent.Data[0] == '{':
		return decodeFoneNumber(sent.Data)
	case sent.Error.text != "":
		return foneNumberResponse{}, fmt.Errorf("reports success and the error %q", sent.Error.text)
	case isOneOf(sent.Result.trimmed(), "SUCCESS", "OK"):
		return foneNumberResponse{}, nil
	default:
		return foneNumberResponse{}, errors.New("contains no FoneNumber")
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
		Auth          loose[holder]   `json:"auth"`
		Authorization loose[holder]   `json:"authorization"`
		Subaccount    loose[holder]   `json:"subaccount"`
		Data          json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return "", err
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

// decodeList reads a response to `GET /fonenumbers` as a stream, so that the account is never in memory twice. An entry that is
// only a number becomes a FoneNumber without a delivery. For an entry without a number, decodeList calls skip.
func decodeList(body io.Reader, add func(FoneNumber), skip func()) error {
	return decodeArray(body, "fonenumbers", func(entry wireEntry) {
		if f := entry.foneNumber(); isTenDigits(f.Number) {
			add(f)
		} else {
			skip()
		}
	})
}

// decodeArray reads the array in the named member of an object, entry by entry.
func decodeArray[T any](body io.Reader, name string, each func(T)) error {
	decoder := json.NewDecoder(body)
	if err := expect(decoder, json.Delim('{')); err != nil {
		return err
	}
	found, err := decodeMembers(decoder, name, each)
	if err == nil && !found {
		err = fmt.Errorf("%w: contains no %q", errWrongForm, name)
	}
	return err
}

// decodeMembers reads the rest of an object and reports whether it contains the array, directly or in `data`.
func decodeMembers[T any](decoder *json.Decoder, name string, each func(T)) (found bool, err error) {
	for decoder.More() {
		member, err := decoder.Token()
		if err != nil {
			return false, err
		}
		switch member {
		case name:
			found, err = true, decodeEntries(decoder, each)
		case "data":
			var below bool
			below, err = decodeData(decoder, name, each)
			found = found || below
		default:
			err = decoder.Decode(new(ignored))
		}
		if err != nil {
			return false, err
		}
	}
	return found, expect(decoder, json.Delim('}'))
}

// decodeData reads a value of any type. If it is an object, it may contain the array.
func decodeData[T any](decoder *json.Decoder, name string, each func(T)) (found bool, err error) {
	token, err := decoder.Token()
	switch {
	case err != nil:
		return false, err
	case token == json.Delim('{'):
		return decodeMembers(decoder, name, each)
	case token == json.Delim('['):
		for decoder.More() {
			if err := decoder.Decode(new(ignored)); err != nil {
				return false, err
			}
		}
		return false, expect(decoder, json.Delim(']'))
	default:
		return false, nil
	}
}

func decodeEntries[T any](decoder *json.Decoder, each func(T)) error {
	token, err := decoder.Token()
	if err != nil || token == nil { // Null is an empty list.
		return err
	}
	if token != json.Delim('[') {
		return fmt.Errorf("%w: has %v where a list should be", errWrongForm, token)
	}
	for decoder.More() {
		var entry T
		if err := decoder.Decode(&entry); err != nil {
			return err
		}
		each(entry)
	}
	return expect(decoder, json.Delim(']'))
}

// errWrongForm means that the JSON is valid but has an unexpected structure, so a retry would not help.
var errWrongForm = errors.New("unexpected structure")

func expect(decoder *json.Decoder, want json.Delim) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("%w: has %v where %v should be", errWrongForm, token, want)
	}
	return nil
}

// ignored is a JSON value that is not used.
type ignored struct{}

func (*ignored) UnmarshalJSON([]byte) error { return nil }

// wireEntry is one entry of the list: a FoneNumber, or only its number.
type wireEntry struct{ wireFoneNumber }

func (e *wireEntry) UnmarshalJSON(data []byte) error {
	e.wireFoneNumber = wireFoneNumber{}
	switch data[0] {
	case '{':
		return json.Unmarshal(data, &e.wireFoneNumber)
	case '[':
		return nil
	default:
		return json.Unmarshal(data, &e.Number)
	}
}

var (
	htmlTitle = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	htmlStart = regexp.MustCompile(`(?i)^<(!doctype|html|head|body)`)
)

// describe summarizes a response body that is not the expected JSON.
func describe(body []byte) string {
	text := strings.TrimSpace(string(body))
	switch title := htmlTitle.FindStringSubmatch(text); {
	case text == "":
		return "empty"
	case title != nil:
		return fmt.Sprintf("an HTML page titled %q", strings.TrimSpace(html.UnescapeString(title[1])))
	case htmlStart.MatchString(text):
		return "an HTML page"
	case json.Valid(body):
		return "JSON with an unexpected structure: " + text
	case text[0] == '{' || text[0] == '[':
		return "incomplete or damaged JSON: " + text
	default:
		return "text that is not JSON: " + text
	}
}
