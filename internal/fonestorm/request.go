package fonestorm

import (
	"context"
	"io"
	"net/url"
	"time"
)

// operation is what a request does.
type operation int

const (
	logIn operation = iota
	useSubaccount
	readFoneNumber
	listFoneNumbers
	setDelivery
	listDevices
)

// request is one request to the API. It does not change while it is sent.
type request struct {
	operation operation
	subject   string // The FoneNumber or subaccount that it is about; may be empty.
	method    string
	path      string        // Below the endpoint.
	query     url.Values    // May be nil.
	params    params        // Of the body; nil for none.
	timeout   time.Duration // Of one attempt, when it is longer than the configured one.
	once      bool          // Whether it is not repeated after a timeout.
}

// call is a request on its way, and what has become of it so far, across retries and renewed tokens.
type call struct {
	*request
	decode decoder
	token  string // Empty for a login.

	begun     time.Time // Of the first attempt.
	attempts  int       // How often the request was sent.
	renewals  int       // How many attempts were rejected for a token that was then renewed.
	uncertain bool      // Whether one of the attempts may have taken effect although it failed.
}

// decoder reads the body of a successful response. It may be called again for another attempt.
type decoder func(body io.Reader) error

// sets reports whether the request changes something at FoneStorm.
func (r *request) sets() bool { return r.operation == setDelivery }

// obtainsToken reports whether the response contains a token.
func (r *request) obtainsToken() bool { return r.operation == logIn || r.operation == useSubaccount }

// lifetime returns the context in which the request is sent. One that changes nothing ends with its call; one that sets
// something ends by itself, within its timeout, because what it sets would otherwise be forgotten.
func (r *request) lifetime(ctx context.Context) context.Context {
	if r.sets() {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// String describes the request to complete "could not".
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
