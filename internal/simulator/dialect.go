package simulator

// Dialect is how FoneStorm responds where its versions differ.
type Dialect struct {
	LoginMember     string // Member of a login response that contains the token.
	OptionsMember   string // Member of a FoneNumber that contains its delivery.
	EnabledMember   string // Member of these options that says whether the FoneNumber receives messages.
	DocumentedTypes bool   // Types are spelled as documented ("Email"), instead of in lower case.
	URLMethod       string // Method shown for every callback URL; the method that was set if empty.
	IgnoresFilter   bool   // Lists contain objects without filter=all, too, including those of cancelled FoneNumbers.
	RateLimitStatus int    // Status of a request over the rate limit.
}

// Dialects contains what live programs have shown, and what FracTEL documents for version 2.12.
var Dialects = map[string]Dialect{
	"live": {LoginMember: "auth", OptionsMember: "sms_options", EnabledMember: "sms_enabled", RateLimitStatus: 429},
	"2.12": {
		LoginMember:     "authorization",
		OptionsMember:   "message_options",
		EnabledMember:   "messaging_enabled",
		DocumentedTypes: true,
		URLMethod:       "JSON",
		IgnoresFilter:   true,
		RateLimitStatus: 410,
	},
}
