package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// scalars contains the scalars and empty lists of a response. Entries of a list have the same name.
type scalars []struct {
	name string // Where it is, as in "fonenumber.label".
	text string // Its value without blanks around it; "" for null.
	kind string // Its value in a way that can be shown.
}

// memberName matches what FoneStorm's members are called. Other keys of an object are omitted, because they could be values.
var memberName = regexp.MustCompile(`^[a-z_]+$`)

// scalarsOf returns the scalars in a JSON value with this name. They are "as sent" if they contain a destination that was sent, however
// it is spelled.
func scalarsOf(name string, value any, sent string) (found scalars) {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range slices.Sorted(maps.Keys(value)) {
			inner := strings.TrimPrefix(name+"."+memberName.FindString(member), ".")
			found = append(found, scalarsOf(inner, value[member], sent)...)
		}
		return found
	case []any:
		for _, entry := range value {
			found = append(found, scalarsOf(strings.TrimSuffix(name, "s"), entry, sent)...) // As in a response about one FoneNumber or device.
		}
		if len(value) > 0 {
			return found
		}
	}
	text := ""
	if value != nil {
		text = strings.TrimSpace(fmt.Sprint(value))
	}
	kind := kindOf(value)
	if sent != "" && strings.Contains(plain(text), plain(sent)) {
		kind = "as sent, " + kind
	}
	return scalars{{name, text, kind}}
}

// first returns the text of the first scalar whose whole name matches a pattern; "" if there is none.
func (all scalars) first(name string) string {
	pattern := regexp.MustCompile("^(" + name + ")$")
	for _, s := range all {
		if pattern.MatchString(s.name) {
			return s.text
		}
	}
	return ""
}

// kinds contains the kind of a scalar by the first pattern that matches its JSON. The words that FoneStorm itself uses have no kind,
// because they are shown.
var kinds = []struct {
	pattern *regexp.Regexp
	kind    string
}{
	{regexp.MustCompile(`^(null|true|false|\[\])$`), ""},
	{regexp.MustCompile(`^"(?i:device|email|url|forward|none|callback|get|post|json|yes|no|cancel|success|registered|)"$`), ""},
	{regexp.MustCompile(`^[^"]`), "JSON number"},
	{regexp.MustCompile(`^"[0-9]{10}"$`), "ten digits"},
	{regexp.MustCompile(`^"[0-9]+"$`), "digits"},
	{regexp.MustCompile(`^"[\s0-9+().-]+"$`), "digits with punctuation"},
	{regexp.MustCompile(`^"[\w-]+\.[\w-]+\.[\w-]+"$`), "JWT"},
	{regexp.MustCompile(`^"https?://[^{]*%7[Bb]`), "URL, percent-encoded"},
	{regexp.MustCompile(`^"(?i:https?)://`), "URL"},
	{regexp.MustCompile(`^"[^\s@A-Z]+@[^\s@A-Z]+"$`), "e-mail, lower case"},
	{regexp.MustCompile(`^"[^\s@]+@[^\s@]+"$`), "e-mail, case kept"},
	{regexp.MustCompile(``), "text"},
}

// kindOf describes a scalar without its value.
func kindOf(value any) string {
	encoded, _ := json.Marshal(value) // Cannot fail for what was decoded from JSON.
	for _, k := range kinds {
		if k.pattern.Match(encoded) {
			return cmp.Or(k.kind, string(encoded))
		}
	}
	return ""
}

var punctuation = regexp.MustCompile(`[^\p{L}\p{N}]`)

// plain returns the letters and digits of a text, in lower case and without percent-encoding.
func plain(text string) string {
	if decoded, err := url.PathUnescape(text); err == nil {
		text = decoded
	}
	return punctuation.ReplaceAllString(strings.ToLower(text), "")
}
