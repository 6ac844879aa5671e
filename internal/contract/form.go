package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Form is the structure of a response, without any text that could be secret or personal.
type Form struct {
	Call   string `json:"call"`   // Method and path, without a FoneNumber.
	Status int    `json:"status"` // Zero if there was no response.
	Body   any    `json:"body"`   // As in the response, but with forms instead of values.
}

// maxForms limits the number of forms for the entries of a list.
const maxForms = 20

// forms returns the distinct forms of all responses.
func (r *record) forms() []Form {
	var forms []Form
	seen := map[string]bool{}
	for _, x := range r.exchanges {
		body := shape(x.json)
		if x.kind != "JSON" {
			body = x.kind
		}
		form := Form{x.label(), x.status, body}
		if key := asJSON(form); !seen[key] {
			seen[key] = true
			forms = append(forms, form)
		}
	}
	return forms
}

// shape replaces the scalars of a JSON value with their forms. It keeps documented member names and counts the others. An array
// contains each form once, in a fixed order.
func shape(value any) any {
	switch value := value.(type) {
	case map[string]any:
		members := map[string]any{}
		for name, member := range value {
			if slices.Contains(documentedNames, name) {
				members[name] = shape(member)
			}
		}
		if unknown := len(value) - len(members); unknown > 0 {
			members["(other members)"] = unknown
		}
		return members
	case []any:
		forms := map[string]any{}
		for _, element := range value {
			form := shape(element)
			forms[asJSON(form)] = form
		}
		distinct := []any{}
		for _, key := range slices.Sorted(maps.Keys(forms)) {
			distinct = append(distinct, forms[key])
		}
		return distinct[:min(maxForms, len(distinct))]
	default:
		return form(value)
	}
}

func asJSON(value any) string {
	data, _ := json.Marshal(value) // Cannot fail for values that were decoded from JSON.
	return string(data)
}

var documentedNames = []string{
	"auth", "authorization", "data", "token", "expires", "result", "subaccount", "error", "message", "status_code",
	"fonenumber", "fonenumbers", "label", "group", "is_active", "sms_options", "message_options", "receive", "receive_notify",
	"send_notify", "sms_enabled", "mms_enabled", "messaging_enabled", "type", "device", "email", "url", "url_method",
	"url_username", "url_password", "forward", "method", "devices", "id", "name", "mac_address",
}

// words contains the texts that forms show unchanged.
var words = []string{
	"yes", "no", "cancel", "none", "device", "email", "url", "forward", "callback", "get", "post", "json", "registered", "success",
}

var (
	onlyDigits = regexp.MustCompile(`^(\+?)([0-9]+)$`)
	telephone  = regexp.MustCompile(`^\+?[0-9 ().-]+$`)
	address    = regexp.MustCompile(`^\S+@\S+$`)
)

// form describes a scalar without repeating it.
func form(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(value)
	case json.Number:
		return fmt.Sprintf("number of %d characters", len(value))
	case string:
		return formOfText(value)
	case []any:
		return "array"
	default:
		return "object"
	}
}

func formOfText(value string) string {
	trimmed := strings.TrimSpace(value)
	blanks := ""
	if trimmed != value {
		blanks = ", blanks around it"
	}
	digits := onlyDigits.FindStringSubmatch(trimmed)
	switch {
	case value == "":
		return "empty"
	case slices.Contains(words, strings.ToLower(trimmed)):
		return value
	case digits != nil && digits[1] != "":
		return fmt.Sprintf("+ and %d digits", len(digits[2])) + blanks
	case digits != nil:
		return fmt.Sprintf("%d digits", len(digits[2])) + blanks
	case telephone.MatchString(trimmed):
		return "digits with punctuation" + blanks
	case claims(trimmed) != nil:
		return "JWT"
	case strings.Contains(trimmed, "://"):
		return formOfURL(trimmed) + blanks
	case address.MatchString(trimmed):
		return "e-mail address, " + formOfCase(trimmed) + blanks
	default:
		return "text" + blanks
	}
}

func formOfCase(value string) string {
	switch value {
	case strings.ToLower(value):
		return "lower case"
	case strings.ToUpper(value):
		return "upper case"
	default:
		return "mixed case"
	}
}

func formOfURL(value string) string {
	form := "URL"
	lower := strings.ToLower(value)
	if strings.Contains(value, "{{") {
		form += ", tokens in braces"
	}
	if strings.Contains(lower, "%7b") {
		form += ", braces percent-encoded"
	}
	if strings.Contains(lower, "&amp;") {
		form += ", ampersands as entities"
	}
	return form
}
