package contract

// Assumption is something that the provider assumes about FoneStorm.
type Assumption struct {
	ID       string
	Sentence string
	Source   string // Document and version, or "live" for evidence from programs that call the live service.
	How      string // How the run checks it.
	Writes   bool   // Whether the check changes a FoneNumber.

	setting string   // Setting of the simulator's profile for the result; may be empty.
	assumed []string // Results that match the assumption.
	needs   []string // Purposes of the exchanges that are required.
	observe func(r *record) finding
}

// finding is what a check found. The zero value means nothing.
type finding struct {
	seen        string   // In this package's words, never text of a response.
	profile     string   // Value of the profile setting, if it differs from seen.
	respellings []string // Respellings that explain the finding.
	unchecked   string   // Why nothing was found.
}

// Assumptions returns all assumptions, in the order of a report.
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
			ID: "body-status", Sentence: "The response to a body of the wrong kind is 400, 415, or 422.", Source: "not documented", How: "log in and set with JSON and with a form",
			setting: "body_status", assumed: []string{"400", "415", "422"}, observe: bodyStatus,
		}, {
			ID: "login-response", Sentence: "The token is in the member auth.", Source: "2.4, live; authorization in the guide, top level in 2.1", How: "log in",
			setting: "login_response", assumed: []string{"auth"}, needs: []string{"login"}, observe: loginResponse,
		}, {
			ID: "login-rejected", Sentence: "The response to wrong credentials is 401.", Source: "2.12; 400 and 403 live", How: "log in with a made-up username",
			setting: "login_status", assumed: []string{"401"}, needs: []string{"login made-up"}, observe: status("login made-up"),
		}, {
			ID: "token", Sentence: "A token is a JWT that contains the account and its expiry.", Source: "FracTEL's example", How: "decode the token",
			setting: "token", assumed: []string{"jwt"}, observe: tokenKind,
		}, {
			ID: "token-lifetime", Sentence: "A token is valid for as long as the login requests.", Source: "2.4", How: "request 30 minutes and decode the token",
			assumed: []string{"as requested"}, needs: []string{"login"}, observe: lifetime,
		}, {
			ID: "earlier-tokens", Sentence: "A login leaves earlier tokens valid.", Source: "not documented", How: "read with the token of an earlier login",
			setting: "earlier_tokens", assumed: []string{"kept"}, needs: []string{"earlier token"}, observe: earlierTokens,
		}, {
			ID: "invalid-token", Sentence: "The response to an invalid token is 401.", Source: "2.12", How: "read with a made-up token",
			assumed: []string{"401"}, needs: []string{"invalid token"}, observe: status("invalid token"),
		}, {
			ID: "subaccount-token", Sentence: "A subaccount's token is in the member subaccount.", Source: "live", How: "request a token for FRACTEL_SUBACCOUNT",
			assumed: []string{"returned"}, needs: []string{"subaccount"}, observe: always("returned"),
		},
	}
}

func readAssumptions() []Assumption {
	return []Assumption{
		{
			ID: "foreign-fonenumber", Sentence: "The response for a FoneNumber that is not in the account is 404.", Source: "2.12", How: "read such a FoneNumber",
			assumed: []string{"404"}, needs: []string{"foreign"}, observe: status("foreign"),
		}, {
			ID: "error-envelope", Sentence: "An error has the members error, message, and status_code.", Source: "2.1 to 2.12", How: "read a FoneNumber that is not in the account",
			assumed: []string{"complete"}, needs: []string{"foreign"}, observe: envelope,
		}, {
			ID: "rate-limit", Sentence: "The response to too many requests is 429.", Source: "table of codes; 400 in 2.11, 410 in 2.12", How: "with -rate-limit: send 20 requests at once",
			setting: "rate_limit_status", assumed: []string{"429"}, observe: rateLimit,
		}, {
			ID: "list", Sentence: "A list without a filter contains FoneNumbers as text or as objects.", Source: "2.1 to 2.12, live", How: "list without a filter",
			assumed: []string{"strings", "objects"}, needs: []string{"list"}, observe: plainList,
		}, {
			ID: "list-all", Sentence: "A list with filter=all contains every active FoneNumber with its delivery.", Source: "2.1 to 2.11", How: "list with filter=all",
			setting: "list", assumed: []string{"all"}, needs: []string{"list all"}, observe: filteredList,
		}, {
			ID: "list-rejected", Sentence: "If FoneStorm rejects the filter of a list, the response is 400.", Source: "not documented", How: "list with filter=all",
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
			ID: "active-spelling", Sentence: "is_active is yes, no, or cancel.", Source: "2.12", How: "read FoneNumbers",
			assumed: []string{"as documented"}, observe: spelledActive,
		}, {
			ID: "json-types", Sentence: "Members have the JSON types that the documents show.", Source: "2.1 to 2.12", How: "read FoneNumbers",
			assumed: []string{"as documented"}, observe: jsonTypes,
		}, {
			ID: "devices", Sentence: "The devices of the account can be listed.", Source: "2.1 to 2.12, live", How: "list devices",
			setting: "devices", assumed: []string{"all"}, needs: []string{"devices"}, observe: devices,
		}, {
			ID: "device-id", Sentence: "The ID of a device is a string of digits.", Source: "2.1 to 2.12", How: "list devices",
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
			ID: "validation", Sentence: "The response to an invalid setting is 400.", Source: "2.12; 422 in the table of codes", How: "set an invalid e-mail address",
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
			ID: "none", Sentence: "After None was set, a FoneNumber shows type None.", Source: "2.1 to 2.12, live", How: "set None",
			assumed: []string{"None"}, needs: []string{"read none"}, observe: noneShown,
		},
	}
}

// always returns the finding for an assumption that is true if the exchange it needs has succeeded.
func always(seen string) func(*record) finding {
	return func(*record) finding { return finding{seen: seen} }
}

// settingPurposes contains the types of valid settings by purpose.
var settingPurposes = map[string]string{"set url": "URL", "set forward": "Forward", "set device": "Device", "set none": "None"}
