package simulator

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// user is a user and its account. FoneNumbers and devices of another account than the first have its ID as their Subaccount.
type user struct{ name, password, account string }

// token is what the simulator knows about a token that it has issued.
type token struct {
	account string
	expires time.Time
}

// ExpireTokens invalidates every token issued so far.
func (s *Simulator) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

func (s *Simulator) logIn(w http.ResponseWriter, r *http.Request) {
	form := Parameters(r)
	for _, user := range s.users {
		if user.name == form.Get("username") && user.password == form.Get("password") {
			seconds, _ := strconv.Atoi(form.Get("expires")) // Validated by the contract; 0 if missing.
			text := s.newToken(user.account, time.Duration(seconds)*time.Second)
			reply(w, http.StatusCreated, map[string]any{cmp.Or(s.dialect.LoginMember, "auth"): map[string]any{"token": text}})
			return
		}
	}
	fail(w, http.StatusUnauthorized, "Invalid username or password.")
}

func (s *Simulator) subaccountToken(w http.ResponseWriter, r *http.Request, account string) {
	subaccount := Parameters(r).Get("subaccount")
	s.mu.Lock()
	known := s.subaccounts[subaccount]
	s.mu.Unlock()
	switch {
	case account != s.options.Account:
		fail(w, http.StatusForbidden, "A subaccount has no subaccounts.")
	case !known:
		fail(w, http.StatusNotFound, "The subaccount was not found.")
	default:
		reply(w, http.StatusCreated, map[string]any{"subaccount": map[string]any{"token": s.newToken(subaccount, 0)}})
	}
}

// newToken issues a token for an account. It is valid for an hour unless the login requests another lifetime.
func (s *Simulator) newToken(account string, requested time.Duration) string {
	lifetime := cmp.Or(requested, s.options.TokenLifetime, time.Hour)
	if longest := s.options.TokenLifetime; longest != 0 {
		lifetime = min(lifetime, longest)
	}
	now := time.Now()
	text := "simulated." + rand.Text()
	if !s.dialect.OpaqueTokens {
		text = s.jwt(account, now, now.Add(lifetime))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[text] = token{account, now.Add(lifetime)}
	return text
}

// jwt returns a signed token with the payload of FracTEL's example.
func (s *Simulator) jwt(account string, issued, expires time.Time) string {
	payload, _ := json.Marshal(map[string]any{ // Cannot fail for these types.
		"account": map[string]any{"id": account},
		"portal":  map[string]any{"token": rand.Text()},
		"iat":     issued.Unix(),
		"exp":     expires.Unix(),
	})
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(payload)
	signature := hmac.New(sha256.New, s.key)
	signature.Write([]byte(text))
	return text + "." + encode(signature.Sum(nil))
}

// accountOf returns the account that a token acts on, and whether the token is valid.
func (s *Simulator) accountOf(text string) (account string, valid bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[text]
	if !ok || !time.Now().Before(t.expires) {
		return "", false
	}
	return t.account, true
}
