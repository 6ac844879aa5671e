// Package fonestorm is a client of FracTEL's FoneStorm API. It knows HTTP and nothing of Terraform but its log, and is safe for
// concurrent use. A call such as GetFoneNumber passes these files, each of which knows only the next:
//
//	fonenumber.go  makes the request (request.go), unless snapshot.go knows the FoneNumber; as delivery.go, device.go
//	token.go       adds a token, after a login if there is none
//	retry.go       sends the request again when it failed for a reason that may pass
//	body.go        chooses JSON or a form, if there is a body
//	limiter.go     waits until the account's limit allows the request
//	transport.go   sends it once
//	decode.go      reads a successful response; of any other, errors.go makes an *Error
//
// Say the response is a 503: errors.go calls it a ServerError, retryable, and for a setting uncertain. It goes back the same way:
// retry.go asks whether it is retryable, and in the end GetFoneNumber returns it. What a failure means is decided in errors.go
// alone; callers ask it with KindOf, IsNotFound and MayHaveTakenEffect.
package fonestorm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

// DefaultEndpoint is where FracTEL serves the API.
const DefaultEndpoint = "https://api.fonestorm.com/v2"

// Defaults of a Config.
const (
	DefaultRequestsPerSecond = 10 // The limit of a standard account.
	DefaultMaxRetries        = 4
	DefaultRequestTimeout    = 30 * time.Second
)

// Config says whom to talk to, as whom, and how hard.
type Config struct {
	// Endpoint is the base URL of the API: https, or http for a loopback host.
	Endpoint string

	// Username and Password log in on the first call. Username is unused when Token is set.
	Username string
	Password string
	// Token is a token obtained elsewhere; it is used as it is and cannot be renewed.
	Token string
	// Subaccount is the ten-digit code of the subaccount to act on; empty for the user's own account. Needs Username.
	Subaccount string

	// RequestsPerSecond bounds everything the client sends, logins and retries included. At least 1.
	RequestsPerSecond int
	// MaxRetries is how often a request is repeated after its first attempt. Zero for never.
	MaxRetries int
	// RequestTimeout bounds one attempt, from its sending to the last byte of its answer; waiting for its turn does
	// not count.
	RequestTimeout time.Duration

	// UserAgent is sent with every request.
	UserAgent string

	// Transport replaces the network, for tests; nil for the real one.
	Transport http.RoundTripper
}

// Client calls FoneStorm. Use New to make one.
type Client struct {
	endpoint *url.URL
	proven   *atomic.Bool // Whether a response could be used: the endpoint is FoneStorm's.
	secrets  *secrets
	tokens   *tokenSource
	snapshot *snapshot
	devices  flights[[]RegisteredDevice]
	listed   atomic.Pointer[deviceListing]

	refusesEmpty atomic.Bool // Whether FoneStorm has refused empty callback credentials.
}

// New returns a client. It sends nothing: the login happens with the first call that needs it. The error says what is
// wrong with the configuration.
func New(config Config) (*Client, error) {
	endpoint, err := ParseEndpoint(config.Endpoint)
	if err != nil {
		return nil, err
	}
	if err := config.check(); err != nil {
		return nil, err
	}
	if config.Transport == nil {
		config.Transport = realNetwork()
	}
	c := &Client{endpoint: endpoint, proven: &atomic.Bool{}, secrets: &secrets{}}
	transport := newTransport(config, endpoint, c.secrets, c.proven)
	encoder := &encoder{next: newLimiter(config.RequestsPerSecond, transport)}
	c.tokens = newTokenSource(config, c.secrets, &retry{next: encoder, max: config.MaxRetries})
	c.snapshot = newSnapshot(c.fetchFoneNumber, c.fetchFoneNumbers)
	return c, nil
}

// check says what is wrong with the settings other than the endpoint.
func (config Config) check() error {
	switch {
	case config.RequestsPerSecond < 1:
		return fmt.Errorf("the number of requests per second is %d: it must be at least 1", config.RequestsPerSecond)
	case config.MaxRetries < 0:
		return fmt.Errorf("the number of retries is %d: it must not be negative", config.MaxRetries)
	case config.RequestTimeout <= 0:
		return fmt.Errorf("the request timeout is %s: it must be greater than zero", config.RequestTimeout)
	case config.Subaccount != "" && config.Token != "":
		return errors.New("a subaccount needs a username and a password: a token already belongs to one account")
	}
	for name, text := range map[string]string{"username": config.Username, "password": config.Password, "token": config.Token} {
		if strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("the %s contains a control character, such as a line break at its end", name)
		}
	}
	return nil
}

// Account returns the ID of the account that calls act on, as the current token names it; "" before the first call, and when
// the token names none. It is a hint: the token's signature cannot be verified.
func (c *Client) Account() string { return c.tokens.account() }

func realNetwork() http.RoundTripper {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12}, // With the system's roots.
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConnsPerHost: 32, // Terraform works on ten resources at once, or on as many as it is told.
	}
}

// ParseEndpoint checks a base URL of the API and returns it in parts. Tokens and passwords travel to it, so anything
// but https is refused unless the host is a loopback one.
func ParseEndpoint(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, errors.New("it is not a URL") // The error of url.Parse quotes what might be a secret.
	}
	switch {
	case strings.ContainsFunc(endpoint, func(c rune) bool { return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Z) }):
		return nil, errors.New("it contains a space or a control character")
	case u.User != nil:
		return nil, errors.New("it must not contain a username or password: each has a setting of its own")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("it must begin with https://")
	case u.Hostname() == "":
		return nil, errors.New("it has no host")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("it must not have a query or a fragment")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, errors.New("it must begin with https://: plain http would send credentials unencrypted and is allowed only to a loopback host")
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// call makes one authenticated call.
func (c *Client) call(ctx context.Context, r *request, decode decoder) error {
	if failure := c.tokens.send(ctx, &call{request: r, decode: decode}); failure != nil {
		return failure
	}
	return nil
}
