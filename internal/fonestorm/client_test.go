package fonestorm

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"unicode"
)

func TestNewRejectsInvalidConfig(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*Config)
		words  []string
	}{
		"endpoint":              {func(c *Config) { c.Endpoint = "fonestorm.test" }, []string{"https://"}},
		"no requests":           {func(c *Config) { c.RequestsPerSecond = 0 }, []string{"requests per second", "0", "at least 1"}},
		"negative retries":      {func(c *Config) { c.MaxRetries = -1 }, []string{"retries", "-1"}},
		"username with line":    {func(c *Config) { c.Username = "demo\r\n" }, []string{"the username contains a control character"}},
		"password with line":    {func(c *Config) { c.Password = "demo-password\n" }, []string{"the password contains a control character"}},
		"token with line":       {func(c *Config) { c.Token = "abc\n" }, []string{"the token contains a control character"}},
		"subaccount of a token": {func(c *Config) { c.Token, c.Subaccount = "abc", subaccount }, []string{"subaccount", "username and a password"}},
		"zero request timeout":  {func(c *Config) { c.RequestTimeout = 0 }, []string{"request timeout", "0s"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(testConfig(DefaultEndpoint, []func(*Config){test.change}))
			wantWords(t, err, test.words...)
		})
	}
}

func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	tests := []struct {
		endpoint string
		flaw     string // Empty if the endpoint is valid.
	}{
		{DefaultEndpoint, ""},
		{"https://fonestorm.test:8443/v2/", ""},
		{"http://localhost:8080/v2", ""},
		{"http://127.0.0.1/v2", ""},
		{"http://127.8.9.10:80/v2", ""},
		{"http://[::1]:8080/v2", ""},
		{"http://fonestorm.test/v2", "loopback"},
		{"http://localhost.fonestorm.test/v2", "loopback"},
		{"http://10.0.0.1/v2", "loopback"},
		{"https://user:hunter2@fonestorm.test/v2", "username"},
		{"ftp://fonestorm.test/v2", "https://"},
		{"fonestorm.test/v2", "https://"},
		{"", "https://"},
		{"https:///v2", "no host"},
		{"https://fonestorm.test/v2?token=hunter2", "query"},
		{"https://fonestorm.test/v2#hunter2", "fragment"},
		{"https://hunter2%zz/", "not a URL"},
	}
	for _, test := range tests {
		t.Run(test.endpoint, func(t *testing.T) {
			t.Parallel()
			u, err := ParseEndpoint(test.endpoint)
			if test.flaw == "" {
				wantSuccess(t, err)
				if u.String() != test.endpoint {
					t.Errorf("got endpoint %s", u)
				}
				return
			}
			wantWords(t, err, test.flaw)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a secret: %s", err)
			}
		})
	}
}

// Requests must match FracTEL's documents, including the case of the token header.
func TestRequestsAsDocumented(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"https://fonestorm.test/v2", "https://fonestorm.test/v2/", "https://fonestorm.test/proxy/v2"} {
		t.Run(endpoint, func(t *testing.T) {
			t.Parallel()
			var sent []*http.Request
			n := &network{handler: respondWith(http.StatusOK, `{"fonenumber":{"fonenumber":"`+anyNumber+`"},"fonenumbers":[]}`)}
			n.connect = func(r *http.Request) error {
				sent = append(sent, r)
				return nil
			}
			client := newNetworkClient(t, n, withToken, func(c *Config) { c.Endpoint = endpoint })
			if len(sent) != 0 {
				t.Errorf("got %d requests before the first call", len(sent))
			}
			_, errAll := client.ListFoneNumbers(t.Context())
			wantSuccess(t, errAll, read1(t, client))
			_ = fetch(t.Context(), client, "321/555?filter=all") // Other text must not change the path.

			base := strings.TrimSuffix(endpoint, "/")
			for i, want := range []string{"/fonenumbers?filter=all", "/fonenumbers/" + anyNumber, "/fonenumbers/321%2F555%3Ffilter=all"} {
				if got := sent[i].URL.String(); got != base+want || sent[i].Method != http.MethodGet {
					t.Errorf("got request %s %s, want GET %s", sent[i].Method, got, want)
				}
				wantHeader := http.Header{
					"Accept": {"application/json"}, "User-Agent": {"client-test"}, "token": {"given-token"},
				}
				if !maps.EqualFunc(sent[i].Header, wantHeader, func(a, b []string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
					t.Errorf("got header %v, want %v", sent[i].Header, wantHeader)
				}
			}
		})
	}
}

// No accepted endpoint sends credentials unencrypted or to another host than the one in the URL.
func FuzzParseEndpoint(f *testing.F) {
	for _, endpoint := range []string{
		DefaultEndpoint, "http://localhost:8080/v2", "http://[::1]:80", "http://127.0.0.1.example.com", "http://localhost@example.com",
		"https://example.com\\@example.org/", "https:example.com", "https://%6c/", "HTTPS://EXAMPLE.COM:443/v2/../x", "http://[::1%25x]/",
		"https://example.com/\u202e", "https://exa\u00admple.com", "https://example.com/?", "https://example.com:port/", "//localhost", "https://example.com:",
	} {
		f.Add(endpoint)
	}
	f.Fuzz(func(t *testing.T, endpoint string) {
		u, err := ParseEndpoint(endpoint)
		if err != nil {
			wantShown(t, err.Error())
			return
		}
		wantShown(t, endpoint)
		if ip := net.ParseIP(u.Hostname()); u.Scheme != "https" && u.Hostname() != "localhost" && !ip.IsLoopback() {
			t.Fatalf("accepted scheme %q and host %q", u.Scheme, u.Hostname())
		}
		if !strings.HasPrefix(strings.ToLower(endpoint), u.Scheme+"://") || u.Host == "" || strings.ContainsAny(u.Host, "@/\\") {
			t.Fatalf("accepted host %q", u.Host)
		}
		client, err := New(testConfig(endpoint, nil))
		wantSuccess(t, err)
		sent, err := client.newRequest(t.Context(), &request{path: "/auth"}, "", asJSON)
		if err != nil {
			t.Fatalf("the call failed: %s", err)
		}
		host := strings.TrimSuffix(u.Host, ":") // Package http removes an empty port.
		if sent.URL.Scheme != u.Scheme || sent.URL.Host != host || sent.URL.User != nil || !strings.HasSuffix(sent.URL.Path, "/auth") {
			t.Fatalf("the request was for %s", sent.URL)
		}
	})
}

// wantShown checks that a text is safe to show: not empty, on one line, and left to right.
func wantShown(t *testing.T, text string) {
	t.Helper()
	i := strings.IndexFunc(text, func(c rune) bool { return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) })
	if i >= 0 || text == "" {
		t.Fatalf("got an invisible character at %d: %q", i, text)
	}
}
