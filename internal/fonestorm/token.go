package fonestorm

import (
	"context"
	"encoding/base64"
	"strings"
	"time"
)

// tokenLifetime is the lifetime that a login requests: FoneStorm's default.
const tokenLifetime = time.Hour

// token returns the token for a request; "" for a login. If there is none yet, all calls that need one share a login. A rejected login
// is not repeated, except once as a form, because FracTEL may lock the user out.
func (c *Client) token(ctx context.Context, r *request) (string, error) {
	if cache, obtain := c.tokenSource(r); obtain != nil {
		return cache.get(ctx, obtain, isRejectedLogin)
	}
	return c.config.Token, nil
}

// tokenSource returns where the token for a request is kept and how to obtain it; nil for a login and for a configured token.
func (c *Client) tokenSource(r *request) (cache *once[string], obtain func(context.Context) (string, error)) {
	switch {
	case r.role == logsIn || c.config.Token != "":
		return nil, nil
	case c.config.Subaccount == "" || r.role == choosesSubaccount:
		return &c.userToken, c.logIn
	default:
		return &c.subaccountToken, c.useSubaccount
	}
}

// dropToken forgets a rejected token, unless another call has renewed it already. It reports whether the token can be renewed.
func (c *Client) dropToken(r *request, rejected string) bool {
	cache, obtain := c.tokenSource(r)
	if obtain == nil {
		return false
	}
	if known := cache.kept.Load(); known != nil && known.value == rejected {
		cache.kept.CompareAndSwap(known, nil)
	}
	return true
}

func (c *Client) logIn(ctx context.Context) (string, error) {
	return c.requestToken(ctx, &request{role: logsIn, text: "log in to FoneStorm", path: "/auth", params: params{
		"username": c.config.Username, "password": c.config.Password, "expires": int(tokenLifetime / time.Second),
	}})
}

func (c *Client) useSubaccount(ctx context.Context) (string, error) {
	return c.requestToken(ctx, &request{
		role: choosesSubaccount, text: "get a token for subaccount " + c.config.Subaccount,
		path: "/subaccounts/token", params: params{"subaccount": c.config.Subaccount},
	})
}

// requestToken sends a request whose response contains a token, and masks that token from then on.
func (c *Client) requestToken(ctx context.Context, r *request) (string, error) {
	token, err := call(ctx, c, r, func(body []byte) (string, error) {
		token, err := decodeToken(body)
		c.secrets.add(token)
		return token, err
	})
	if isUsed := c.config.Subaccount == "" || r.role == choosesSubaccount; err == nil && isUsed {
		c.lastToken.Store(&token)
	}
	return token, err
}

// Account returns the ID of the account that the last token names; "" before the first call or if the token does not name one. It
// is only a hint, because the client cannot verify the token's signature.
func (c *Client) Account() string {
	token := c.config.Token
	if last := c.lastToken.Load(); last != nil {
		token = *last
	}
	return text(claims(token), "account", "id")
}

// claims returns the payload of a JWT; nil for any other token.
func claims(token string) any {
	_, encoded, _ := strings.Cut(token, ".")
	encoded, _, _ = strings.Cut(encoded, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
	sent, _ := parse(payload)
	return sent
}
