package main

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// shape returns a line for each member of a JSON value: its name and the kind of its value, without the value, as in
// "fonenumber.label: text". Entries of a list have the same name.
func shape(value any) []string {
	lines := map[string]bool{}
	collect(lines, "", value)
	return slices.Sorted(maps.Keys(lines))
}

// memberName matches what FoneStorm's members are called, unlike an address or a number that an object could have as its key.
var memberName = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

func collect(lines map[string]bool, name string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for member, content := range value {
			if !memberName.MatchString(member) {
				member = "(another name)"
			}
			collect(lines, strings.TrimPrefix(name+"."+member, "."), content)
		}
	case []any:
		if len(value) == 0 {
			lines[name+": empty list"] = true
		}
		for _, entry := range value {
			collect(lines, strings.TrimSuffix(name, "s"), entry) // As in a response about one FoneNumber or device.
		}
	default:
		lines[name+": "+kindOf(value)] = true
	}
}

// vocabulary contains the words that FoneStorm itself uses. They are shown, in the case in which they come.
var vocabulary = regexp.MustCompile(`(?i)^(device|email|url|forward|none|callback|get|post|json|yes|no|cancel|success|registered)$`)

var textKinds = []struct {
	pattern *regexp.Regexp
	kind    string
}{
	{regexp.MustCompile(`^$`), `""`},
	{regexp.MustCompile(`^[0-9]{10}$`), "ten digits"},
	{regexp.MustCompile(`^[0-9]+$`), "digits"},
	{regexp.MustCompile(`^[\s0-9+().-]+$`), "digits with punctuation"},
	{regexp.MustCompile(`^[\w-]+\.[\w-]+\.[\w-]+$`), "JWT"},
	{regexp.MustCompile(`^(?i:https?)://`), "URL"},
	{regexp.MustCompile(`^[^\s@A-Z]+@[^\s@A-Z]+$`), "e-mail, lower case"},
	{regexp.MustCompile(`^[^\s@]+@[^\s@]+$`), "e-mail"},
	{regexp.MustCompile(`^\d{4}-\d\d-\d\d`), "time"},
}

// kindOf describes a scalar without its content.
func kindOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "JSON boolean"
	case string:
		if vocabulary.MatchString(value) {
			return fmt.Sprintf("%q", value)
		}
		for _, text := range textKinds {
			if text.pattern.MatchString(value) {
				return text.kind
			}
		}
		return "text"
	default:
		return "JSON number"
	}
}

// comparison describes how FoneStorm shows a type or a destination that was sent. recognized is false if it shows something else.
func comparison(sent string, shown any) (text string, recognized bool) {
	got := fmt.Sprint(shown)
	decoded, err := url.PathUnescape(got)
	digits := notDigits.ReplaceAllString(got, "")
	switch {
	case got == sent:
		return "as sent", true
	case strings.EqualFold(got, sent):
		return "as sent, but in another case", true
	case err == nil && strings.EqualFold(decoded, sent):
		return "as sent, but percent-encoded", true
	case !notDigits.MatchString(sent) && strings.HasSuffix(digits, sent):
		return "as sent, but as " + kindOf(shown), true
	case strings.Contains(strings.ToLower(got), strings.ToLower(sent)):
		return "as sent, with more around it", true
	default:
		return "not as sent: " + kindOf(shown), false
	}
}

var notDigits = regexp.MustCompile(`[^0-9]`)
