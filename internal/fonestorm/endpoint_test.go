package fonestorm

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// An error that FoneStorm did not send names the URL, which may be that of a proxy or of something else.
func TestErrorsOfOthersNameTheURL(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><head><title>Proxy error</title></head></html>"))
	}))
	defer server.Close()
	for name, test := range map[string]struct {
		config Config
		want   string
	}{
		"read":   {Config{Token: "t"}, "GET " + server.URL + "/v2/fonenumbers/3215551212 returned 502 Bad Gateway; the response body was an HTML page"},
		"log in": {Config{Username: "u", Password: "p"}, "POST " + server.URL + "/v2/auth returned 502 Bad Gateway"},
	} {
		test.config.Endpoint, test.config.RequestsPerSecond, test.config.RequestTimeout = server.URL+"/v2", 100, time.Minute
		client, err := New(test.config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.GetFoneNumber(t.Context(), "3215551212"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error does not say %q: %v", name, test.want, err)
		}
	}
}
