package fonestorm

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	_, err := New(testConfig("fonestorm.test"))
	wantWords(t, err, "the endpoint must begin with https://")
	for endpoint, flaw := range map[string]string{ // Empty if the endpoint is valid.
		DefaultEndpoint:                            "",
		"https://fonestorm.test:8443/v2/":          "",
		"http://localhost:8080/v2":                 "",
		"http://127.8.9.10:80/v2":                  "",
		"http://[::1]:8080/v2":                     "",
		"http://fonestorm.test/v2":                 "loopback",
		"http://localhost.fonestorm.test/v2":       "loopback",
		"http://127.0.0.1.fonestorm.test/v2":       "loopback",
		"http://localhost@fonestorm.test/v2":       "username",
		"http://10.0.0.1/v2":                       "loopback",
		"http://[::1%25x]/v2":                      "loopback",
		"https://user:hunter2@fonestorm.test/v2":   "username",
		"ftp://fonestorm.test/v2":                  "https://",
		"fonestorm.test/v2":                        "https://",
		"https:///v2":                              "no host",
		"https://fonestorm.test/v2?token=hunter2":  "query",
		"https://fonestorm.test/v2#hunter2":        "fragment",
		"https://hunter2%zz/":                      "not a URL",
		"https://fonestorm.test\\@hunter2.test/v2": "not a URL",
		"https:fonestorm.test":                     "https://",
	} {
		u, err := ParseEndpoint(endpoint)
		if flaw == "" && (err != nil || u.String() != endpoint) {
			t.Errorf("got endpoint %s, want %s: %v", u, endpoint, err)
		}
		if flaw != "" && (err == nil || !strings.Contains(err.Error(), flaw) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("the error about %s is %v, want one that says %q", endpoint, err, flaw)
		}
	}
}

// Requests must match FracTEL's documents, including the case of the token header.
func TestRequestsAsDocumented(t *testing.T) {
	t.Parallel()
	const endpoint = "https://fonestorm.test/proxy/v2"
	var sent []string
	client := newClient(t, newScript(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, fmt.Sprint(r.Method, " ", r.URL, " ", r.Header))
		return respondWith(http.StatusOK, `{"fonenumber":{"fonenumber":"`+anyNumber+`"},"fonenumbers":[]}`)(r)
	}), func(c *Config) { c.Endpoint = endpoint + "/" })
	listAll(t, client)
	wantSuccess(t, fetch(t.Context(), client))
	_, _ = client.ReadFoneNumber(t.Context(), "321/555?filter=all") // Other text must not change the path.
	for i, path := range []string{"/fonenumbers?filter=all", "/fonenumbers/" + anyNumber, "/fonenumbers/321%2F555%3Ffilter=all"} {
		want := "GET " + endpoint + path + " map[Accept:[application/json] User-Agent:[client-test] token:[given-token]]"
		if sent[i] != want {
			t.Errorf("got request %s, want %s", sent[i], want)
		}
	}
}
