package simulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
)

// respelling is a change to the spelling of a response. Each function may be nil.
type respelling struct {
	name   string
	object func(object map[string]any)      // Changes a FoneNumber or a device.
	number func(number string) any          // Returns another spelling of a FoneNumber's number, wherever it is.
	member func(name string, value any) any // Returns what replaces a member, or an element of an array, at any depth.
	whole  func(response map[string]any)    // Changes the response.
	field  string                           // With text: the field of receive to change; "" for every destination.
	text   func(destination string) any     // Returns what replaces the text of that field, unless it is empty.
}

// respellingTable is in the order in which respellings are applied. Those that return text come first, so that each remains
// visible when several are combined.
var respellingTable = []respelling{
	{name: "email-lower-case", field: "email", text: asText(strings.ToLower)},
	{name: "email-upper-case", field: "email", text: asText(strings.ToUpper)},
	{name: "forward-with-1", field: "forward", text: prefixed("1")},
	{name: "forward-with-plus-1", field: "forward", text: prefixed("+1")},
	{name: "forward-punctuated", field: "forward", text: punctuated},
	{name: "host-lower-case", field: "url", text: inHost(strings.ToLower)},
	{name: "host-upper-case", field: "url", text: inHost(strings.ToUpper)},
	{name: "default-port", field: "url", text: inURL(func(u *urlParts) { u.addPort() })},
	{name: "slash-added", field: "url", text: inURL(func(u *urlParts) {
		if !strings.HasPrefix(u.rest, "/") {
			u.rest = "/" + u.rest
		}
	})},
	{name: "unreserved-percent-encoded", field: "url", text: inURL(func(u *urlParts) {
		u.rest = strings.NewReplacer("~", "%7E", "-", "%2D", "_", "%5F").Replace(u.rest)
	})},
	{name: "braces-percent-encoded", field: "url", text: asText(strings.NewReplacer("{", "%7B", "}", "%7D").Replace)},
	{name: "braces-percent-encoded-lower", field: "url", text: asText(strings.NewReplacer("{", "%7b", "}", "%7d").Replace)},
	{name: "ampersand-entity", field: "url", text: asText(func(url string) string { return strings.ReplaceAll(url, "&", "&amp;") })},
	{name: "method-lower-case", field: "url_method", text: asText(strings.ToLower)},
	{name: "fonenumber-with-1", number: prefixed("1")},
	{name: "fonenumber-with-plus-1", number: prefixed("+1")},
	{name: "fonenumber-punctuated", number: punctuated},
	{name: "active-upper-case", object: inMember("is_active", asValue(strings.ToUpper))},

	{name: "device-number", field: "device", text: asNumber, object: inMember("id", func(value any) any {
		text, _ := value.(string)
		return asNumber(text)
	})},
	{name: "forward-number", field: "forward", text: asNumber},
	{name: "fonenumber-number", number: asNumber},
	{name: "label-number", object: inMember("label", numbered)},
	{name: "group-number", object: inMember("group", numbered)},
	{name: "active-boolean", object: inMember("is_active", asBoolean)},
	{name: "active-number", object: inMember("is_active", func(value any) any {
		return replaced(value, map[string]any{"yes": 1, "no": 0})
	})},
	{name: "enabled-boolean", member: func(name string, value any) any {
		if strings.HasSuffix(name, "_enabled") {
			return asBoolean(value)
		}
		return value
	}},
	{name: "stale-fields-numbers", object: inReceive(staleFields)},
	{name: "leading-blank", text: prefixed(" ")},
	{name: "trailing-blank", text: asText(func(text string) string { return text + " " })},
	{name: "null-for-empty", member: func(_ string, value any) any {
		if value == "" {
			return nil
		}
		return value
	}},
	{name: "empty-for-null", member: func(_ string, value any) any {
		if value == nil {
			return ""
		}
		return value
	}},
	{name: "empty-options-as-array", member: emptyAsArray},
	{name: "unknown-members", whole: func(response map[string]any) { inObjects(response, addMember) }},
}

// Respellings returns the names of the changes that a Profile can make to the spelling of responses. They can be combined.
func Respellings() []string {
	var names []string
	for _, r := range respellingTable {
		names = append(names, r.name)
	}
	return names
}

// respell applies the changes to successful responses, after the contract was checked.
func (p *Profile) respell(next http.Handler) http.Handler {
	var changes []respelling
	for _, r := range respellingTable {
		if slices.Contains(p.Respellings, r.name) {
			changes = append(changes, r)
		}
	}
	if entry := p.oddEntry(); entry != nil {
		changes = append(changes, *entry)
	}
	if len(changes) == 0 && p.SettingResponse != "empty" {
		return next
	}
	return altered(next, func(r *http.Request, recorded *httptest.ResponseRecorder) []byte {
		if p.SettingResponse == "empty" && strings.HasSuffix(r.URL.Path, "/messages/receive") {
			return nil
		}
		if len(changes) == 0 {
			return recorded.Body.Bytes()
		}
		decoder := json.NewDecoder(recorded.Body)
		decoder.UseNumber()
		var response map[string]any
		_ = decoder.Decode(&response) // The contract has checked that it is an object.
		for _, change := range changes {
			change.apply(response)
		}
		changed, _ := json.Marshal(response)
		return changed
	})
}

// oddEntry returns the change that adds the profile's odd entry to lists; nil for none.
func (p *Profile) oddEntry() *respelling {
	var entry any
	switch p.ListEntry {
	case "number":
		entry = 42
	case "object":
		entry = map[string]any{"label": "Odd"}
	case "none":
		return nil
	}
	return &respelling{whole: func(response map[string]any) {
		if list, ok := response["fonenumbers"].([]any); ok {
			response["fonenumbers"] = slices.Insert(list, 0, entry)
		}
	}}
}

// apply applies the change to a response.
func (r respelling) apply(response map[string]any) {
	for _, name := range []string{"fonenumber", "fonenumbers", "device", "devices"} {
		switch value := response[name].(type) {
		case map[string]any:
			r.inObject(value)
		case []any:
			for i, entry := range value {
				if object, ok := entry.(map[string]any); ok {
					r.inObject(object)
				} else if text, ok := entry.(string); ok && r.number != nil {
					value[i] = r.number(text)
				}
			}
		}
	}
	if r.whole != nil {
		r.whole(response)
	}
}

// inObject applies the change to one FoneNumber or device.
func (r respelling) inObject(object map[string]any) {
	if r.object != nil {
		r.object(object)
	}
	if text, ok := object["fonenumber"].(string); ok && r.number != nil {
		object["fonenumber"] = r.number(text)
	}
	if r.text != nil {
		inReceive(func(receive map[string]any) {
			for _, field := range []string{"device", "email", "url", "url_method", "forward"} {
				text, _ := receive[field].(string)
				if text != "" && (field == r.field || r.field == "" && field != "url_method") {
					receive[field] = r.text(text)
				}
			}
		})(object)
	}
	if r.member != nil {
		inMembers(object, r.member)
	}
}

// inMembers replaces every member and element of a JSON value, inner ones first.
func inMembers(value any, replace func(name string, value any) any) {
	switch value := value.(type) {
	case []any:
		for i, element := range value {
			inMembers(element, replace)
			value[i] = replace("", element)
		}
	case map[string]any:
		for name, member := range value {
			inMembers(member, replace)
			value[name] = replace(name, member)
		}
	}
}

// inMember returns a change that applies to one member of an object.
func inMember(name string, change func(value any) any) func(object map[string]any) {
	return func(object map[string]any) {
		if value, ok := object[name]; ok {
			object[name] = change(value)
		}
	}
}

// inReceive returns a change that applies to the delivery of a FoneNumber, in any of its places.
func inReceive(change func(receive map[string]any)) func(object map[string]any) {
	return func(object map[string]any) {
		for _, options := range []any{object, object["sms_options"], object["message_options"]} {
			members, _ := options.(map[string]any)
			if receive, ok := members["receive"].(map[string]any); ok {
				change(receive)
			}
		}
	}
}

func asText(change func(string) string) func(string) any {
	return func(text string) any { return change(text) }
}

func asValue(change func(string) string) func(any) any {
	return func(value any) any {
		if text, ok := value.(string); ok {
			return change(text)
		}
		return value
	}
}

func prefixed(prefix string) func(string) any {
	return func(text string) any { return prefix + text }
}

// punctuated formats ten digits as in (321) 555-1212.
func punctuated(text string) any {
	if !tenDigits.MatchString(text) {
		return text
	}
	return "(" + text[:3] + ") " + text[3:6] + "-" + text[6:]
}

// asNumber turns digits into a JSON number, unless that would lose leading zeros.
func asNumber(text string) any {
	if !digits.MatchString(text) || text[0] == '0' {
		return text
	}
	return json.Number(text)
}

// numbered is like asNumber, but other text becomes 7.
func numbered(value any) any {
	text, _ := value.(string)
	if number, ok := asNumber(text).(json.Number); ok {
		return number
	}
	return 7
}

func asBoolean(value any) any { return replaced(value, map[string]any{"yes": true, "no": false}) }

// replaced looks up a text, ignoring case. Other values are returned unchanged.
func replaced(value any, table map[string]any) any {
	if text, ok := value.(string); ok {
		if replacement, known := table[strings.ToLower(text)]; known {
			return replacement
		}
	}
	return value
}

// staleFields sets the fields of other types than the current one to unexpected JSON types.
func staleFields(receive map[string]any) {
	kind, _ := receive["type"].(string)
	current := strings.ToLower(strings.TrimSpace(kind))
	for field, odd := range map[string]any{"device": 7, "email": true, "forward": 13215550000, "url": map[string]any{}, "url_method": []any{}} {
		if field != current && (field != "url_method" || current != "url") {
			receive[field] = odd
		}
	}
}

// emptyAsArray replaces an object without content with an empty array, as PHP does. A notification of type None has no content.
func emptyAsArray(name string, value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	for member, content := range object {
		none := member == "type" && strings.HasSuffix(name, "_notify") && content == "None"
		if list, isList := content.([]any); content != nil && content != "" && !none && (!isList || len(list) > 0) {
			return value
		}
	}
	return []any{}
}

func addMember(object map[string]any) {
	object["added_later"] = map[string]any{"type": "Fax", "fonenumber": []any{1, nil, "2"}}
}

// urlParts is a URL split around its host. It may contain tokens, which package net/url would escape.
type urlParts struct {
	scheme   string // With "://".
	userinfo string // With "@"; empty for none.
	host     string // With the port.
	rest     string // Path, query, and fragment.
}

func inURL(change func(u *urlParts)) func(string) any {
	return func(text string) any {
		at := strings.Index(text, "://")
		if at < 0 {
			return text
		}
		u := urlParts{scheme: text[:at+3], host: text[at+3:]}
		if end := strings.IndexAny(u.host, "/?#"); end >= 0 {
			u.host, u.rest = u.host[:end], u.host[end:]
		}
		at = strings.LastIndex(u.host, "@") + 1
		u.userinfo, u.host = u.host[:at], u.host[at:]
		change(&u)
		return u.scheme + u.userinfo + u.host + u.rest
	}
}

// inHost returns a change that applies to the host of a URL, unless the host contains tokens, which have only one spelling.
func inHost(change func(string) string) func(string) any {
	return inURL(func(u *urlParts) {
		if !strings.Contains(u.host, "{") {
			u.host = change(u.host)
		}
	})
}

// addPort adds the scheme's default port.
func (u *urlParts) addPort() {
	if strings.LastIndex(u.host, ":") > strings.LastIndex(u.host, "]") {
		return
	}
	switch strings.ToLower(u.scheme) {
	case "https://":
		u.host += ":443"
	case "http://":
		u.host += ":80"
	}
}
