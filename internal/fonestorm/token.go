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
	// tokenLifetime is how long a token is asked to be valid: FoneStorm's own default.
	tokenLifetime = time.Hour
	// renewBefore is how long before its expiry a token is renewed, so that it does not expire on its way. Of tokens that live
	// for a shorter time it is a tenth of their lifetime.
	renewBefore = time.Minute
	// earlyDeath is how long a token lives at least when nothing is wrong. One that is rejected sooner was probably ended by
	// the login of another program, which needs its own token for a while.
	earlyDeath = time.Minute
)

// tokenSource sends calls with a token, and obtains it when it is first needed: by a login, and, for a subaccount, by a second
// request with the token of that login. Nothing else knows how.
type tokenSource struct {
	username, password string // The username is empty when a token was given.
	subaccount         string // Empty for the user's own account.
	secrets            *secrets
	maxRenewals        int
	next               *retry

	logins flights[*token]

	mu       sync.Mutex
	current  *token
	accepted bool // Whether FoneStorm has ever accepted a token of this source.
	refused  error
	waits    *backoff.ExponentialBackOff // Between logins whose tokens die early.
}

// token is a token and what is known of it.
type token struct {
	text     string
	account  string // The account that it names; may be empty.
	obtained time.Time
	lifetime time.Duration // Zero when unknown.
}

// isStale reports whether the token is about to expire, or has. The lifetime counts from when it came, because the clocks of
// FoneStorm and of this machine may differ.
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

// account returns the account that the current token names; "" when there is none or it names none.
func (s *tokenSource) account() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return ""
	}
	return s.current.account
}

// send makes a call with a token, and again with a new one when FoneStorm rejects it: tokens expire, and another program's
// login may end them.
func (s *tokenSource) send(ctx context.Context, c *call) *Error {
	var rejected *token
	for {
		t, err := s.token(ctx, rejected)
		if err != nil {
			return failureOf(c, err)
		}
		c.token = t.text
		failure := s.next.send(ctx, c)
		if !isRefusedToken(failure) {
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

// renewable reports whether a rejected token can be replaced once more in a call that has renewed it this often. Tokens that
// were never accepted are renewed once.
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

// noteAccepted learns from a call's result that FoneStorm accepts the token: any response but 401 says so.
func (s *tokenSource) noteAccepted(failure *Error) {
	if !gotResponse(failure) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted = true
}

// token returns a token other than the rejected one (nil for none). However many ask for it at once, one login serves them
// all.
func (s *tokenSource) token(ctx context.Context, rejected *token) (*token, error) {
	if t, err := s.known(rejected); t != nil || err != nil {
		return t, err
	}
	return s.logins.do(ctx, "", func(ctx context.Context) (*token, error) {
		if t, err := s.known(rejected); t != nil || err != nil {
			return t, err // Another call has logged in meanwhile.
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
	if s.refused != nil {
		return nil, s.refused
	}
	if s.current == nil || s.current == rejected || s.username != "" && s.current.isStale() {
		return nil, nil //nolint:nilnil // Neither is known.
	}
	return s.current, nil
}

// waitBeforeLogin returns how long to wait before the rejected token is replaced. Two programs whose logins end each
// other's tokens must both get on, so the wait grows as long as tokens die early.
func (s *tokenSource) waitBeforeLogin(rejected *token) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rejected == nil || time.Since(rejected.obtained) >= earlyDeath {
		s.waits.Reset()
		return 0
	}
	return s.waits.NextBackOff()
}

// waitAgain waits because a token died early once more.
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
	case isRefusedLogin(err):
		s.refused = err
	}
}

// obtain logs in and, when there is a subaccount, gets the token for it.
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
	return s.ask(ctx, &request{
		operation: logIn,
		method:    http.MethodPost,
		path:      "/auth",
		params:    params{"username": s.username, "password": s.password, "expires": int(tokenLifetime / time.Second)},
	}, "")
}

// actOnSubaccount returns the subaccount's token. The login's token may be ended by another program's login before it could
// be used, so a rejected one is replaced.
func (s *tokenSource) actOnSubaccount(ctx context.Context, parent string) (string, error) {
	r := &request{
		operation: useSubaccount,
		subject:   s.subaccount,
		method:    http.MethodPost,
		path:      "/subaccounts/token",
		params:    params{"subaccount": s.subaccount},
	}
	for renewals := 0; ; renewals++ {
		text, err := s.ask(ctx, r, parent)
		if !isRefusedToken(asError(err)) || !s.renewable(renewals) {
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

// ask sends a request that is answered with a token, which becomes secret.
func (s *tokenSource) ask(ctx context.Context, r *request, parent string) (string, error) {
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
