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

// encoding is a form in which body parameters travel.
type encoding int

// The encodings. FracTEL's current pages and every live program use JSON; the API description of 2017/18 (2.0 to 2.4) says
// forms.
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
	encoder.SetEscapeHTML(false) // As every other program writes a URL.
	_ = encoder.Encode(p)        // Strings and integers can always be encoded.
	return bytes.TrimSpace(body.Bytes())
}

// encoder sends requests with the body that FoneStorm reads, which may be JSON for one kind of request and a form for another.
type encoder struct {
	next *limiter

	logins, settings, subaccounts bodies
}

// send sends the request once, or twice when it has to find out which body FoneStorm reads.
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
	return e.next.send(ctx, c, asJSON) // There is no body.
}

// bodies finds out which encoding FoneStorm reads for one kind of request, and remembers it. JSON comes first; a request
// that is refused in a way in which a service refuses what it cannot read is sent once more as a form.
//
// Until that is known the requests wait for each other, so that the answer costs one extra request and not one for each
// request that is on its way.
type bodies struct {
	mu       sync.Mutex
	known    bool
	working  encoding
	probing  chan struct{} // Closed when the request that finds out has its answer; nil when there is none.
	wontWait bool          // FoneStorm timed out or failed once, so that waiting for its answer could take long.
}

// send sends a request in the encoding that works, or finds out which one does.
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
	return refusedInBoth(inJSON, inForm)
}

// choose returns the encoding to use or, when the request has to find out, what to call with its result.
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
