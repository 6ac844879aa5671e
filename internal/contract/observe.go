package contract

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

func status(purpose string) func(*record) finding {
	return func(r *record) finding { return finding{seen: strconv.Itoa(r.find(purpose).status)} }
}

func bodies(withJSON, withForm string) func(*record) finding {
	return func(r *record) finding {
		// If the response to JSON shows that the credentials are wrong, the run ends without trying a form.
		form := r.find(withForm)
		switch asJSON, asForm := r.find(withJSON).ok(), form != nil && form.ok(); {
		case asJSON && asForm:
			return finding{seen: "both"}
		case asJSON:
			return finding{seen: "json"}
		case asForm:
			return finding{seen: "form"}
		default:
			return finding{seen: "neither"}
		}
	}
}

func bodyStatus(r *record) finding {
	for _, pair := range [][2]string{{"login json", "login form"}, {"set json", "set form"}} {
		first, second := r.find(pair[0]), r.find(pair[1])
		if first == nil || second == nil || first.ok() == second.ok() {
			continue
		}
		if first.ok() {
			first = second
		}
		return finding{seen: strconv.Itoa(first.status)}
	}
	return finding{unchecked: "no body was rejected because of its kind"}
}

func loginResponse(r *record) finding {
	member, _ := loginToken(r.find("login"))
	return finding{seen: member}
}

// claims returns the payload of a JWT; nil if the token is not a JWT.
func claims(token string) map[string]any {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var claims map[string]any
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return nil
	}
	return claims
}

func tokenKind(r *record) finding {
	claims := claims(r.token)
	_, expires := claims["exp"].(float64)
	switch {
	case r.token == "":
		return finding{unchecked: "there is no token"}
	case claims == nil:
		return finding{seen: "opaque"}
	case text(at(claims, "account", "id")) == "":
		return finding{seen: "JWT without an account"}
	case !expires:
		return finding{seen: "JWT without an expiry"}
	default:
		return finding{seen: "jwt"}
	}
}

func lifetime(r *record) finding {
	_, token := loginToken(r.find("login"))
	claims := claims(token)
	issued, hasIssued := claims["iat"].(float64)
	expires, hasExpires := claims["exp"].(float64)
	switch {
	case !hasIssued || !hasExpires:
		return finding{unchecked: "the token does not contain its lifetime"}
	case expires-issued < tokenLifetime.Seconds():
		return finding{seen: "shorter"}
	case expires-issued > tokenLifetime.Seconds():
		return finding{seen: "longer"}
	default:
		return finding{seen: "as requested"}
	}
}

func earlierTokens(r *record) finding {
	if r.find("earlier token").status == 401 {
		return finding{seen: "ended"}
	}
	return finding{seen: "kept"}
}

func envelope(r *record) finding {
	x := r.find("foreign")
	var missing []string
	for _, name := range []string{"error", "message", "status_code"} {
		if text(at(x.json, name)) == "" {
			missing = append(missing, name)
		}
	}
	switch {
	case x.kind != "JSON":
		return finding{seen: x.kind}
	case len(missing) > 0:
		return finding{seen: "without " + strings.Join(missing, ", ")}
	case text(at(x.json, "status_code")) != strconv.Itoa(x.status):
		return finding{seen: "another status_code"}
	default:
		return finding{seen: "complete"}
	}
}

func rateLimit(r *record) finding {
	for _, x := range r.exchanges {
		if x.rateLimited() {
			return finding{seen: strconv.Itoa(x.status)}
		}
	}
	if why, ok := r.skipped["rate limit"]; ok {
		return finding{unchecked: why}
	}
	return finding{seen: "not reported"}
}

// entryKinds returns strings, objects, both, or "" for an empty list.
func entryKinds(x *exchange) string {
	list, _, _ := entries(x)
	kinds := map[string]bool{}
	for _, entry := range list {
		kind := "strings"
		if _, isObject := entry.(map[string]any); isObject {
			kind = "objects"
		}
		kinds[kind] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(kinds)), " and ")
}

const noFoneNumbers = "the account has no FoneNumbers"

func plainList(r *record) finding {
	x := r.find("list")
	if !x.ok() {
		return finding{seen: "refused"}
	}
	return finding{seen: entryKinds(x), unchecked: noFoneNumbers}
}

func filteredList(r *record) finding {
	x := r.find("list all")
	kinds := entryKinds(x)
	if !x.ok() {
		return finding{seen: "refused"}
	}
	if kinds != "objects" {
		return finding{seen: kinds, unchecked: noFoneNumbers}
	}
	list, _, _ := entries(x)
	inactive := slices.ContainsFunc(list, func(entry any) bool {
		return !slices.Contains([]string{"yes", "true", "1"}, strings.ToLower(text(at(entry, "is_active"))))
	})
	if inactive || entryKinds(r.find("list")) == "objects" {
		return finding{seen: "objects-with-inactive"}
	}
	return finding{seen: "all"}
}

func listStatus(r *record) finding {
	x := r.find("list all")
	if x.ok() {
		return finding{unchecked: "the filter was not rejected"}
	}
	return finding{seen: strconv.Itoa(x.status)}
}

func oddEntry(r *record) finding {
	list, odd, isOdd := entries(r.find("list"))
	switch odd.(type) {
	case nil:
		if !isOdd && len(list) == 0 {
			return finding{unchecked: noFoneNumbers}
		}
		if !isOdd {
			return finding{seen: "none"}
		}
		return finding{seen: "null"}
	case json.Number:
		return finding{seen: "number"}
	case map[string]any:
		return finding{seen: "object"}
	default:
		return finding{seen: "another kind"}
	}
}

// listDuration rounds the time to steps, so that reports about the same service are the same.
func listDuration(r *record) finding {
	took := r.find("list all").took
	switch {
	case took < time.Second:
		return finding{seen: "under 1s", profile: "0s"}
	case took < 10*time.Second:
		return finding{seen: "1s to 10s", profile: "1s"}
	case took < 30*time.Second:
		return finding{seen: "10s to 30s", profile: "10s"}
	case took < 2*time.Minute:
		return finding{seen: "30s to 2m", profile: "30s"}
	default:
		return finding{seen: "over 2m", profile: "2m"}
	}
}

func optionsMember(r *record) finding {
	groups := map[string]bool{}
	for _, o := range r.objects() {
		groups[o.group] = true
	}
	return finding{seen: strings.Join(slices.Sorted(maps.Keys(groups)), " and "), unchecked: "no FoneNumber shows its delivery"}
}

// documentedTypes contains the delivery types in the spelling of settings.
var documentedTypes = []string{"Device", "Email", "URL", "Forward", "None"}

func spelledTypes(r *record) finding {
	shown := map[string]bool{}
	for _, o := range r.objects() {
		if raw, _ := o.receive["type"].(string); raw != "" {
			shown[raw] = true
		}
	}
	if len(shown) == 0 || len(shown) == 1 && shown["None"] {
		return finding{unchecked: "no FoneNumber has a type other than None"}
	}
	spellings := []struct {
		name  string
		spell func(string) string
	}{
		{"lower", func(kind string) string {
			if kind == "None" {
				return kind
			}
			return strings.ToLower(kind)
		}},
		{"all-lower", strings.ToLower},
		{"documented", func(kind string) string { return kind }},
		{"upper", strings.ToUpper},
		{"padded", func(kind string) string { return " " + kind + " " }},
	}
	for _, spelling := range spellings {
		matches := true
		for raw := range shown {
			matches = matches && slices.ContainsFunc(documentedTypes, func(kind string) bool { return spelling.spell(kind) == raw })
		}
		if matches {
			return finding{seen: spelling.name}
		}
	}
	return finding{seen: "another spelling"}
}

// The fields of receive that contain a destination.
var destinationFields = []string{"device", "email", "forward", "url"}

func unsetDelivery(r *record) finding {
	shown := map[string]bool{}
	for _, o := range r.objects() {
		raw, known := o.receive["type"]
		set := slices.ContainsFunc(destinationFields, func(field string) bool { return text(o.receive[field]) != "" })
		switch {
		case o.receive == nil:
			shown["missing"] = true
		case known && raw == nil:
			shown["null"] = true
		case raw == "":
			shown["empty"] = true
		case o.currentField() == "none" && !set:
			shown["none"] = true
		}
	}
	for _, kind := range []string{"missing", "null", "empty", "none"} {
		if shown[kind] {
			return finding{seen: kind}
		}
	}
	return finding{unchecked: "every FoneNumber has a delivery"}
}

func unsetFields(r *record) finding {
	kinds, fields := map[string]bool{}, map[string]bool{}
	for _, o := range r.objects() {
		for _, field := range destinationFields {
			if value, known := o.receive[field]; known && text(o.receive["type"]) != "" && (value == nil || value == "") {
				fields[field] = true
				kinds[form(value)] = true
			}
		}
	}
	switch {
	case !fields["device"] && !fields["forward"] || !fields["email"] && !fields["url"]:
		return finding{unchecked: "too few fields are unset"}
	case !kinds["null"]:
		return finding{seen: "empty", respellings: []string{"empty-for-null"}}
	case !kinds["empty"]:
		return finding{seen: "null", respellings: []string{"null-for-empty"}}
	default:
		return finding{seen: "null or empty"}
	}
}

func staleFields(r *record) finding {
	for _, o := range r.objects() {
		for _, field := range destinationFields {
			if field != o.currentField() && o.receive[field] != nil && o.receive[field] != "" {
				return finding{seen: "kept"}
			}
		}
	}
	if r.find("read none") == nil {
		return finding{unchecked: "no FoneNumber shows one"}
	}
	return finding{seen: "cleared"}
}

func notificationType(r *record) finding {
	for _, o := range r.objects() {
		if notify, ok := o.options["receive_notify"].(map[string]any); ok {
			if _, shown := notify["type"]; shown {
				return finding{seen: "shown"}
			}
			return finding{seen: "missing"}
		}
	}
	return finding{unchecked: "no FoneNumber shows a notification"}
}

func hiddenCredentials(r *record) finding {
	hidden := finding{unchecked: "no FoneNumber has a callback URL"}
	for _, o := range r.objects() {
		if text(o.receive["url"]) == "" {
			continue
		}
		if text(o.receive["url_username"]) != "" || text(o.receive["url_password"]) != "" {
			return finding{seen: "returned"}
		}
		hidden.seen = "hidden"
	}
	return hidden
}

// explained returns how a response shows texts that were set.
func explained(field string, shown map[string]any, set string, known finding) finding {
	respellings, ok := simulator.Explain(field, set, shown[field])
	if !ok {
		return finding{seen: "otherwise: " + form(shown[field])}
	}
	for _, name := range respellings {
		if !slices.Contains(known.respellings, name) {
			known.respellings = append(known.respellings, name)
		}
	}
	known.seen = "as set"
	if len(known.respellings) > 0 {
		known.seen = strings.Join(known.respellings, ", ")
	}
	return known
}

func spelledNumbers(r *record) finding {
	found := finding{unchecked: noFoneNumbers}
	for _, o := range r.objects() {
		found = explained("fonenumber", o.members, o.number, found)
	}
	list, _, _ := entries(r.find("list"))
	for _, entry := range list {
		if _, isObject := entry.(map[string]any); !isObject {
			found = explained("fonenumber", map[string]any{"fonenumber": entry}, canonical(entry), found)
		}
	}
	return found
}

func spelledActive(r *record) finding {
	respellings := map[string]bool{}
	objects := r.objects()
	for _, o := range objects {
		switch value := o.members["is_active"].(type) {
		case bool:
			respellings["active-boolean"] = true
		case json.Number:
			respellings["active-number"] = true
		case string:
			if slices.Contains([]string{"YES", "NO", "CANCEL"}, value) {
				respellings["active-upper-case"] = true
			} else if !slices.Contains([]string{"yes", "no", "cancel"}, value) {
				return finding{seen: "otherwise: " + form(value)}
			}
		default:
			return finding{seen: "otherwise: " + form(value)}
		}
	}
	return documented(respellings, len(objects))
}

// documented returns the finding of a check for respellings in objects.
func documented(respellings map[string]bool, objects int) finding {
	names := slices.Sorted(maps.Keys(respellings))
	switch {
	case objects == 0:
		return finding{unchecked: noFoneNumbers}
	case len(names) == 0:
		return finding{seen: "as documented"}
	default:
		return finding{seen: strings.Join(names, ", "), respellings: names}
	}
}

func jsonTypes(r *record) finding {
	respellings := map[string]bool{}
	objects := r.objects()
	for _, o := range objects {
		for _, name := range []string{"label", "group"} {
			if _, isNumber := o.members[name].(json.Number); isNumber {
				respellings[name+"-number"] = true
			}
		}
		for name, value := range o.options {
			_, isBoolean := value.(bool)
			_, isArray := value.([]any)
			if isBoolean && strings.HasSuffix(name, "_enabled") {
				respellings["enabled-boolean"] = true
			} else if isArray && strings.HasSuffix(name, "_notify") {
				respellings["empty-options-as-array"] = true
			}
		}
		if name := odd(o); name != "" {
			respellings[name] = true
		}
	}
	return documented(respellings, len(objects))
}

// odd returns the respelling that explains a field of receive that is neither text nor null.
func odd(o object) string {
	current := o.currentField()
	if _, isNumber := o.receive[current].(json.Number); isNumber && (current == "device" || current == "forward") {
		return current + "-number"
	}
	for _, field := range []string{"email", "url", "url_method"} { // Numbers in device and forward may be old values.
		_, isText := o.receive[field].(string)
		if o.receive[field] != nil && !isText && field != current {
			return "stale-fields-numbers"
		}
	}
	return ""
}

func devices(r *record) finding {
	if x := r.find("devices"); !x.ok() {
		return finding{seen: "refused"}
	}
	return finding{seen: "all"}
}

func deviceIDs(r *record) finding {
	found := finding{unchecked: "the account shows no device"}
	for _, device := range r.devices() {
		id := at(device, "id")
		_, isNumber := id.(json.Number)
		switch {
		case isNumber:
			return finding{seen: "number", respellings: []string{"device-number"}}
		case strings.HasSuffix(form(id), " digits"):
			found.seen = "digits"
		default:
			return finding{seen: "otherwise: " + form(id)}
		}
	}
	return found
}

func acceptedTypes(r *record) finding {
	var refused []string
	if !r.find("set json").ok() && !r.find("set form").ok() {
		refused = append(refused, "Email")
	}
	for _, purpose := range slices.Sorted(maps.Keys(settingPurposes)) {
		if x := r.find(purpose); x != nil && !x.ok() {
			refused = append(refused, fmt.Sprintf("%s (%d)", settingPurposes[purpose], x.status))
		}
	}
	if len(refused) > 0 {
		return finding{seen: "refused: " + strings.Join(refused, ", ")}
	}
	return finding{seen: "all"}
}

func settingResponse(r *record) finding {
	x := r.find("set url")
	_, isObject := at(x.json, "fonenumber").(map[string]any)
	switch {
	case x.kind == "empty":
		return finding{seen: "empty"}
	case isObject:
		return finding{seen: "fonenumber"}
	case text(at(x.json, "result")) != "":
		return finding{seen: "success"}
	default:
		return finding{seen: "another response"}
	}
}

func emptyCredentials(r *record) finding {
	if r.find("set empty credentials").ok() {
		return finding{seen: "accepted"}
	}
	return finding{seen: "refused"}
}

// readBack returns receive from the first of these exchanges that succeeded; nil if none did.
func readBack(r *record, purposes ...string) map[string]any {
	for _, purpose := range purposes {
		if x := r.find(purpose); x != nil {
			o, _ := newObject(x.fonenumber, at(x.json, "fonenumber"))
			return o.receive
		}
	}
	return nil
}

func urlMethod(r *record) finding {
	shown := readBack(r, "read url")["url_method"]
	respellings, ok := simulator.Explain("url_method", "POST", shown)
	switch {
	case shown == nil:
		return finding{seen: "null"}
	case shown == "":
		return finding{seen: "empty"}
	case shown == "JSON" || shown == "GET":
		return finding{seen: text(shown)}
	case !ok:
		return finding{seen: "otherwise: " + form(shown)}
	case len(respellings) > 0:
		return finding{seen: strings.Join(respellings, ", "), profile: "kept", respellings: respellings}
	default:
		return finding{seen: "kept"}
	}
}

// asSet returns how a response shows the destination that was set. An empty destination stands for the ID of the device.
func asSet(field, set string, purposes ...string) func(*record) finding {
	return func(r *record) finding {
		shown := readBack(r, purposes...)
		if shown == nil {
			return finding{unchecked: r.missing(purposes[0])}
		}
		return explained(field, shown, cmp.Or(set, r.device()), finding{})
	}
}

func noneShown(r *record) finding {
	switch kind := readBack(r, "read none")["type"].(type) {
	case nil:
		return finding{seen: "null"}
	case string:
		if strings.EqualFold(strings.TrimSpace(kind), "none") {
			return finding{seen: "None"}
		}
		return finding{seen: "otherwise: " + form(kind)}
	default:
		return finding{seen: "otherwise: " + form(kind)}
	}
}
