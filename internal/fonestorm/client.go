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
	"net"
	"net/http"
	"net/url"
	"strings"
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

	// Username and Password log in on the first call. Unused when Token is set.
	Username string
	Password string
	// Token is a token obtained elsewhere; it is used as it is and cannot be renewed.
	Token string

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
	transport *transport
	session   *session
	snapshot  *snapshot
}

// New returns a client. It sends nothing: the login happens with the first call that needs it. The error says what is
// wrong with the configuration.
func New(config Config) (*Client, error) {
	endpoint, err := ParseEndpoint(config.Endpoint)
	if err != nil {
		return nil, err
	}
	if config.RequestsPerSecond < 1 {
		return nil, fmt.Errorf("the number of requests per second is %d: it must be at least 1", config.RequestsPerSecond)
	}
	if config.MaxRetries < 0 {
		return nil, fmt.Errorf("the number of retries is %d: it must not be negative", config.MaxRetries)
	}
	if config.RequestTimeout <= 0 {
		return nil, fmt.Errorf("the request timeout is %s: it must be longer than nothing", config.RequestTimeout)
	}
	for name, text := range map[string]string{"user name": config.Username, "password": config.Password, "token": config.Token} {
		if strings.ContainsFunc(text, unicode.IsControl) {
			return nil, fmt.Errorf("the %s holds a control character, such as a line break at its end", name)
		}
	}
	if config.Transport == nil {
		config.Transport = realNetwork()
	}
	c := &Client{transport: newTransport(config, endpoint)}
	c.session = newSession(config, c.transport)
	c.snapshot = newSnapshot(c)
	return c, nil
}

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
		return nil, errors.New("it holds a space or a control character")
	case u.User != nil:
		return nil, errors.New("it must not hold a user name or password: use username and password instead")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("it must begin with https://")
	case u.Hostname() == "":
		return nil, errors.New("it has no host")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("it must not have a query or a fragment")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, errors.New("it must begin with https://: plain http would send credentials in clear and is allowed only to a loopback host")
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// call makes one authenticated call. A token that is refused is renewed once.
func (c *Client) call(ctx context.Context, r *request, decode decoder) error {
	token, err := c.session.token(ctx, "")
	if err != nil {
		return err
	}
	err = c.callWith(ctx, token, r, decode)
	if !Is(err, Unauthorized) || !c.session.renewable() {
		return err
	}
	if token, err = c.session.token(ctx, token); err != nil {
		return err
	}
	r.renewals++
	return c.callWith(ctx, token, r, decode)
}

// callWith makes a call with this token. From then on the request knows all that must not be shown of its answer.
func (c *Client) callWith(ctx context.Context, token string, r *request, decode decoder) error {
	r.token = token
	r.secrets = append(r.secrets, token, c.session.password)
	return c.transport.send(ctx, r, decode)
}
