package fonestorm

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"

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

// tokenSource has the token that calls are made with, and obtains it when it is first needed: by a login, and, for a
// subaccount, by a second request with the token of that login. Nothing else knows how.
type tokenSource struct {
	username, password string // The username is empty when a token was given.
	subaccount         string // Empty for the user's own account.
	secrets            *secrets
	maxRenewals        int
	ask                func(ctx context.Context, r *request, token string) (string, error) // Sends a request that is answered with a token.

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

func newTokenSource(config Config, secrets *secrets, ask func(context.Context, *request, string) (string, error)) *tokenSource {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval = time.Second
	waits.Multiplier = 2
	waits.RandomizationFactor = 0.25
	waits.MaxInterval = 30 * time.Second
	s := &tokenSource{
		subaccount: config.Subaccount, secrets: secrets, maxRenewals: max(1, config.MaxRetries), ask: ask, waits: waits,
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

// do makes a call with a token, and again with a new one when FoneStorm rejects it: tokens expire, and another program's
// login may end them.
func (s *tokenSource) do(ctx context.Context, p *progress, call func(ctx context.Context, token string) error) error {
	var rejected *token
	for {
		t, err := s.token(ctx, rejected)
		if err != nil {
			return err
		}
		err = call(ctx, t.text)
		if !isRefusedToken(err) {
			s.noteAccepted(err)
			return err
		}
		if !s.renewable(p.renewals) {
			return err
		}
		p.renewals++
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
func (s *tokenSource) noteAccepted(err error) {
	failure, failed := errors.AsType[*Error](err)
	if err != nil && (!failed || failure.Status == 0) {
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
	switch kind := KindOf(err); {
	case err == nil:
		s.current = t
	case kind == AuthenticationFailed || kind == SubaccountRejected || kind == PermissionDenied:
		s.refused = err // Trying again could lock the user.
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
		if !isRefusedToken(err) || !s.renewable(renewals) {
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

// readToken reads the token of a response and makes it secret.
func (s *secrets) readToken(body []byte) (string, error) {
	text, err := decodeToken(body)
	if err == nil && strings.ContainsFunc(text, unicode.IsControl) {
		err = errors.New("contains a token with a control character, which cannot be sent")
	}
	s.add(text)
	return text, err
}
