package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// record contains the exchanges of a run.
type record struct {
	mu        sync.Mutex
	exchanges []*exchange
	skipped   map[string]string // Why a purpose was skipped.
	token     string            // From the latest login, or for the subaccount.
}

func (r *record) add(x *exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exchanges = append(r.exchanges, x)
}

// find returns the last usable exchange for a purpose; nil if there is none.
func (r *record) find(purpose string) *exchange {
	for _, x := range slices.Backward(r.exchanges) {
		if x.purpose == purpose && x.failure() == "" {
			return x
		}
	}
	return nil
}

// missing says why there is no usable exchange for a purpose.
func (r *record) missing(purpose string) string {
	if why, ok := r.skipped[purpose]; ok {
		return why
	}
	for _, x := range slices.Backward(r.exchanges) {
		if x.purpose == purpose {
			return x.label() + ": " + x.failure()
		}
	}
	return "the check did not get that far"
}

// entries returns the list of FoneNumbers in a response. An odd first entry is returned separately.
func entries(x *exchange) (list []any, odd any, isOdd bool) {
	if x == nil {
		return nil, nil, false
	}
	list, _ = at(x.json, "fonenumbers").([]any)
	if len(list) > 0 && canonical(list[0]) == "" {
		return list[1:], list[0], true
	}
	return list, nil, false
}

// canonical returns the ten digits of a FoneNumber in any spelling or within an object; "" if there is none.
func canonical(value any) string {
	if members, ok := value.(map[string]any); ok {
		value = members["fonenumber"]
	}
	digits := strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, text(value))
	if len(digits) == 11 {
		digits = strings.TrimPrefix(digits, "1")
	}
	if len(digits) != 10 {
		return ""
	}
	return digits
}

// numbers returns the FoneNumbers of the account.
func (r *record) numbers() []string {
	found := map[string]bool{}
	for _, purpose := range []string{"list", "list all"} {
		list, _, _ := entries(r.find(purpose))
		for _, entry := range list {
			if number := canonical(entry); number != "" {
				found[number] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// device returns the ID of a device of the account; "" if there is none.
func (r *record) device() string {
	for _, device := range r.devices() {
		if id := text(at(device, "id")); id != "" {
			return id
		}
	}
	return ""
}

func (r *record) devices() []any {
	if x := r.find("devices"); x != nil {
		list, _ := at(x.json, "devices").([]any)
		return list
	}
	return nil
}

// object is a FoneNumber in a response.
type object struct {
	number  string         // Ten digits.
	members map[string]any // All members.
	group   string         // The member that contains its options: sms_options, message_options, both, or receive.
	options map[string]any
	receive map[string]any // Nil if missing.
}

// newObject reads a FoneNumber; ok is false for one without delivery options.
func newObject(number string, value any) (o object, ok bool) {
	members, _ := value.(map[string]any)
	o = object{number: number, members: members}
	for _, name := range []string{"sms_options", "message_options"} {
		options, is := members[name].(map[string]any)
		receive, delivers := options["receive"].(map[string]any)
		if !is {
			continue
		}
		if o.group != "" {
			name = "both"
		}
		o.group = name
		if o.options == nil || delivers {
			o.options, o.receive = options, receive
		}
	}
	_, receives := members["receive"]
	_, notifies := members["receive_notify"]
	if o.group == "" && (receives || notifies) {
		o.group, o.options = "receive", members
		o.receive, _ = members["receive"].(map[string]any)
	}
	return o, o.group != ""
}

// currentField returns the name of the field of the current type, in lower case; "none" or "" if there is none.
func (o object) currentField() string {
	return strings.ToLower(text(o.receive["type"]))
}

// objects returns every FoneNumber in the responses.
func (r *record) objects() []object {
	var objects []object
	add := func(number string, value any) {
		if o, ok := newObject(number, value); ok {
			objects = append(objects, o)
		}
	}
	for _, x := range r.exchanges {
		if x.failure() != "" || !x.ok() {
			continue
		}
		add(x.fonenumber, at(x.json, "fonenumber"))
		list, _, _ := entries(x)
		for _, entry := range list {
			add(canonical(entry), entry)
		}
	}
	return objects
}

// text returns a scalar as text without surrounding white space; "" for anything else.
func text(value any) string {
	switch value := value.(type) {
	case string:
		return strings.TrimSpace(value)
	case json.Number, bool:
		return fmt.Sprint(value)
	default:
		return ""
	}
}
