// Package fonestorm is a client for FracTEL's FoneStorm API. It imports nothing of Terraform except its log, and it is safe for
// concurrent use. A call such as GetFoneNumber passes through these files:
//
//	fonenumber.go  reads a FoneNumber; delivery.go sets a delivery or a notification
//	account.go     keeps what was read, listed, or set, and lets concurrent callers share a read, a list, or a login
//	request.go     is the loop that every request passes through: get a token, wait for the rate limit, send, and retry
//	token.go       returns the token, and logs in first if there is none, through the same loop
//	pace.go        delays the request until the account's rate limit allows it
//	wire.go        encodes the body of a request and decodes the body of a response
//	errors.go      turns whatever went wrong into an *Error and decides what it means
//	secrets.go     masks secrets in FoneStorm's messages
//
// destination.go decides which spellings mean the same destination, for this package and the provider.
//
// For example, failedResponse in errors.go makes a 503 a ServerError that is retryable and, for a setting, uncertain: it may have
// taken effect. The loop in request.go waits and sends the request again, or returns the last error when the retries are used up.
// Callers use KindOf and MayHaveTakenEffect.
package fonestorm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultEndpoint is the public endpoint of the API.
const DefaultEndpoint = "https://api.fonestorm.com/v2"

// Defaults of a Config.
const (
	DefaultRequestsPerSecond = 10 // The limit of a standard account.
	DefaultMaxRetries        = 4
	DefaultRequestTimeout    = 30 * time.Second
)

// Config contains the endpoint, the credentials, and the limits of a client. Except for the endpoint, the caller validates them.
type Config struct {
	// Endpoint is the base URL of the API: https, or http for a loopback host.
	Endpoint string

	// Username and Password are used to log in on the first call. They are ignored when Token is set.
	Username string
	Password string
	// Token is an existing token. The client cannot renew it. As an HTTP header, it must not contain control characters.
	Token string
	// Subaccount is the ten-digit code of the subaccount to act on; empty for the user's own account. It requires Username.
	Subaccount string

	// RequestsPerSecond limits everything the client sends, including logins and retries. It must be at least 1.
	RequestsPerSecond int
	// MaxRetries is the maximum number of retries after the first attempt; zero disables retries. A request that was rejected
	// because of the rate limit is sent again regardless, for up to five minutes.
	MaxRetries int
	// RequestTimeout limits one attempt, from sending the request to the last byte of its response. Waiting for the rate
	// limit does not count. A list has at least two minutes.
	RequestTimeout time.Duration

	// UserAgent is sent with every request.
	UserAgent string

	// Transport replaces the network in tests; nil means the real network.
	Transport http.RoundTripper
}

// Client calls FoneStorm. Use New to create one.
type Client struct {
	config   Config
	endpoint *url.URL
	http     *http.Client
	secrets  secrets

	pace        *pace
	unavailable atomic.Int32        // See unavailableCalls.
	encodings   [roles]atomic.Int32 // The encoding that FoneStorm accepted for each role; zero if none.

	loggedIn  once[string]           // The token for all calls: the user's or the subaccount's.
	lastToken atomic.Pointer[string] // Survives its rejection; see Account.

	account account
}

// New returns a client, or an error if the endpoint is invalid. It sends nothing: the first call that needs a token logs in.
func New(config Config) (*Client, error) {
	endpoint, err := ParseEndpoint(config.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("the endpoint %w", err)
	}
	if config.Transport == nil {
		standard, _ := http.DefaultTransport.(*http.Transport)
		network := standard.Clone()      // It uses the environment's proxy, the system's roots, and TLS 1.2 or later.
		network.MaxIdleConnsPerHost = 32 // Terraform's default parallelism is 10, but users can raise it.
		network.TLSHandshakeTimeout = 0  // RequestTimeout includes it.
		// Otherwise, retries over HTTP/2 would use a dead connection again.
		network.HTTP2 = &http.HTTP2Config{SendPingTimeout: config.RequestTimeout / 3, PingTimeout: config.RequestTimeout / 6}
		network.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
			if response.StatusCode == http.StatusOK {
				return nil
			}
			return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: fmt.Errorf("the proxy returned %d", response.StatusCode)}
		}
		config.Transport = network
	}
	c := &Client{
		config:   config,
		endpoint: endpoint,
		http: &http.Client{
			Transport: config.Transport,
			// The token must never reach another host, and a redirected POST would lose its body.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		pace: newPace(config.RequestsPerSecond),
	}
	c.secrets.add(config.Password, config.Token)
	return c, nil
}

// ParseEndpoint validates and parses a base URL of the API. It accepts plain http only for a loopback host, because requests
// contain passwords and tokens. Its errors complete a sentence that begins with "The endpoint" and do not quote the text.
func ParseEndpoint(endpoint string) (*url.URL, error) {
	const scheme = "must begin with https://, or with http:// for a loopback host such as localhost"
	u, err := url.Parse(endpoint)
	switch {
	case !strings.Contains(endpoint, "://"):
		return nil, errors.New(scheme)
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.User != nil:
		return nil, errors.New("must not contain a username or password: use the settings for them")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New(scheme)
	case u.Hostname() == "", strings.HasSuffix(u.Host, ":"):
		return nil, errors.New("has no host")
	case strings.Contains(endpoint, " "):
		return nil, errors.New("must not contain a space")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("must not contain a query or a fragment")
	case u.Scheme == "http" && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback():
		return nil, errors.New(scheme + ", because requests contain passwords and tokens")
	}
	return u, nil
}
