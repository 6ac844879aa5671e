package fonestorm

import (
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
		"https:///v2":                              "no host",
		"https://fonestorm.test:/v2":               "no host",
		"https://fonestorm.test/v2 ":               "space",
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
