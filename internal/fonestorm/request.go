package fonestorm

import (
	"context"
	"io"
	"net/url"
	"time"
)

// operation is the kind of a request.
type operation int

const (
	logIn operation = iota
	useSubaccount
	readFoneNumber
	listFoneNumbers
	setDelivery
	listDevices
)

// request is one request to the API. It does not change while it is being sent.
type request struct {
	operation operation
	subject   string // The FoneNumber or subaccount; may be empty.
	method    string
	path      string        // Relative to the endpoint.
	query     url.Values    // May be nil.
	params    params        // Parameters of the body; nil for none.
	timeout   time.Duration // Minimum timeout of one attempt, if longer than the configured one.
	once      bool          // Whether a timeout is not retried.
}

// call is a request in progress, with its state across retries and renewed tokens.
type call struct {
	*request
	decode decoder
	token  string // Empty for a login.

	begun     time.Time // Start of the first attempt.
	attempts  int       // How many times the request was sent.
	renewals  int       // How many times the token was renewed.
	uncertain bool      // Whether a failed attempt may have taken effect.
}

// decoder reads the body of a successful response. Another attempt calls it again.
type decoder func(body io.Reader) error

// sets reports whether the request changes anything in FoneStorm.
func (r *request) sets() bool { return r.operation == setDelivery }

// obtainsToken reports whether the response contains a token.
func (r *request) obtainsToken() bool { return r.operation == logIn || r.operation == useSubaccount }

// lifetime returns the context in which the request is sent. Cancellation stops a read. A setting in flight continues until its
// response or its timeout, because its outcome would otherwise be unknown.
func (r *request) lifetime(ctx context.Context) context.Context {
	if r.sets() {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// String completes the phrase "could not".
func (r *request) String() string {
	switch r.operation {
	case logIn:
		return "log in to FoneStorm"
	case useSubaccount:
		return "get a token for subaccount " + r.subject
	case readFoneNumber:
		return "read FoneNumber " + r.subject
	case listFoneNumbers:
		return "list the account's FoneNumbers"
	case setDelivery:
		return "set the delivery of FoneNumber " + r.subject
	case listDevices:
		return "list the account's devices"
	default:
		return "call FoneStorm"
	}
}
