package fonestorm

import (
	"strings"
	"testing"
	"time"
)

func TestReadClaims(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		token string
		want  claims
	}{
		"FracTEL's example":  {jwt(`{"account":{"id":"1000000001"},"portal":{"token":"x"},"iat":1000,"exp":4600}`), claims{"1000000001", time.Hour}},
		"account as number":  {jwt(`{"account":{"id":1000000001}}`), claims{"1000000001", 0}},
		"account as array":   {jwt(`{"account":[],"iat":1000,"exp":4600}`), claims{"", time.Hour}},
		"times as text":      {jwt(`{"iat":"1000","exp":"1060.5"}`), claims{"", 60500 * time.Millisecond}},
		"times as exponents": {jwt(`{"iat":1e3,"exp":4.6e3}`), claims{"", time.Hour}},
		"expires first":      {jwt(`{"iat":4600,"exp":1000}`), claims{}},
		"expires at once":    {jwt(`{"iat":1000,"exp":1000}`), claims{}},
		"no issue":           {jwt(`{"exp":1000}`), claims{}},
		"no expiry":          {jwt(`{"iat":1000}`), claims{}},
		"no numbers":         {jwt(`{"iat":"NaN","exp":"Inf"}`), claims{}},
		"expires never":      {jwt(`{"iat":0,"exp":1e300}`), claims{}},
		"not an object":      {jwt(`[]`), claims{}},
		"damaged":            {jwt(`{"account":`), claims{}},
		"cut off":            {strings.TrimSuffix(jwt(`{"account":{"id":"1"}}`), ".c2lnbmF0dXJl"), claims{}},
		"not base64":         {"a.!.c", claims{}},
		"padded":             {"a.eyJpYXQiOjAsImV4cCI6MX0=.c", claims{"", time.Second}},
		"opaque":             {"abc", claims{}},
		"empty":              {"", claims{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readClaims(test.token); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// The account of a configured token is known before the first call.
func TestAccountOfAConfiguredToken(t *testing.T) {
	t.Parallel()
	for want, token := range map[string]string{"1000000001": jwt(`{"account":{"id":"1000000001"}}`), "": "opaque"} {
		client := newBubbleClient(t, respondWith(500, ""), func(c *Config) { c.Token = token })
		if got := client.Account(); got != want {
			t.Errorf("the account is %q, want %q", got, want)
		}
	}
	if got := newBubbleClient(t, respondWith(500, "")).Account(); got != "" {
		t.Errorf("before the login the account is %q", got)
	}
}
