package simulator

import (
	"cmp"
	"crypto/rand"
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

func (s *Simulator) logIn(w http.ResponseWriter, r *http.Request) {
	form := Parameters(r)
	for _, user := range s.users {
		if user.name == form.Get("username") && user.password == form.Get("password") {
			seconds, _ := strconv.Atoi(cmp.Or(form.Get("expires"), "3600")) // Validated by the contract.
			text := s.newToken(user.account, time.Duration(seconds)*time.Second)
			reply(w, http.StatusCreated, map[string]any{s.options.Dialect.LoginMember: map[string]any{"token": text}})
			return
		}
	}
	fail(w, http.StatusUnauthorized, "Invalid username or password.")
}

func (s *Simulator) subaccountToken(w http.ResponseWriter, r *http.Request, account string) {
	subaccount := Parameters(r).Get("subaccount")
	switch {
	case account != s.options.Account:
		fail(w, http.StatusForbidden, "A subaccount has no subaccounts.")
	case !s.hasSubaccount(subaccount):
		fail(w, http.StatusNotFound, "The subaccount was not found.")
	default:
		reply(w, http.StatusCreated, map[string]any{"subaccount": map[string]any{"token": s.newToken(subaccount, time.Hour)}})
	}
}

// newToken issues a token for an account, a JWT with the payload of FracTEL's example. Only the service could verify its signature,
// so it is random.
func (s *Simulator) newToken(account string, lifetime time.Duration) string {
	now := time.Now()
	payload, _ := json.Marshal(map[string]any{ // Cannot fail for these types.
		"account": map[string]any{"id": account},
		"portal":  map[string]any{"token": rand.Text()},
		"iat":     now.Unix(),
		"exp":     now.Add(lifetime).Unix(),
	})
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(payload) + "." + rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[text] = token{account, now.Add(lifetime)}
	return text
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
