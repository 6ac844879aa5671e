package contract

// Assumption is something that the provider assumes of FoneStorm.
type Assumption struct {
	ID       string
	Sentence string
	Source   string // Document and version, or "live" for what callers of the live service show.
	How      string // How it is checked.
	Writes   bool   // The check changes a FoneNumber.

	setting string   // Setting of the simulator's profile that gets what was seen; none when empty.
	assumed []string // What may be seen.
	needs   []string // Purposes of the exchanges without which nothing can be said.
	observe func(r *record) finding
}

// finding is what was seen. The zero value means nothing.
type finding struct {
	seen        string   // In words of this package, never of a response.
	profile     string   // Value of the profile setting, when that is not seen.
	respellings []string // Of the profile, that explain what was seen.
	unchecked   string   // Why nothing was seen.
}

// Assumptions returns all of them, in the order of a report.
func Assumptions() []Assumption {
	all := append(loginAssumptions(), readAssumptions()...)
	for _, a := range settingAssumptions() {
		a.Writes = true
		all = append(all, a)
	}
	return all
}

func loginAssumptions() []Assumption {
	return []Assumption{
		{
			ID: "login-body", Sentence: "A login accepts a JSON body.", Source: "2.1, live; forms in 2.4", How: "log in with JSON and with a form",
			setting: "login_body", assumed: []string{"json", "both"}, needs: []string{"login json"}, observe: bodies("login json", "login form"),
		}, {
			ID: "body-status", Sentence: "A body of the wrong kind is refused with 400, 415 or 422.", Source: "not documented", How: "log in and set with JSON and with a form",
			setting: "body_status", assumed: []string{"400", "415", "422"}, observe: bodyStatus,
		}, {
			ID: "login-response", Sentence: "The token is in the member auth.", Source: "2.4, live; authorization in the guide, top level in 2.1", How: "log in",
			setting: "login_response", assumed: []string{"auth"}, needs: []string{"login"}, observe: loginResponse,
		}, {
			ID: "login-refused", Sentence: "Wrong credentials are refused with 401.", Source: "2.12; 400 and 403 live", How: "log in with a made-up username",
			setting: "login_status", assumed: []string{"401"}, needs: []string{"login made-up"}, observe: status("login made-up"),
		}, {
			ID: "token", Sentence: "A token is a JWT that names the account and the time it expires.", Source: "FracTEL's example", How: "decode the token",
			setting: "token", assumed: []string{"jwt"}, observe: tokenKind,
		}, {
			ID: "token-lifetime", Sentence: "A token lasts as long as the login asks.", Source: "2.4", How: "ask for 30 minutes and decode the token",
			assumed: []string{"as requested"}, needs: []string{"login"}, observe: lifetime,
		}, {
			ID: "earlier-tokens", Sentence: "A login leaves earlier tokens valid.", Source: "not documented", How: "read with the token of an earlier login",
			setting: "earlier_tokens", assumed: []string{"kept"}, needs: []string{"earlier token"}, observe: earlierTokens,
		}, {
			ID: "invalid-token", Sentence: "A request with an invalid token is refused with 401.", Source: "2.12", How: "read with a made-up token",
			assumed: []string{"401"}, needs: []string{"invalid token"}, observe: status("invalid token"),
		}, {
			ID: "subaccount-token", Sentence: "A subaccount's token is in the member subaccount.", Source: "live", How: "request a token of FRACTEL_SUBACCOUNT",
			assumed: []string{"returned"}, needs: []string{"subaccount"}, observe: always("returned"),
		},
	}
}

func readAssumptions() []Assumption {
	return []Assumption{
		{
			ID: "foreign-fonenumber", Sentence: "A FoneNumber that is not in the account is refused with 404.", Source: "2.12", How: "read such a FoneNumber",
			assumed: []string{"404"}, needs: []string{"foreign"}, observe: status("foreign"),
		}, {
			ID: "error-envelope", Sentence: "An error has the members error, message and status_code.", Source: "2.1 to 2.12", How: "read a FoneNumber that is not in the account",
			assumed: []string{"complete"}, needs: []string{"foreign"}, observe: envelope,
		}, {
			ID: "rate-limit", Sentence: "The rate limit is reported with 429.", Source: "table of codes; 400 in 2.11, 410 in 2.12", How: "with -rate-limit: send 20 requests at once",
			setting: "rate_limit_status", assumed: []string{"429"}, observe: rateLimit,
		}, {
			ID: "list", Sentence: "A list without a filter contains FoneNumbers as text or as objects.", Source: "2.1 to 2.12, live", How: "list without a filter",
			assumed: []string{"strings", "objects"}, needs: []string{"list"}, observe: plainList,
		}, {
			ID: "list-all", Sentence: "A list with filter=all contains every active FoneNumber with its delivery.", Source: "2.1 to 2.11", How: "list with filter=all",
			setting: "list", assumed: []string{"all"}, needs: []string{"list all"}, observe: filteredList,
		}, {
			ID: "list-refused", Sentence: "A filter is refused, if at all, with 400.", Source: "not documented", How: "list with filter=all",
			setting: "list_status", assumed: []string{"400"}, needs: []string{"list all"}, observe: listStatus,
		}, {
			ID: "list-entries", Sentence: "Every entry of a list is a FoneNumber.", Source: "2.1 to 2.12", How: "list",
			setting: "list_entry", assumed: []string{"none"}, needs: []string{"list"}, observe: oddEntry,
		}, {
			ID: "list-duration", Sentence: "A list takes less than 10 seconds.", Source: "2.12 warns of a slow list", How: "list with filter=all",
			setting: "list_latency", assumed: []string{"under 1s", "1s to 10s"}, needs: []string{"list all"}, observe: listDuration,
		}, {
			ID: "options-member", Sentence: "A FoneNumber's delivery is in the member sms_options.", Source: "Set Delivery page, live; message_options in 2.11 and 2.12", How: "read FoneNumbers",
			setting: "options_member", assumed: []string{"sms_options"}, observe: optionsMember,
		}, {
			ID: "types", Sentence: "Types are shown in lower case, except None.", Source: "2.1 to 2.12, live", How: "read FoneNumbers",
			setting: "types", assumed: []string{"lower"}, observe: spelledTypes,
		}, {
			ID: "unset-delivery", Sentence: "A FoneNumber whose delivery was never set shows type None.", Source: "live; empty in 2.1", How: "read FoneNumbers",
			setting: "unset_delivery", assumed: []string{"none"}, observe: unsetDelivery,
		}, {
			ID: "unset-fields", Sentence: "An unset field is null or empty.", Source: "2.1 to 2.12, live", How: "read FoneNumbers",
			assumed: []string{"null or empty", "null", "empty"}, observe: unsetFields,
		}, {
			ID: "stale-fields", Sentence: "The fields of other types keep old values.", Source: "2.1, live", How: "read FoneNumbers",
			assumed: []string{"kept"}, observe: staleFields,
		}, {
			ID: "notification-type", Sentence: "A notification shows its type.", Source: "2.12; not in 2.1 and 2.4", How: "read FoneNumbers",
			setting: "notification_type", assumed: []string{"shown"}, observe: notificationType,
		}, {
			ID: "credentials-hidden", Sentence: "The credentials of a callback URL are never returned.", Source: "Set Delivery page", How: "read FoneNumbers with a callback URL",
			assumed: []string{"hidden"}, observe: hiddenCredentials,
		}, {
			ID: "fonenumber-spelling", Sentence: "FoneNumbers are shown as ten digits.", Source: "2.1 to 2.12, live", How: "read FoneNumbers",
			assumed: []string{"as set"}, observe: spelledNumbers,
		}, {
			ID: "active-spelling", Sentence: "is_active is yes, no or cancel.", Source: "2.12", How: "read FoneNumbers",
			assumed: []string{"as documented"}, observe: spelledActive,
		}, {
			ID: "json-types", Sentence: "Members have the JSON types that the documents show.", Source: "2.1 to 2.12", How: "read FoneNumbers",
			assumed: []string{"as documented"}, observe: jsonTypes,
		}, {
			ID: "devices", Sentence: "The devices of the account can be listed.", Source: "2.1 to 2.12, live", How: "list devices",
			setting: "devices", assumed: []string{"all"}, needs: []string{"devices"}, observe: devices,
		}, {
			ID: "device-id", Sentence: "The ID of a device is text of digits.", Source: "2.1 to 2.12", How: "list devices",
			assumed: []string{"digits"}, needs: []string{"devices"}, observe: deviceIDs,
		},
	}
}

func settingAssumptions() []Assumption {
	return []Assumption{
		{
			ID: "setting-body", Sentence: "A setting accepts a JSON body.", Source: "Set Delivery page; forms in 2.4", How: "set an e-mail address with JSON and with a form",
			setting: "setting_body", assumed: []string{"json", "both"}, needs: []string{"set json", "set form"}, observe: bodies("set json", "set form"),
		}, {
			ID: "settings", Sentence: "Every type can be set.", Source: "Set Delivery page", How: "set every type",
			assumed: []string{"all"}, needs: []string{"set json", "set form", "set url", "set forward", "set none"}, observe: acceptedTypes,
		}, {
			ID: "setting-response", Sentence: "A setting returns the FoneNumber.", Source: "Set Delivery page; only a result in 2.1", How: "set a URL",
			setting: "setting_response", assumed: []string{"fonenumber"}, needs: []string{"set url", "read url"}, observe: settingResponse,
		}, {
			ID: "validation", Sentence: "An invalid setting is refused with 400.", Source: "2.12; 422 in the table of codes", How: "set an invalid e-mail address",
			setting: "validation_status", assumed: []string{"400"}, needs: []string{"set invalid"}, observe: status("set invalid"),
		}, {
			ID: "empty-credentials", Sentence: "Empty callback credentials are accepted.", Source: "not documented", How: "set a URL with empty credentials",
			setting: "empty_credentials", assumed: []string{"accepted"}, needs: []string{"read url", "set empty credentials"}, observe: emptyCredentials,
		}, {
			ID: "url-method", Sentence: "A URL that was set shows the method POST.", Source: "Set Delivery page; JSON in examples of 2.1 to 2.12", How: "set a URL",
			setting: "url_method", assumed: []string{"kept"}, needs: []string{"read url"}, observe: urlMethod,
		}, {
			ID: "email-as-set", Sentence: "An e-mail address is shown as it was set.", Source: "not documented", How: "set an address in mixed case",
			assumed: []string{"as set"}, observe: asSet("email", testEmail, "read json", "read form"),
		}, {
			ID: "url-as-set", Sentence: "A URL is shown as it was set.", Source: "not documented", How: "set a URL with tokens and a host in mixed case",
			assumed: []string{"as set"}, observe: asSet("url", testURL, "read url"),
		}, {
			ID: "forward-as-set", Sentence: "A telephone number is shown as it was set.", Source: "not documented", How: "set ten digits",
			assumed: []string{"as set"}, observe: asSet("forward", testForward, "read forward"),
		}, {
			ID: "device-as-set", Sentence: "A device ID is shown as it was set.", Source: "not documented", How: "set a device of the account",
			assumed: []string{"as set"}, observe: asSet("device", "", "read device"),
		}, {
			ID: "none", Sentence: "A FoneNumber that was set to None shows type None.", Source: "2.1 to 2.12, live", How: "set None",
			assumed: []string{"None"}, needs: []string{"read none"}, observe: noneShown,
		},
	}
}

// always is for an assumption that holds once there is an exchange that the run cannot go on without.
func always(seen string) func(*record) finding {
	return func(*record) finding { return finding{seen: seen} }
}

// settingPurposes are the settings of a valid destination that tell types apart.
var settingPurposes = map[string]string{"set url": "URL", "set forward": "Forward", "set device": "Device", "set none": "None"}
