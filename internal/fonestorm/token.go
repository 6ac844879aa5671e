package fonestorm

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// tokenLifetime is the lifetime that a login requests: FoneStorm's default.
	tokenLifetime = time.Hour
	// renewBefore is how long before it expires a token is renewed, so that it does not expire in transit. For short-lived
	// tokens it is a tenth of their lifetime.
	renewBefore = time.Minute
	// minTokenAge is the age below which a rejected token was probably invalidated by the login of another program, which needs
	// its own token for a while.
	minTokenAge = time.Minute
)

// tokenSource sends calls with a token. It obtains the token when it is first needed: by logging in and, for a subaccount, by a
// second request with the token of that login.
type tokenSource struct {
	username, password string // The username is empty if a token is configured.
	subaccount         string // Empty for the user's own account.
	secrets            *secrets
	maxRenewals        int
	next               *retry

	logins flights[*token]

	mu         sync.Mutex
	current    *token
	accepted   bool // Whether FoneStorm has accepted any token of this source.
	loginError error
	waits      *backoff.ExponentialBackOff // Waits between logins if tokens are rejected early.
}

// token is a token and what is known about it.
type token struct {
	text     string
	account  string // ID of the account; may be empty.
	obtained time.Time
	lifetime time.Duration // Zero when unknown.
}

// isStale reports whether the token has expired or is about to. Its lifetime counts from when it was received, because the clocks
// of FoneStorm and this machine may differ.
func (t *token) isStale() bool {
	return t.lifetime > 0 && time.Since(t.obtained) >= t.lifetime-min(renewBefore, t.lifetime/10)
}

func newTokenSource(config Config, secrets *secrets, next *retry) *tokenSource {
	s := &tokenSource{
		subaccount: config.Subaccount, secrets: secrets, maxRenewals: max(1, config.MaxRetries), next: next, waits: growingWaits(),
	}
	secrets.add(config.Password, config.Token)
	if config.Token != "" {
		s.current = &token{text: config.Token, account: readClaims(config.Token).account, obtained: time.Now()}
	} else {
		s.username, s.password = config.Username, config.Password
		s.secrets.add(basicCredentials(s.username, s.password))
	}
	return s
}

// account returns the ID of the account that the current token names; "" if there is no token or it does not name one.
func (s *tokenSource) account() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return ""
	}
	return s.current.account
}

// send makes a call with a token. If FoneStorm rejects the token, send repeats the call with a new one: tokens expire, and the
// login of another program may invalidate them.
func (s *tokenSource) send(ctx context.Context, c *call) *Error {
	var rejected *token
	for {
		t, err := s.token(ctx, rejected)
		if err != nil {
			return failureOf(c, err)
		}
		c.token = t.text
		failure := s.next.send(ctx, c)
		if !isRejectedToken(failure) {
			s.noteAccepted(failure)
			return failure
		}
		if !s.renewable(c.renewals) {
			return failure
		}
		c.renewals++
		rejected = t
	}
}

// renewable reports whether a call that has renewed its token this many times may renew it again. If FoneStorm has never accepted
// a token, it is renewed once.
func (s *tokenSource) renewable(renewals int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.username == "":
		return false
	case !s.accepted:
		return renewals == 0
	default:
		return renewals < s.maxRenewals
	}
}

// noteAccepted records that FoneStorm has accepted a token, as any response except 401 shows.
func (s *tokenSource) noteAccepted(failure *Error) {
	if !gotResponse(failure) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted = true
}

// token returns a token other than the rejected one, which may be nil. Concurrent callers share one login.
func (s *tokenSource) token(ctx context.Context, rejected *token) (*token, error) {
	if t, err := s.known(rejected); t != nil || err != nil {
		return t, err
	}
	return s.logins.do(ctx, "", func(ctx context.Context) (*token, error) {
		if t, err := s.known(rejected); t != nil || err != nil {
			return t, err // Another call has logged in since.
		}
		if err := sleep(ctx, s.waitBeforeLogin(rejected)); err != nil {
			return nil, err
		}
		t, err := s.obtain(ctx)
		s.remember(t, err)
		return t, err
	})
}

func (s *tokenSource) known(rejected *token) (*token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loginError != nil {
		return nil, s.loginError
	}
	if s.current == nil || s.current == rejected || s.username != "" && s.current.isStale() {
		return nil, nil //nolint:nilnil // There is neither a token nor an error yet.
	}
	return s.current, nil
}

// waitBeforeLogin returns how long to wait before replacing the rejected token. Two programs whose logins invalidate each other's
// tokens must both make progress, so the wait grows while tokens are rejected early.
func (s *tokenSource) waitBeforeLogin(rejected *token) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rejected == nil || time.Since(rejected.obtained) >= minTokenAge {
		s.waits.Reset()
		return 0
	}
	return s.waits.NextBackOff()
}

// waitAgain waits because another token was rejected early.
func (s *tokenSource) waitAgain(ctx context.Context) error {
	s.mu.Lock()
	wait := s.waits.NextBackOff()
	s.mu.Unlock()
	return sleep(ctx, wait)
}

func (s *tokenSource) remember(t *token, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.current = t
	case isRejectedLogin(err):
		s.loginError = err
	}
}

// obtain logs in and, if a subaccount is configured, requests its token.
func (s *tokenSource) obtain(ctx context.Context) (*token, error) {
	text, err := s.logIn(ctx)
	if err == nil && s.subaccount != "" {
		text, err = s.actOnSubaccount(ctx, text)
	}
	if err != nil {
		return nil, err
	}
	said := readClaims(text)
	return &token{text: text, account: said.account, obtained: time.Now(), lifetime: said.lifetime}, nil
}

func (s *tokenSource) logIn(ctx context.Context) (string, error) {
	return s.requestToken(ctx, &request{
		operation: logIn,
		method:    http.MethodPost,
		path:      "/auth",
		params:    params{"username": s.username, "password": s.password, "expires": int(tokenLifetime / time.Second)},
	}, "")
}

// actOnSubaccount returns the subaccount's token. The login of another program may invalidate the parent token before it is used,
// so a rejected one is replaced.
func (s *tokenSource) actOnSubaccount(ctx context.Context, parent string) (string, error) {
	r := &request{
		operation: useSubaccount,
		subject:   s.subaccount,
		method:    http.MethodPost,
		path:      "/subaccounts/token",
		params:    params{"subaccount": s.subaccount},
	}
	for renewals := 0; ; renewals++ {
		text, err := s.requestToken(ctx, r, parent)
		if !isRejectedToken(asError(err)) || !s.renewable(renewals) {
			return text, err
		}
		if err := s.waitAgain(ctx); err != nil {
			return "", err
		}
		if parent, err = s.logIn(ctx); err != nil {
			return "", err
		}
	}
}

// requestToken sends a request whose response contains a token, and masks that token from then on.
func (s *tokenSource) requestToken(ctx context.Context, r *request, parent string) (string, error) {
	var text string
	c := &call{request: r, token: parent, decode: func(body io.Reader) error {
		content, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		text, err = decodeToken(content)
		s.secrets.add(text)
		return err
	}}
	if failure := s.next.send(ctx, c); failure != nil {
		return "", failure
	}
	return text, nil
}
