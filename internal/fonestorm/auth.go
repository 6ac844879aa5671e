package fonestorm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/sync/singleflight"
)

// session holds the token that calls are made with and obtains it when it is first needed.
type session struct {
	transport *transport
	username  string // Empty when the token was given.
	password  string // Kept with a given token too, so that no answer can show it.

	logins singleflight.Group

	mu      sync.Mutex
	current string
	refused error // A login that was refused: asking again could lock the account.
}

func newSession(config Config, transport *transport) *session {
	s := &session{transport: transport, current: config.Token, password: config.Password}
	if config.Token == "" {
		s.username = config.Username
	}
	return s
}

// renewable reports whether a refused token can be replaced by a new one.
func (s *session) renewable() bool { return s.username != "" }

// token returns a token other than the expired one ("" for any). However many ask for it at once, one login serves
// them all.
func (s *session) token(ctx context.Context, expired string) (string, error) {
	if token, err := s.known(expired); token != "" || err != nil {
		return token, err
	}
	return share(ctx, &s.logins, "", func(ctx context.Context) (string, error) {
		if token, err := s.known(expired); token != "" || err != nil {
			return token, err // Somebody else has logged in meanwhile.
		}
		token, err := s.logIn(ctx)
		s.remember(token, err)
		return token, err
	})
}

func (s *session) known(expired string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused != nil || s.current == expired {
		return "", s.refused
	}
	return s.current, nil
}

func (s *session) remember(token string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.current = token
	}
	if Is(err, Unauthorized) || Is(err, Forbidden) {
		s.refused = err
	}
}

// logIn obtains a token. FracTEL's documents show three places for it in the answer: the members `auth` and
// `authorization`, and the top level.
func (s *session) logIn(ctx context.Context) (string, error) {
	type holder struct {
		Token string `json:"token"`
	}
	var token string
	err := s.transport.send(ctx, &request{
		doing:   "logging in",
		method:  http.MethodPost,
		path:    "/auth",
		form:    url.Values{"username": {s.username}, "password": {s.password}},
		secrets: []string{s.password},
	}, func(body io.Reader) error {
		var answer struct {
			holder
			Auth          holder `json:"auth"`
			Authorization holder `json:"authorization"`
		}
		if err := json.NewDecoder(body).Decode(&answer); err != nil {
			return err
		}
		token = cmp.Or(answer.Auth.Token, answer.Authorization.Token, answer.Token)
		switch {
		case token == "":
			return errors.New("it holds no token")
		case strings.ContainsFunc(token, unicode.IsControl):
			return errors.New("its token holds a control character, with which it cannot be sent")
		default:
			return nil
		}
	})
	if err != nil {
		return "", err
	}
	return token, nil
}
