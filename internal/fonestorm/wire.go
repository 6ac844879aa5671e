package fonestorm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// params are the body parameters of a request.
type params map[string]string

// encoding is a format for body parameters. The zero value means that it is not known which one FoneStorm reads.
type encoding int32

// The encodings. FracTEL's current pages and every live program use JSON; the API descriptions from 2017 and 2018 (2.0 to 2.4)
// use forms.
const (
	asJSON encoding = iota + 1
	asForm
)

// encode returns the body of a request and its type.
func (e encoding) encode(p params) (body []byte, contentType string) {
	if e == asForm {
		form := make(url.Values, len(p))
		for name, value := range p {
			form.Set(name, value)
		}
		return []byte(form.Encode()), "application/x-www-form-urlencoded"
	}
	body, _ = json.Marshal(p) // Encoding strings cannot fail.
	return body, "application/json"
}

// parse reads any JSON. Its errors never quote the response.
func parse(body []byte) (any, error) {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // IDs have up to 12 digits, and nothing may be rounded.
	if decoder.Decode(&value) != nil || decoder.More() {
		return nil, fmt.Errorf("is not valid JSON but %s", describe(body))
	}
	return value, nil
}

// parseSuccess reads a response whose status reports success. One that contains an error is not a success, whatever else it contains.
func parseSuccess(body []byte) (any, error) {
	sent, err := parse(body)
	if failure := text(sent, "error"); failure != "" && !isNo(failure) {
		return nil, fmt.Errorf("reports success and the error %q", failure)
	}
	return sent, err
}

// member returns the value below these names; nil if it is missing. FracTEL's documents say string where their examples show numbers,
// boolean where they show words, and PHP writes an empty array for an empty object. So a value of another type than expected reads
// as if it were missing, and never makes the rest of the response invalid.
func member(value any, names ...string) any {
	for _, name := range names {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

// text returns a string, number, or boolean as text, without surrounding white space; "" for anything else.
func text(value any, names ...string) string {
	switch value := member(value, names...).(type) {
	case string:
		return strings.TrimSpace(value)
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	default:
		return ""
	}
}

// isOneOf reports whether a text is one of these words, in upper or lower case.
func isOneOf(text string, words ...string) bool { return slices.Contains(words, strings.ToLower(text)) }

// isNo reads FracTEL's "no", which some of its clients write as a boolean.
func isNo(text string) bool { return isOneOf(text, "no", "false", "0") }

// decodeEnvelope reads the body of an error response. FoneStorm's envelope has an error, which is a word, a message, and the status.
// isFromFoneStorm is false for the JSON of another program and for everything else.
func decodeEnvelope(body []byte, status int) (word, message string, isFromFoneStorm bool) {
	sent, _ := parse(body)
	word, message = text(sent, "error"), text(sent, "message")
	return word, message, word != "" && member(sent, "message") != nil && text(sent, "status_code") == strconv.Itoa(status)
}

// decodeFoneNumber reads a response about one FoneNumber: an object in `fonenumber`, or the FoneNumber itself. The FoneNumber is the
// zero value if there is none, as in version 2.1, which only reports the success of a setting.
func decodeFoneNumber(body []byte) (FoneNumber, error) {
	sent, err := parseSuccess(body)
	if err != nil {
		return FoneNumber{}, err
	}
	for _, place := range []any{member(sent, "fonenumber"), sent} {
		if f := foneNumber(place); f.Number != "" {
			return f, nil
		}
	}
	return FoneNumber{}, nil
}

// foneNumber reads a FoneNumber, which can have its options in three places: `sms_options` is on the Set Delivery page and in live
// responses, `message_options` in v2.11 and later, and v2.1.1 has them in the FoneNumber itself.
func foneNumber(sent any) FoneNumber {
	f := FoneNumber{
		Number: canonicalNumber(text(sent, "fonenumber")),
		Label:  visible(text(sent, "label")),
		Group:  visible(text(sent, "group")),
		Status: parseStatus(text(sent, "is_active")),
	}
	for _, options := range []any{member(sent, "sms_options"), member(sent, "message_options"), sent} {
		f.MessagingDisabled = f.MessagingDisabled || isNo(text(options, "sms_enabled")) || isNo(text(options, "messaging_enabled"))
		for o := range f.Options {
			f.Options[o] = cmp.Or(f.Options[o], decodeOption(options, MessageOption(o)))
		}
	}
	return f
}

func parseStatus(active string) Status {
	switch {
	case isOneOf(active, "", "yes", "true", "1"):
		return Active
	case isNo(active):
		return CancellationPending
	case isOneOf(active, "cancel"):
		return Cancelled
	default:
		return StatusUnknown
	}
}

// decodeOption reads a message option; the zero value if it is missing. It has a member for the destination of each type, such as
// `email`, and those of other types than the current one contain old values.
func decodeOption(options any, o MessageOption) Delivery {
	sent, found := member(options, o.member()).(map[string]any)
	if !found {
		return Delivery{}
	}
	kind, url := text(sent, "type"), text(sent, "url")
	if o != Receive && kind == "" && url != "" {
		kind = string(Callback) // Older versions return no type of a notification.
	}
	d := Delivery{Type: parseType(kind)}
	d.Value = text(sent, strings.ToLower(string(d.Type)))
	if d.Type.IsCallback() {
		d.Value, d.URLMethod = url, strings.ToUpper(cmp.Or(text(sent, "url_method"), text(sent, "method")))
	}
	return d
}

// parseType returns the documented spelling of a type, which responses also show in lower case. An empty type means that no
// delivery was ever set, which is the same as None. Undocumented types are returned unchanged.
func parseType(text string) DeliveryType {
	for _, known := range knownTypes {
		if strings.EqualFold(text, string(known)) {
			return known
		}
	}
	return cmp.Or(DeliveryType(text), None)
}

// decodeToken returns the token in a response to a login or to a request for a subaccount token. FracTEL's documents show it in
// `auth`, `authorization`, and `subaccount`, and at the top level. One live program reads it from a further `data`.
func decodeToken(body []byte) (string, error) {
	sent, err := parse(body)
	if err != nil {
		return "", fmt.Errorf("contains no token: it %w", err)
	}
	for _, outer := range []any{sent, member(sent, "data")} {
		for _, place := range []any{member(outer, "auth"), member(outer, "authorization"), member(outer, "subaccount"), outer} {
			if token := text(place, "token"); token != "" {
				return token, nil
			}
		}
	}
	return "", errors.New("contains no token")
}

// decodeFoneNumbers reads a response to `GET /fonenumbers`. An entry that is only a number becomes a FoneNumber without a delivery.
// Entries without a number are skipped, unless there are no others.
func decodeFoneNumbers(body []byte) ([]FoneNumber, error) {
	entries, err := decodeArray(body, "fonenumbers")
	list := []FoneNumber{}
	for _, entry := range entries {
		if number := text(entry); number != "" {
			entry = map[string]any{"fonenumber": number}
		}
		if f := foneNumber(entry); northAmerican.MatchString(f.Number) {
			list = append(list, f)
		}
	}
	if len(list) == 0 && len(entries) > 0 { // An account without FoneNumbers has an empty list.
		err = errors.New("has a list in which no entry contains a FoneNumber")
	}
	return list, err
}

// decodeDevices reads a response to `GET /devices`. Entries without an ID are skipped.
func decodeDevices(body []byte) ([]RegisteredDevice, error) {
	entries, err := decodeArray(body, "devices")
	list := []RegisteredDevice{}
	for _, entry := range entries {
		if id := text(entry, "id"); id != "" {
			number := canonicalNumber(text(entry, "fonenumber"))
			list = append(list, RegisteredDevice{ID: id, Name: text(entry, "name"), Type: text(entry, "type"), FoneNumber: number})
		}
	}
	return list, err
}

// decodeArray reads the array in the named member of an object. Null is not an array: if it were, all FoneNumbers would be missing.
func decodeArray(body []byte, name string) ([]any, error) {
	sent, err := parseSuccess(body)
	if err != nil {
		return nil, err
	}
	if array, isArray := member(sent, name).([]any); isArray {
		return array, nil
	}
	return nil, fmt.Errorf("contains no list in %q", name)
}

// describe says what a response body is that is not FoneStorm's. It never quotes the body, which may contain a secret.
func describe(body []byte) string {
	mediaType, _, _ := strings.Cut(http.DetectContentType(body), ";")
	return fmt.Sprintf("%d bytes of %s", len(body), mediaType)
}
