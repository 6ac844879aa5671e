package simulator

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"
)

// user is a user of the service. The account is the Subaccount of the FoneNumbers and devices that the user can manage.
type user struct{ password, account string }

// token is what the simulator knows about a token that it has issued.
type token struct {
	account string // As in user.
	expires time.Time
}

func (s *Simulator) logIn(r *http.Request, _ string) (int, any) {
	user, ok := s.users[r.PostForm.Get("username")]
	if !ok || user.password != r.PostForm.Get("password") {
		return http.StatusUnauthorized, "Invalid username or password."
	}
	return http.StatusCreated, object{s.options.Dialect.LoginMember: s.newToken(user.account)}
}

// subaccountToken returns a token for a subaccount, which is one that has FoneNumbers.
func (s *Simulator) subaccountToken(r *http.Request, _ string) (int, any) {
	code := r.PostForm.Get("subaccount")
	for _, f := range s.numbers {
		if f.Subaccount == code {
			return http.StatusCreated, object{"subaccount": s.newToken(code)}
		}
	}
	return http.StatusNotFound, "The subaccount was not found."
}

// newToken issues a token for an account that expires after an hour, a JWT with the payload of FracTEL's example. Only the service could
// verify its signature, so it is random.
func (s *Simulator) newToken(account string) object {
	now := time.Now()
	expires := now.Add(time.Hour)
	payload, _ := json.Marshal(object{ // Cannot fail for these types.
		"account": object{"id": cmp.Or(account, s.options.Account)},
		"portal":  object{"token": rand.Text()},
		"iat":     now.Unix(),
		"exp":     expires.Unix(),
	})
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(payload) + "." + rand.Text()
	s.tokens[text] = token{account, expires}
	return object{"token": text}
}
