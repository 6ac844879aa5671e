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

// printShape prints the lines of a shape that were not printed before, and returns all of them.
func (c *checker) printShape(content any, sent string) string {
	shape := map[string]bool{}
	collect(shape, "", content, sent)
	lines := slices.Sorted(maps.Keys(shape))
	for _, line := range lines {
		if !c.seen[line] {
			c.seen[line] = true
			fmt.Fprintln(c.out, "    "+line)
		}
	}
	return strings.Join(lines, "\n")
}

// memberName matches what FoneStorm's members are called, unlike an address or a number that an object could have as its key.
var memberName = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

// collect adds a line for each member of a JSON value: its name and the kind of its value, without the value, as in
// "fonenumber.label: text". Entries of a list have the same name.
func collect(shape map[string]bool, name string, content any, sent string) {
	switch content := content.(type) {
	case map[string]any:
		for member, value := range content {
			if !memberName.MatchString(member) {
				member = "(another name)"
			}
			collect(shape, strings.TrimPrefix(name+"."+member, "."), value, sent)
		}
	case []any:
		if len(content) == 0 {
			shape[name+": empty list"] = true
		}
		for _, entry := range content {
			collect(shape, strings.TrimSuffix(name, "s"), entry, sent) // As in a response about one FoneNumber or device.
		}
	default:
		shape[name+": "+comparison(text(content), sent)+kindOf(content)] = true
	}
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
	{regexp.MustCompile(`^\d{4}-\d\d-\d\d`), "time"},
	{regexp.MustCompile(``), "text"},
}

// kindOf describes a scalar without its content.
func kindOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "JSON boolean"
	case string:
		for _, k := range kinds {
			if k.pattern.MatchString(value) {
				return cmp.Or(k.kind, fmt.Sprintf("%q", value))
			}
		}
	}
	return "JSON number"
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

func digitsOf(value string) string { return notDigits.ReplaceAllString(value, "") }

// text returns a text or a number without blanks around it; "" for anything else.
func text(value any) string {
	switch value := value.(type) {
	case string:
		return strings.TrimSpace(value)
	case json.Number:
		return value.String()
	default:
		return ""
	}
}

// at returns a member of a response; nil if it does not exist.
func at(value any, path ...string) any {
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

// first returns the first entry of a list or, if it is an object, this member of it; "" if there is none.
func first(list any, member string) string {
	entries, _ := list.([]any)
	for _, entry := range entries {
		if found := cmp.Or(text(entry), text(at(entry, member))); found != "" {
			return found
		}
	}
	return ""
}
