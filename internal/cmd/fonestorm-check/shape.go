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

// scalars contains the scalars of a response: where each is, as in "fonenumber.label", and its value. Entries of a list have the same
// name.
type scalars []struct {
	name  string
	value any // A JSON scalar, or an empty list.
}

// memberName matches what FoneStorm's members are called, unlike an address or a number that an object could have as its key.
var memberName = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

// scalarsOf returns the scalars in a JSON value with this name.
func scalarsOf(name string, value any) (found scalars) {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range slices.Sorted(maps.Keys(value)) {
			shown := member
			if !memberName.MatchString(member) {
				shown = "(another name)"
			}
			found = append(found, scalarsOf(strings.TrimPrefix(name+"."+shown, "."), value[member])...)
		}
		return found
	case []any:
		for _, entry := range value {
			found = append(found, scalarsOf(strings.TrimSuffix(name, "s"), entry)...) // As in a response about one FoneNumber or device.
		}
		if len(value) > 0 {
			return found
		}
	}
	return scalars{{name, value}}
}

// first returns the text of the first scalar whose whole name matches a pattern; "" if there is none.
func (all scalars) first(name string) string {
	pattern := regexp.MustCompile("^(" + name + ")$")
	for _, s := range all {
		if pattern.MatchString(s.name) {
			return textOf(s.value)
		}
	}
	return ""
}

// shape describes each scalar without its value, as in "fonenumber.label: text", and how it compares with a destination that was sent.
func (all scalars) shape(sent string) (lines []string) {
	for _, s := range all {
		lines = append(lines, s.name+": "+comparison(textOf(s.value), sent)+kindOf(s.value))
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// textOf returns a scalar as a text without blanks around it; "" for null.
func textOf(value any) string {
	if value == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprint(value))
}

// kinds contains the kind of a text by the first pattern that matches. The words that FoneStorm itself uses have no kind, because
// they are shown.
var kinds = []struct {
	pattern *regexp.Regexp
	kind    string
}{
	{regexp.MustCompile(`(?i)^(device|email|url|forward|none|callback|get|post|json|yes|no|cancel|success|registered|)$`), ""},
	{regexp.MustCompile(`^[0-9]{10}$`), "ten digits"},
	{regexp.MustCompile(`^[0-9]+$`), "digits"},
	{regexp.MustCompile(`^[\s0-9+().-]+$`), "digits with punctuation"},
	{regexp.MustCompile(`^[\w-]+\.[\w-]+\.[\w-]+$`), "JWT"},
	{regexp.MustCompile(`^(?i:https?)://`), "URL"},
	{regexp.MustCompile(`^[^\s@A-Z]+@[^\s@A-Z]+$`), "e-mail, lower case"},
	{regexp.MustCompile(`^[^\s@]+@[^\s@]+$`), "e-mail"},
	{regexp.MustCompile(``), "text"},
}

// kindOf describes a scalar without its value.
func kindOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "JSON boolean"
	case json.Number:
		return "JSON number"
	case string:
		for _, k := range kinds {
			if k.pattern.MatchString(value) {
				return cmp.Or(k.kind, fmt.Sprintf("%q", value))
			}
		}
	}
	return "empty list"
}

// comparison describes how FoneStorm shows a destination that was sent; "" if it is another text.
func comparison(shown, sent string) string {
	decoded, err := url.PathUnescape(shown)
	switch {
	case sent == "" || sent == "None":
		return ""
	case shown == sent:
		return "as sent, "
	case strings.EqualFold(shown, sent):
		return "as sent, but in another case, "
	case err == nil && strings.EqualFold(decoded, sent):
		return "as sent, but percent-encoded, "
	case strings.Contains(strings.ToLower(shown), strings.ToLower(sent)) || digitsOf(sent) == sent && strings.HasSuffix(digitsOf(shown), sent):
		return "as sent, with more around it, "
	default:
		return ""
	}
}

var notDigits = regexp.MustCompile(`[^0-9]`)

func digitsOf(text string) string { return notDigits.ReplaceAllString(text, "") }
