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

// Profile is a dialect of FoneStorm: which of the forms that FracTEL's documents and live callers show it accepts and
// returns. The zero value of every setting stands for what the live service does; profileSettings lists it first.
type Profile struct {
	// LoginBody is the kind of request body that a login or a request for a subaccount token must have: json, form, or
	// both for either kind.
	LoginBody string `json:"login_body,omitempty"`
	// SettingBody is the same for settings.
	SettingBody string `json:"setting_body,omitempty"`
	// BodyStatus is the status for a body of the wrong kind: 400, 415 or 422.
	BodyStatus int `json:"body_status,omitempty"`

	// LoginResponse is the member of a login's response that contains the token: auth, authorization, token (flat, with
	// status 200, as in 2.1) or data (auth within data).
	LoginResponse string `json:"login_response,omitempty"`
	// LoginStatus is the status for wrong credentials: 401, 400 or 403.
	LoginStatus int `json:"login_status,omitempty"`
	// Token is the kind of token: jwt, which names the account and the time it expires, or opaque.
	Token string `json:"token,omitempty"`
	// EarlierTokens says whether tokens stay valid when their user logs in again: kept or ended.
	EarlierTokens string `json:"earlier_tokens,omitempty"`

	// OptionsMember is the member of a FoneNumber that contains its delivery: sms_options, message_options, both (where
	// only message_options contains receive), or receive when there is no such group (2.1.1).
	OptionsMember string `json:"options_member,omitempty"`
	// Types is the spelling of delivery types: lower (all but None, as documents and live responses show them),
	// all-lower, documented, upper, or padded with a blank on either side.
	Types string `json:"types,omitempty"`
	// NotificationType says whether notifications contain their type: shown, or missing as in older versions.
	NotificationType string `json:"notification_type,omitempty"`
	// UnsetDelivery is what a FoneNumber shows whose delivery was never set: none for type None; empty or null for such
	// a type and destination; missing when there is no receive.
	UnsetDelivery string `json:"unset_delivery,omitempty"`
	// URLMethod is the method that a FoneNumber with a callback URL shows: kept for the one that was set last, POST,
	// JSON, GET, empty ("") or null.
	URLMethod string `json:"url_method,omitempty"`

	// SettingResponse is the response to a successful setting: fonenumber, success (2.1: only a result), or empty.
	SettingResponse string `json:"setting_response,omitempty"`
	// ValidationStatus is the status for a setting that is not valid: 400 or 422.
	ValidationStatus int `json:"validation_status,omitempty"`
	// EmptyCredentials says whether an empty url_username or url_password is accepted or refused.
	EmptyCredentials string `json:"empty_credentials,omitempty"`
	// RateLimitStatus is the status for a request over the rate limit: 429, 400 (2.11) or 410 (2.12).
	RateLimitStatus int `json:"rate_limit_status,omitempty"`

	// List is the response to a list of FoneNumbers with filter=all: all for active FoneNumbers as objects; strings, or
	// objects-with-inactive, when the filter is ignored; refused.
	List string `json:"list,omitempty"`
	// ListStatus is the status of a refused list: 400, 404 or 422.
	ListStatus int `json:"list_status,omitempty"`
	// ListLatency is how long a list takes in addition to Options.Latency.
	ListLatency Duration `json:"list_latency,omitzero"`
	// ListEntry is an odd first entry of every list: none, null, number (a small JSON number), or object for an object
	// without a FoneNumber.
	ListEntry string `json:"list_entry,omitempty"`
	// Devices says whether calls about devices work: all, or refused with 403.
	Devices string `json:"devices,omitempty"`

	// Respellings names the changes to the spelling of responses; see Respellings. None when empty.
	Respellings []string `json:"respellings,omitempty"`
}

// Duration is a time.Duration whose text is that of its String method, as in "2m0s".
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
	Name   string // As in JSON.
	Usage  string
	Values []string // Those allowed, the default first; empty when the setting is a duration.
}

// setting is a Setting of one Profile: a text or a status.
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

// profileSettings returns the settings of p that have one value of several.
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
		text("login_response", &p.LoginResponse, "`member` with the token in the response to a login", "auth", "authorization", "token", "data"),
		status("login_status", &p.LoginStatus, "`status` for wrong credentials", "401", "400", "403"),
		text("token", &p.Token, "`kind` of token", "jwt", "opaque"),
		text("earlier_tokens", &p.EarlierTokens, "earlier tokens of a user who logs in again", "kept", "ended"),
		text("options_member", &p.OptionsMember, "`member` of a FoneNumber with its delivery", "sms_options", "message_options", "both", "receive"),
		text("types", &p.Types, "`spelling` of delivery types", "lower", "all-lower", "documented", "upper", "padded"),
		text("notification_type", &p.NotificationType, "type of notifications", "shown", "missing"),
		text("unset_delivery", &p.UnsetDelivery, "`delivery` of a FoneNumber that was never set", "none", "empty", "null", "missing"),
		text("url_method", &p.URLMethod, "`method` that callback URLs show", "kept", "POST", "JSON", "GET", "empty", "null"),
		text("setting_response", &p.SettingResponse, "`response` to a successful setting", "fonenumber", "success", "empty"),
		status("validation_status", &p.ValidationStatus, "`status` for a setting that is not valid", "400", "422"),
		text("empty_credentials", &p.EmptyCredentials, "empty callback credentials", "accepted", "refused"),
		status("rate_limit_status", &p.RateLimitStatus, "`status` for a request over the rate limit", "429", "400", "410"),
		text("list", &p.List, "`response` to a list with filter=all", "all", "strings", "objects-with-inactive", "refused"),
		status("list_status", &p.ListStatus, "`status` of a refused list", "400", "404", "422"),
		text("list_entry", &p.ListEntry, "odd first `entry` of every list", "none", "null", "number", "object"),
		text("devices", &p.Devices, "calls about devices", "all", "refused"),
	}
}

// The settings that are not one value of several.
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
		Setting{listLatency, "how `long` a list takes in addition to the latency", nil},
		Setting{respellings, "comma-separated `changes` to the spelling of responses", Respellings()},
	)
}

// Set changes the setting of this name. Respellings are separated by commas. An unknown name or value is an error that
// lists those allowed.
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

// complete returns p with its defaults filled in, or an error when a value is not allowed.
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

// Profiles returns the built-in profiles by name: 2.1, 2.4 and 2.12 respond as FracTEL's documents of these versions
// say, live responds as live callers show, which is also what the zero Profile does. Every setting has a value.
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
		profiles[name], _ = profile.complete() // A test checks that all are allowed.
	}
	return profiles
}

// LoadProfile returns the built-in profile of this name, or else the one in the JSON file at this path, which is a profile
// or a report of fonestorm-check that contains one. A profile may leave out settings; unknown ones, and values that are
// not allowed, are errors that list those allowed.
func LoadProfile(nameOrPath string) (Profile, error) {
	profiles := Profiles()
	if profile, ok := profiles[nameOrPath]; ok {
		return profile, nil
	}
	data, err := os.ReadFile(nameOrPath) //nolint:gosec // The user's own file.
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

// UnmarshalJSON implements json.Unmarshaler. Settings that are left out get their defaults; unknown ones, and values
// that are not allowed, are errors that list those allowed.
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
	type plain Profile // Without this method.
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
