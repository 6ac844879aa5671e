// Package fonestorm is a client of FracTEL's FoneStorm API for what message delivery needs: log in, read FoneNumbers,
// and set where a FoneNumber delivers its messages.
//
// What belongs here is HTTP, FoneStorm's words and forms, and being a good citizen of an account's limits; what does
// not is anything of Terraform except its log. Calls on a Client are safe for concurrent use, and a Client is meant to
// live as long as the process: logins, connections, pacing and the snapshot of the account are shared by all its calls.
package fonestorm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
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
//
// A call passes these stages, each of which knows only the next: the token, retries, the encoding of the body, and the
// transport with its limiter.
type Client struct {
	tokens    *tokenSource
	retry     *retry
	transport *transport
	snapshot  *snapshot
	devices   flights[[]RegisteredDevice]
	secrets   *secrets

	loginBodies, settingBodies, subaccountBodies bodies

	refusesEmpty atomic.Bool // Whether FoneStorm has refused empty callback credentials.
	listed       atomic.Pointer[deviceListing]
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
	c := &Client{retry: &retry{max: config.MaxRetries}, secrets: &secrets{}}
	c.transport = newTransport(config, endpoint, c.secrets)
	c.tokens = newTokenSource(config, c.secrets, c.askForToken)
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
		return nil, errors.New("it must not contain a username or password: use the attributes username and password instead")
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
	var p progress
	err := c.tokens.do(ctx, &p, func(ctx context.Context, token string) error {
		return c.send(ctx, r, &p, token, decode)
	})
	failure := asError(err)
	if err != nil && failure == nil {
		failure = &Error{Kind: Canceled, Call: r.call(), Reason: err.Error(), cause: err} // While waiting for a login.
		err = failure
	}
	if failure != nil && p.uncertain && !failure.uncertain {
		failed := *failure // The login may have failed after an attempt that had been sent.
		failed.uncertain = true
		return &failed
	}
	return err
}

// askForToken sends a request that is answered with a token.
func (c *Client) askForToken(ctx context.Context, r *request, token string) (string, error) {
	var text string
	err := c.send(ctx, r, &progress{}, token, func(body io.Reader) error {
		content, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		text, err = c.secrets.readToken(content)
		return err
	})
	return text, err
}

// send sends a request until it succeeds, cannot succeed, or has been repeated often enough.
func (c *Client) send(ctx context.Context, r *request, p *progress, token string, decode decoder) error {
	return c.retry.do(ctx, r, p, func(ctx context.Context) *Error {
		return c.bodiesOf(r).send(ctx, r, func(body encoding) *Error {
			return c.transport.attempt(ctx, r, token, body, decode)
		})
	})
}

// bodiesOf returns what is known of the encoding of such requests: FoneStorm may read JSON for one kind and forms for another.
func (c *Client) bodiesOf(r *request) *bodies {
	switch r.operation {
	case logIn:
		return &c.loginBodies
	case useSubaccount:
		return &c.subaccountBodies
	case setDelivery:
		return &c.settingBodies
	case readFoneNumber, listFoneNumbers, listDevices:
	}
	return nil // Has no body.
}
