package fonestorm

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/http"
	"strings"
)

// logsInFor reports whether the client gets the token for a request by logging in: unless the request is part of that, or a token is
// configured.
func (c *Client) logsInFor(r *request) bool {
	return r.role != logsIn && r.role != choosesSubaccount && c.config.Token == ""
}

// token returns the token for a request; "" for a login. If there is none yet, all calls that need one share a login. A rejected login
// is not repeated, except once as a form, because FracTEL may lock the user out.
func (c *Client) token(ctx context.Context, r *request) (string, error) {
	if !c.logsInFor(r) {
		return cmp.Or(r.token, c.config.Token), nil
	}
	token, err := c.loggedIn.get(func() (string, error) { return c.logIn(ctx) })
	if err != nil && asError(err).retryable { // FoneStorm may be available again for the next call.
		c.dropToken(token)
	}
	return token, err
}

// dropToken forgets a rejected token, or a failed login without one, unless another call has renewed it already.
func (c *Client) dropToken(rejected string) {
	if known := c.loggedIn.kept.Load(); known != nil && known.value == rejected {
		c.loggedIn.kept.CompareAndSwap(known, nil)
	}
}

// logIn gets a token for the username and password and, with that token, one for the subaccount, if there is one. From then on, both
// are masked.
func (c *Client) logIn(ctx context.Context) (token string, err error) {
	login := &request{role: logsIn, text: "log in to FoneStorm", path: "/auth"}
	login.params = params{"username": c.config.Username, "password": c.config.Password}
	for range 2 { // The login of another program may invalidate the first token before it is used.
		if token, err = call(ctx, c, login, decodeToken); err != nil || c.config.Subaccount == "" {
			break
		}
		c.secrets.add(token)
		choose := &request{role: choosesSubaccount, text: "get a token for subaccount " + c.config.Subaccount, path: "/subaccounts/token"}
		choose.params, choose.token = params{"subaccount": c.config.Subaccount}, token
		if token, err = call(ctx, c, choose, decodeToken); !isRejectedWith(err, choose.role, http.StatusUnauthorized) {
			break
		}
	}
	if err == nil {
		c.secrets.add(token)
		c.lastToken.Store(&token)
	}
	return token, err
}

// Account returns the ID of the account that the last token names; "" before a login or if the token does not name one. It
// is only a hint, because the client cannot verify the token's signature.
func (c *Client) Account() string {
	token := c.config.Token
	if last := c.lastToken.Load(); last != nil {
		token = *last
	}
	_, encoded, _ := strings.Cut(token, ".") // The payload of a JWT is between two periods.
	encoded, _, _ = strings.Cut(encoded, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
	claims, _ := parse(payload)
	return text(claims, "account", "id")
}
