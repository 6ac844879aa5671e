package main

import (
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// The introduction shows the FoneNumbers and the values to log in with.
func TestIntroduction(t *testing.T) {
	t.Parallel()
	account, _ := newAccount("live", []string{"4075550001"})
	var printed strings.Builder
	introduce(&printed, account, "http://127.0.0.1:8080/v2")
	for _, want := range []string{
		"\nexport FRACTEL_ENDPOINT=http://127.0.0.1:8080/v2\nexport FRACTEL_USERNAME=demo\nexport FRACTEL_PASSWORD=demo-password\n",
		"\nexport TF_VAR_partner_password=partner-password\n",
		"\n3215551202              Operations                 Email ops@example.com\n",
		"\n4075550001                                         None\n",
	} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("%q is not in\n%s", want, printed.String())
		}
	}
}

// The log shows each request, but no secrets and no control characters.
func TestLog(t *testing.T) {
	t.Parallel()
	account, _ := newAccount("2.12", nil)
	var printed strings.Builder
	handler, token := logged(account, &printed), ""
	for _, call := range [][2]string{
		{"POST /auth", `{"username":"demo","password":"demo-password"}`},
		{"POST /messages/receive", `{"fonenumber":"3215550000","type":"Email","value":"ops@example.com","url_method":"POST"}`},
		{"GET /fonenumbers/4075550000", ""},
		{
			"POST /messages/receive",
			`{"fonenumber":"3215550000","type":"URL","value":"https://x.test/\u001b[31m","url_method":"POST","url_username":"hook","url_password":"horse"}`,
		},
	} {
		method, path, _ := strings.Cut(call[0], " ")
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, simulator.BasePath+path, strings.NewReader(call[1]))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("token", token)
		handler.ServeHTTP(w, r)
		var response struct{ Authorization struct{ Token string } }
		if err := json.Unmarshal(w.Body.Bytes(), &response); err != nil {
			t.Fatal(err)
		}
		token = max(token, response.Authorization.Token)
	}
	want := `POST /auth  201 username="demo"
POST /messages/receive  200 fonenumber="3215550000" type="Email" url_method="POST" value="ops@example.com"
GET  /fonenumbers/4075550000  404 {"error":"Not Found","message":"The FoneNumber was not found.","status_code":404}
POST /messages/receive  200 fonenumber="3215550000" type="URL" url_method="POST" url_username="hook" value="https://x.test/\x1b[31m"
`
	if log := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{3}  `).ReplaceAllString(printed.String(), ""); log != want {
		t.Errorf("the log is\n%s\nwant\n%s", log, want)
	}
}

func TestWrongArguments(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ dialect, number, want string }{
		{"3.0", "4075550001", `unknown dialect "3.0": use live or 2.12`},
		{"live", "407555000", `the FoneNumber "407555000" must have ten digits`},
		{"live", "+407555000", `the FoneNumber "+407555000" must have ten digits`},
	} {
		if _, err := newAccount(test.dialect, []string{test.number}); err == nil || err.Error() != test.want {
			t.Errorf("%+v: the error is %v", test, err)
		}
	}
}
