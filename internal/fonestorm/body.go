package fonestorm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"sync"
)

// params are the body parameters of a request: strings, and numbers where FracTEL documents a number.
type params map[string]any

// encoding is a format for body parameters.
type encoding int

// The encodings. FracTEL's current pages and every live program use JSON; the API descriptions from 2017 and 2018 (2.0 to 2.4)
// use forms.
const (
	asJSON encoding = iota
	asForm
)

func (e encoding) contentType() string {
	if e == asForm {
		return "application/x-www-form-urlencoded"
	}
	return "application/json"
}

func (e encoding) encode(p params) []byte {
	if e == asForm {
		form := make(url.Values, len(p))
		for name, value := range p {
			form.Set(name, fmt.Sprint(value))
		}
		return []byte(form.Encode())
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // Other programs do not escape the "&" of a URL either.
	_ = encoder.Encode(p)        // Encoding strings and integers cannot fail.
	return bytes.TrimSpace(body.Bytes())
}

// encoder sends requests in the encoding that FoneStorm accepts, which may differ between kinds of requests.
type encoder struct {
	next *limiter

	logins, settings, subaccounts bodies
}

// send sends the request once, or twice if it does not know yet which encoding FoneStorm accepts.
func (e *encoder) send(ctx context.Context, c *call) *Error {
	switch c.operation {
	case logIn:
		return e.logins.send(ctx, c, e.next)
	case useSubaccount:
		return e.subaccounts.send(ctx, c, e.next)
	case setDelivery:
		return e.settings.send(ctx, c, e.next)
	case readFoneNumber, listFoneNumbers, listDevices:
	}
	return e.next.send(ctx, c, asJSON) // These have no body.
}

// bodies detects and remembers which encoding FoneStorm accepts for one kind of request. It tries JSON first. If the response
// suggests that FoneStorm could not read the body, it sends the request once more as a form.
//
// Until the encoding is known, requests wait for the first one, so that detection takes one extra request in total instead of
// one for each concurrent request.
type bodies struct {
	mu       sync.Mutex
	known    bool
	working  encoding
	probing  chan struct{} // Closed when the detecting request has its response; nil if there is none.
	wontWait bool          // A request timed out or failed, so waiting for the next one could take long.
}

// send sends a request in the known encoding, or detects it.
func (b *bodies) send(ctx context.Context, c *call, next *limiter) *Error {
	chosen, done, err := b.choose(ctx, c)
	if err != nil {
		return err
	}
	if done == nil {
		return next.send(ctx, c, chosen)
	}
	inJSON := next.send(ctx, c, asJSON)
	if !isUnreadBody(inJSON) {
		done(asJSON, inJSON)
		return inJSON
	}
	inForm := next.send(ctx, c, asForm)
	done(asForm, inForm)
	return rejectedInBoth(inJSON, inForm)
}

// choose returns the encoding to use. If this request has to detect it, choose also returns a function to call with the result.
func (b *bodies) choose(ctx context.Context, c *call) (encoding, func(encoding, *Error), *Error) {
	for {
		b.mu.Lock()
		other := b.probing
		switch {
		case b.known:
			defer b.mu.Unlock()
			return b.working, nil, nil
		case other == nil || b.wontWait:
			defer b.mu.Unlock()
			probe := make(chan struct{})
			b.probing = probe
			return asJSON, func(used encoding, result *Error) { b.learn(probe, used, result) }, nil
		}
		b.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return asJSON, nil, canceled(ctx, c.request)
		}
	}
}

func (b *bodies) learn(probe chan struct{}, used encoding, result *Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if result == nil {
		b.known, b.working = true, used
	} else if isSlow(result) {
		b.wontWait = true
	}
	if b.probing == probe {
		b.probing = nil
	}
	close(probe)
}
