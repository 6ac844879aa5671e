package simulator

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		contentType, body string
		want              url.Values
	}{
		"form":          {formBody, "a=1&b=x+y", url.Values{"a": {"1"}, "b": {"x y"}}},
		"JSON":          {jsonBody, `{"a":"x y","b":"{{msg}}&"}`, url.Values{"a": {"x y"}, "b": {"{{msg}}&"}}},
		"JSON non-text": {jsonBody, `{"a":987123543678,"b":true}`, url.Values{"a": {"987123543678"}, "b": {"true"}}},
		"JSON cut off":  {jsonBody, `{"a":"1"`, url.Values{}},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(test.body))
		r.Header.Set("Content-Type", test.contentType)
		if got := Parameters(r); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: the parameters are %v, want %v", name, got, test.want)
		}
		if body, _ := io.ReadAll(r.Body); string(body) != test.body {
			t.Errorf("%s: the remaining body is %q", name, body)
		}
	}
}
