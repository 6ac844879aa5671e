package fonestorm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// tokenLifetime is the lifetime that a login requests: FoneStorm's default.
const tokenLifetime = time.Hour

// tokenCache keeps a token, and the reason if none can be had. The zero value is empty.
type tokenCache struct {
	logins singleflight.Group

	mu       sync.Mutex
	text     string // Empty if there is no token, or if it was rejected.
	claims   claims // Of the last token.
	rejected error  // The rejection of a login, which is not repeated: FracTEL may lock the user out.
}

// get returns the token, "" if there is none, or the error of a rejected login.
func (t *tokenCache) get() (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text, t.rejected
}

func (t *tokenCache) put(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text, t.claims = text, readClaims(text)
}

func (t *tokenCache) reject(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rejected = err
}

// token returns the token for a request; "" for a login. If there is none, all calls that need it share one login.
func (c *Client) token(ctx context.Context, r *request) (string, error) {
	cache, obtain := c.tokenCache(r)
	switch {
	case cache == nil:
		return "", nil
	case obtain == nil:
		return c.config.Token, c.checkExpiry(r)
	}
	if text, err := cache.get(); text != "" || err != nil {
		return text, err
	}
	return shared(ctx, &cache.logins, "", func() (string, error) {
		if text, err := cache.get(); text != "" || err != nil {
			return text, err // Another call has logged in since.
		}
		text, err := obtain(ctx)
		if err == nil {
			cache.put(text)
		} else if isRejectedLogin(err) {
			cache.reject(err)
		}
		return text, err
	})
}

// tokenCache returns where the token for a request is kept, nil for a login, and how to obtain one; nil for a configured token.
func (c *Client) tokenCache(r *request) (*tokenCache, func(context.Context) (string, error)) {
	switch {
	case r.operation.role == logsIn:
		return nil, nil
	case c.config.Token != "":
		return &c.userToken, nil
	case c.config.Subaccount == "" || r.operation.role == choosesSubaccount:
		return &c.userToken, c.logIn
	default:
		return &c.subaccountToken, c.useSubaccount
	}
}

// dropToken forgets a rejected token, unless another call has renewed it already. It reports whether the token can be renewed.
func (c *Client) dropToken(r *request, rejected string) bool {
	cache, obtain := c.tokenCache(r)
	if obtain == nil {
		return false
	}
	cache.mu.Lock()
	defer cache.mu.Unlock()
	if cache.text == rejected {
		cache.text = ""
	}
	return true
}

// checkExpiry returns an error if the configured token says that it has expired, by this machine's clock.
func (c *Client) checkExpiry(r *request) error {
	if expires := c.userToken.claims.expires; !expires.IsZero() && !time.Now().Before(expires) {
		return expiredToken(r, expires)
	}
	return nil
}

// Account returns the ID of the account that the last token names; "" before the first call or if the token does not name one. It
// is only a hint, because the client cannot verify the token's signature.
func (c *Client) Account() string {
	cache, _ := c.tokenCache(&request{operation: readFoneNumber})
	cache.mu.Lock()
	defer cache.mu.Unlock()
	return cache.claims.account
}

func (c *Client) logIn(ctx context.Context) (string, error) {
	return c.requestToken(ctx, &request{
		operation: logIn,
		method:    http.MethodPost,
		path:      "/auth",
		params: params{
			"username": c.config.Username, "password": c.config.Password, "expires": int(tokenLifetime / time.Second),
		},
	})
}

func (c *Client) useSubaccount(ctx context.Context) (string, error) {
	return c.requestToken(ctx, &request{
		operation: useSubaccount,
		subject:   c.config.Subaccount,
		method:    http.MethodPost,
		path:      "/subaccounts/token",
		params:    params{"subaccount": c.config.Subaccount},
	})
}

// requestToken sends a request whose response contains a token, and masks that token from then on.
func (c *Client) requestToken(ctx context.Context, r *request) (text string, err error) {
	err = c.call(ctx, r, func(body []byte) (err error) {
		text, err = decodeToken(body)
		c.secrets.add(text)
		return err
	})
	return text, err
}

// claims contains the claims of FracTEL's example token. They are only hints, because the client cannot verify the signature. The
// zero value means that they are unknown.
type claims struct {
	account string // ID of the account.
	expires time.Time
}

// readClaims reads the payload of a JWT. Any other token has no claims.
func readClaims(token string) claims {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return claims{}
	}
	var sent struct {
		Account object[struct{ ID scalar }] `json:"account"`
		Expires scalar                      `json:"exp"`
	}
	if json.Unmarshal(payload, &sent) != nil {
		return claims{}
	}
	found := claims{account: sent.Account.value.ID.text}
	if seconds, err := strconv.ParseInt(sent.Expires.text, 10, 64); err == nil && seconds > 0 {
		found.expires = time.Unix(seconds, 0).UTC()
	}
	return found
}

// shared runs work once for all callers that ask for the same key at the same time. A caller stops waiting when its own context
// ends. The work has the context of the first caller: if that ends, another caller starts the work again.
func shared[T any](ctx context.Context, group *singleflight.Group, key string, work func() (T, error)) (T, error) {
	for {
		done := group.DoChan(key, func() (any, error) { return work() })
		select {
		case result := <-done:
			if isCanceled(result.Err) && ctx.Err() == nil {
				continue
			}
			value, _ := result.Val.(T)
			return value, result.Err
		case <-ctx.Done():
			var none T
			return none, context.Cause(ctx)
		}
	}
}
