package simulator

// Dialect is how FoneStorm responds where its versions differ. The zero value is the live service.
type Dialect struct {
	LoginMember     string   // Member of a login response that contains the token; "auth" if empty.
	OptionsMember   string   // Member of a FoneNumber that contains its delivery; "sms_options" if empty.
	DocumentedTypes bool     // Types are spelled as documented ("Email"), instead of in lower case.
	URLMethod       string   // Method shown for every callback URL; the method that was set if empty.
	List            ListForm // Response to a list with filter=all.
	RateLimitStatus int      // Status of a request over the rate limit; 429 if zero.
	OpaqueTokens    bool     // Tokens are random text instead of JWTs.
}

// ListForm is a response to GET /fonenumbers?filter=all.
type ListForm string

// The filter is honored, ignored in one of two forms, or rejected.
const (
	ListObjects  ListForm = ""         // Every active FoneNumber as an object.
	ListNumbers  ListForm = "numbers"  // The filter is ignored: only the numbers.
	ListInactive ListForm = "inactive" // The filter is ignored: objects, including those of cancelled FoneNumbers.
	ListRejected ListForm = "rejected" // Status 400. Without the filter, the response contains only the numbers.
)

// Dialects contains the dialects that have a name: what live programs have shown, and what FracTEL documents for version 2.12.
var Dialects = map[string]Dialect{
	"live": {},
	"2.12": {
		LoginMember:     "authorization",
		OptionsMember:   "message_options",
		DocumentedTypes: true,
		URLMethod:       "JSON",
		List:            ListInactive,
		RateLimitStatus: 410,
	},
}
