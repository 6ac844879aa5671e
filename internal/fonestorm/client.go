// Package fonestorm is a client for FracTEL's FoneStorm API. It knows HTTP, but nothing about Terraform except its log, and it is
// safe for concurrent use. A call such as GetFoneNumber passes through these files, each of which knows only the next one:
//
//	fonenumber.go  builds the request (request.go), unless snapshot.go has the FoneNumber; so do delivery.go and device.go
//	token.go       adds a token, and logs in first if there is none
//	retry.go       retries the request after a transient error
//	body.go        encodes the body, if any, as JSON or as a form
//	limiter.go     waits until the account's rate limit allows the request
//	transport.go   sends the request once
//	decode.go      reads a successful response; errors.go turns any other response into an *Error
//
// For example, errors.go classifies a 503 as a ServerError that is retryable and, for a setting, uncertain. The error passes
// back through the same files: retry.go checks whether it is retryable, and finally GetFoneNumber returns it. Only errors.go decides
// what a failure means; callers use KindOf, IsNotFound, and MayHaveTakenEffect.
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

// DefaultEndpoint is the public endpoint of the API.
const DefaultEndpoint = "https://api.fonestorm.com/v2"

// Defaults of a Config.
const (
	DefaultRequestsPerSecond = 10 // The limit of a standard account.
	DefaultMaxRetries        = 4
	DefaultRequestTimeout    = 30 * time.Second
)

// Config contains the endpoint, the credentials, and the limits of a client.
type Config struct {
	// Endpoint is the base URL of the API: https, or http for a loopback host.
	Endpoint string

	// Username and Password are used to log in on the first call. They are ignored when Token is set.
	Username string
	Password string
	// Token is an existing token. The client cannot renew it.
	Token string
	// Subaccount is the ten-digit code of the subaccount to act on; empty for the user's own account. It requires Username.
	Subaccount string

	// RequestsPerSecond limits everything the client sends, including logins and retries. It must be at least 1.
	RequestsPerSecond int
	// MaxRetries is the maximum number of retries after the first attempt; zero disables retries.
	MaxRetries int
	// RequestTimeout limits one attempt, from sending the request to the last byte of its response. Waiting for the rate
	// limit does not count.
	RequestTimeout time.Duration

	// UserAgent is sent with every request.
	UserAgent string

	// Transport replaces the network in tests; nil means the real network.
	Transport http.RoundTripper
}

// Client calls FoneStorm. Use New to create one.
type Client struct {
	endpoint *url.URL
	proven   *atomic.Bool // Set once a response could be read, which shows that the endpoint is FoneStorm's.
	secrets  *secrets
	tokens   *tokenSource
	snapshot *snapshot
	devices  flights[[]RegisteredDevice]
	listed   atomic.Pointer[deviceListing]

	rejectsEmptyCredentials atomic.Bool // Whether FoneStorm has rejected empty callback credentials.
}

// New returns a client, or an error if the configuration is invalid. It sends nothing: the first call that needs a token logs in.
func New(config Config) (*Client, error) {
	endpoint, err := ParseEndpoint(config.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("the endpoint %w", err)
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

// check validates everything except the endpoint.
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

// Account returns the ID of the account that the current token names; "" before the first call or if the token does not name
// one. It is only a hint, because the client cannot verify the token's signature.
func (c *Client) Account() string { return c.tokens.account() }

func realNetwork() http.RoundTripper {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12}, // With the system's roots.
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConnsPerHost: 32, // Terraform's default parallelism is 10, but users can raise it.
	}
}

// ParseEndpoint validates and parses a base URL of the API. It accepts plain http only for a loopback host, because requests
// contain passwords and tokens. Its errors complete a sentence that begins with "The endpoint" and do not quote the text.
func ParseEndpoint(endpoint string) (*url.URL, error) {
	const scheme = "must begin with https://, or with http:// for a loopback host such as localhost"
	u, err := url.Parse(endpoint)
	switch {
	case strings.ContainsFunc(endpoint, func(c rune) bool { return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Z) }):
		return nil, errors.New("contains a space or a control character")
	case !strings.Contains(endpoint, "://"):
		return nil, errors.New(scheme)
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.User != nil:
		return nil, errors.New("must not contain a username or password: use the settings for them")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New(scheme)
	case u.Hostname() == "":
		return nil, errors.New("has no host")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("must not contain a query or a fragment")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, errors.New(scheme + ", because requests contain passwords and tokens")
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
