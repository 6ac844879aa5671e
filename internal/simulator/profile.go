package simulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Profile is a dialect of FoneStorm: which of the forms in FracTEL's documents and in live programs it accepts and returns.
// The zero value of a setting is its default, the behavior of the live service, which profileSettings lists first.
type Profile struct {
	// LoginBody is the kind of body that logins and requests for subaccount tokens must have: json, form, or both.
	LoginBody string `json:"login_body,omitempty"`
	// SettingBody is the same for settings.
	SettingBody string `json:"setting_body,omitempty"`
	// BodyStatus is the status for a body of the wrong kind: 400, 415, or 422.
	BodyStatus int `json:"body_status,omitempty"`

	// LoginResponse is the member of a login response that contains the token: auth, authorization, token (flat, with
	// status 200, as in 2.1) or data (auth within data).
	LoginResponse string `json:"login_response,omitempty"`
	// LoginStatus is the status for wrong credentials: 401, 400, or 403.
	LoginStatus int `json:"login_status,omitempty"`
	// Token is the kind of token: jwt, which names the account and the time it expires, or opaque.
	Token string `json:"token,omitempty"`
	// EarlierTokens is what happens to earlier tokens when the user logs in again: kept or ended.
	EarlierTokens string `json:"earlier_tokens,omitempty"`

	// OptionsMember is the member of a FoneNumber that contains its delivery: sms_options, message_options, both (but
	// only message_options contains receive), or receive when there is no such group (2.1.1).
	OptionsMember string `json:"options_member,omitempty"`
	// Types is the spelling of delivery types: lower (all but None, as documents and live responses show them),
	// all-lower, documented, upper, or padded with a blank on either side.
	Types string `json:"types,omitempty"`
	// NotificationType is whether notifications contain their type: shown, or missing as in older versions.
	NotificationType string `json:"notification_type,omitempty"`
	// UnsetDelivery is how a delivery that was never set is shown: none (type None), empty or null (type and destination),
	// or missing (no receive).
	UnsetDelivery string `json:"unset_delivery,omitempty"`
	// URLMethod is the method shown for a callback URL: kept (the one that was set), POST, JSON, GET, empty (""), or null.
	URLMethod string `json:"url_method,omitempty"`

	// SettingResponse is the response to a successful setting: fonenumber, success (2.1: only a result), or empty.
	SettingResponse string `json:"setting_response,omitempty"`
	// ValidationStatus is the status for an invalid setting: 400 or 422.
	ValidationStatus int `json:"validation_status,omitempty"`
	// EmptyCredentials is whether FoneStorm accepts an empty url_username or url_password.
	EmptyCredentials string `json:"empty_credentials,omitempty"`
	// RateLimitStatus is the status for a request over the rate limit: 429, 400 (2.11), or 410 (2.12).
	RateLimitStatus int `json:"rate_limit_status,omitempty"`

	// List is the response to GET /fonenumbers?filter=all: "all" (active FoneNumbers as objects), "strings" or
	// "objects-with-inactive" (the filter is ignored), or an error.
	List string `json:"list,omitempty"`
	// ListStatus is the status of a rejected list: 400, 404, or 422.
	ListStatus int `json:"list_status,omitempty"`
	// ListLatency is how long a list takes in addition to Options.Latency.
	ListLatency Duration `json:"list_latency,omitzero"`
	// ListEntry is an odd first entry of every list: none, null, number (a small JSON number), or object (without a
	// FoneNumber).
	ListEntry string `json:"list_entry,omitempty"`
	// Devices is whether calls about devices succeed or return 403.
	Devices string `json:"devices,omitempty"`

	// Respellings contains names of changes to the spelling of responses, from the function Respellings.
	Respellings []string `json:"respellings,omitempty"`
}

// Duration is a time.Duration that is encoded as text, such as "2m0s".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. A negative duration is an error.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err == nil && parsed < 0 {
		err = fmt.Errorf("the duration %s is negative", parsed)
	}
	*d = Duration(parsed)
	return err
}

// Setting describes a setting of a Profile.
type Setting struct {
	Name   string // The name in JSON.
	Usage  string
	Values []string // Allowed values, the default first; empty for a duration.
}

// setting is a Setting of a particular Profile: a text or a status.
type setting struct {
	Setting
	text   *string
	status *int
}

func (s setting) get() string {
	switch {
	case s.text != nil:
		return *s.text
	case *s.status == 0:
		return ""
	default:
		return strconv.Itoa(*s.status)
	}
}

func (s setting) put(value string) error {
	if !slices.Contains(s.Values, value) {
		return unknown(s.Name, value, s.Values)
	}
	if s.text != nil {
		*s.text = value
		return nil
	}
	var err error
	*s.status, err = strconv.Atoi(value)
	return err
}

// profileSettings returns the settings of p that have a fixed set of values.
func profileSettings(p *Profile) []setting {
	text := func(name string, field *string, usage string, values ...string) setting {
		return setting{Setting{name, usage, values}, field, nil}
	}
	status := func(name string, field *int, usage string, values ...string) setting {
		return setting{Setting{name, usage, values}, nil, field}
	}
	return []setting{
		text("login_body", &p.LoginBody, "request `body` of logins", "json", "form", "both"),
		text("setting_body", &p.SettingBody, "request `body` of settings", "json", "form", "both"),
		status("body_status", &p.BodyStatus, "`status` for a request body of the wrong kind", "400", "415", "422"),
		text("login_response", &p.LoginResponse, "`member` of a login response that contains the token", "auth", "authorization", "token", "data"),
		status("login_status", &p.LoginStatus, "`status` for wrong credentials", "401", "400", "403"),
		text("token", &p.Token, "`kind` of token", "jwt", "opaque"),
		text("earlier_tokens", &p.EarlierTokens, "what happens to earlier tokens when a user logs in again", "kept", "ended"),
		text("options_member", &p.OptionsMember, "`member` of a FoneNumber that contains its delivery", "sms_options", "message_options", "both", "receive"),
		text("types", &p.Types, "`spelling` of delivery types", "lower", "all-lower", "documented", "upper", "padded"),
		text("notification_type", &p.NotificationType, "type of notifications in responses", "shown", "missing"),
		text("unset_delivery", &p.UnsetDelivery, "`delivery` that is shown if it was never set", "none", "empty", "null", "missing"),
		text("url_method", &p.URLMethod, "`method` shown for callback URLs", "kept", "POST", "JSON", "GET", "empty", "null"),
		text("setting_response", &p.SettingResponse, "`response` to a successful setting", "fonenumber", "success", "empty"),
		status("validation_status", &p.ValidationStatus, "`status` for an invalid setting", "400", "422"),
		text("empty_credentials", &p.EmptyCredentials, "how empty callback credentials are handled", "accepted", "refused"),
		status("rate_limit_status", &p.RateLimitStatus, "`status` for a request over the rate limit", "429", "400", "410"),
		text("list", &p.List, "`response` to a list with filter=all", "all", "strings", "objects-with-inactive", "refused"),
		status("list_status", &p.ListStatus, "`status` of a rejected list", "400", "404", "422"),
		text("list_entry", &p.ListEntry, "odd first `entry` of every list", "none", "null", "number", "object"),
		text("devices", &p.Devices, "how calls about devices are handled", "all", "refused"),
	}
}

// The settings without a fixed set of values.
const (
	listLatency = "list_latency"
	respellings = "respellings"
)

// Settings describes every setting of a Profile.
func Settings() []Setting {
	var settings []Setting
	for _, s := range profileSettings(new(Profile)) {
		settings = append(settings, s.Setting)
	}
	return append(settings,
		Setting{listLatency, "additional `delay` of lists", nil},
		Setting{respellings, "comma-separated `changes` to the spelling of responses", Respellings()},
	)
}

// Set changes the named setting. Respellings are separated by commas. The error for an unknown name or value lists the allowed
// ones.
func (p *Profile) Set(name, value string) error {
	switch name {
	case listLatency:
		return p.ListLatency.UnmarshalText([]byte(value))
	case respellings:
		p.Respellings = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
		return p.checkRespellings()
	}
	settings := profileSettings(p)
	i := slices.IndexFunc(settings, func(s setting) bool { return s.Name == name })
	if i < 0 {
		return unknown("profile setting", name, settingNames())
	}
	return settings[i].put(value)
}

// complete returns p with defaults, or an error if a value is not allowed.
func (p Profile) complete() (Profile, error) {
	if p.ListLatency < 0 {
		return p, fmt.Errorf("%s is negative: use 0 or more", listLatency)
	}
	for _, s := range profileSettings(&p) {
		if err := s.put(cmp.Or(s.get(), s.Values[0])); err != nil {
			return p, err
		}
	}
	return p, p.checkRespellings()
}

func (p Profile) checkRespellings() error {
	for _, name := range p.Respellings {
		if !slices.Contains(Respellings(), name) {
			return unknown("respelling", name, Respellings())
		}
	}
	return nil
}

// Profiles returns the built-in profiles by name, with a value for every setting: 2.1, 2.4, and 2.12 respond as FracTEL documents
// these versions, and live as live programs show. The zero Profile is live.
func Profiles() map[string]Profile {
	profiles := map[string]Profile{
		"live": {},
		"2.1": {
			LoginResponse: "token", Token: "opaque", OptionsMember: "receive", NotificationType: "missing",
			UnsetDelivery: "empty", URLMethod: "JSON", SettingResponse: "success",
		},
		"2.4": {LoginBody: "form", SettingBody: "form", NotificationType: "missing"},
		"2.12": {
			LoginResponse: "authorization", OptionsMember: "message_options", Types: "documented", URLMethod: "JSON",
			RateLimitStatus: 410, List: "objects-with-inactive",
		},
	}
	for name, profile := range profiles {
		profiles[name], _ = profile.complete() // A test checks that they are valid.
	}
	return profiles
}

// LoadProfile returns the built-in profile of this name, or else reads the JSON file at this path: a profile, or a report from
// fonestorm-check, which contains one. Missing settings have their defaults. The error for an unknown setting or value lists the
// allowed ones.
func LoadProfile(nameOrPath string) (Profile, error) {
	profiles := Profiles()
	if profile, ok := profiles[nameOrPath]; ok {
		return profile, nil
	}
	data, err := os.ReadFile(nameOrPath) //nolint:gosec // The user names the file.
	if errors.Is(err, fs.ErrNotExist) {
		return Profile{}, fmt.Errorf("%w, or the path of a JSON file",
			unknown("profile", nameOrPath, slices.Sorted(maps.Keys(profiles))))
	}
	if err != nil {
		return Profile{}, fmt.Errorf("reading the profile: %w", err)
	}
	var report struct {
		Profile json.RawMessage `json:"profile"`
	}
	if err := json.Unmarshal(data, &report); err == nil && report.Profile != nil {
		data = report.Profile
	}
	var profile Profile
	if err := json.Unmarshal(data, &profile); err != nil {
		return Profile{}, fmt.Errorf("reading the profile %s: %w", nameOrPath, err)
	}
	return profile, nil
}

// UnmarshalJSON implements json.Unmarshaler. Missing settings have their defaults. The error for an unknown setting or value
// lists the allowed ones.
func (p *Profile) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	names := settingNames()
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(names, name) {
			return unknown("profile setting", name, names)
		}
	}
	type plain Profile // To avoid calling this method again.
	var read plain
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	var err error
	*p, err = Profile(read).complete()
	return err
}

func settingNames() []string {
	var names []string
	for _, s := range Settings() {
		names = append(names, s.Name)
	}
	return names
}

func unknown(what, value string, allowed []string) error {
	return fmt.Errorf("unknown %s %q: use %s", what, value, strings.Join(allowed, ", "))
}
