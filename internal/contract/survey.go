package contract

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Paths of the API.
const (
	authPath       = "/auth"
	subaccountPath = "/subaccounts/token"
	listPath       = "/fonenumbers"
	listAllPath    = "/fonenumbers?filter=all"
	foneNumberPath = "/fonenumbers/{fonenumber}"
	devicesPath    = "/devices"
	settingPath    = "/messages/receive"
)

// Parameters of the survey.
const (
	tokenLifetime = 30 * time.Minute // Requested by logins.
	samples       = 5                // FoneNumbers of the account that are read singly.
	burst         = 20               // Simultaneous requests to exceed the rate limit.

	madeUp      = "terraform-provider-fractel-check"
	testEmail   = "Terraform-Provider-FracTEL@Example.com"
	testURL     = "https://Example.com/sms?from={{from}}&msg={{msg}}&kept=a-b_c~d"
	testForward = "3215550199" // The numbers 555-0100 to 555-0199 are fictional.
)

// PlannedCall is a call that a run makes, and its maximum number of times without retries.
type PlannedCall struct {
	Call   string // Method and path.
	AtMost int
	Why    string
}

// Plan returns the calls that Run would make with this configuration.
func (c Config) Plan() []PlannedCall {
	var plan []PlannedCall
	if c.Token == "" {
		logins := PlannedCall{"POST " + authPath, 4, "log in with JSON, with a form, again, and once with a made-up username"}
		if c.FoneNumber != "" {
			logins.AtMost += restoreAttempts
			logins.Why += "; again if the token expires before the FoneNumber is restored"
		}
		plan = append(plan, logins)
	}
	if c.Subaccount != "" {
		plan = append(plan, PlannedCall{"POST " + subaccountPath, 1, "get a token for the subaccount"})
	}
	reads := PlannedCall{"GET " + foneNumberPath, samples + 3, "read FoneNumbers, one of another account, and with invalid tokens"}
	if c.FoneNumber != "" {
		reads.AtMost += 1 + settings - 1 + restoreAttempts
	}
	if c.RateLimit {
		reads.AtMost += burst
		reads.Why += fmt.Sprintf("; %d of them at once to exceed the rate limit", burst)
	}
	plan = append(plan,
		PlannedCall{"GET " + listPath, 1, "list FoneNumbers"},
		PlannedCall{"GET " + listAllPath, 1, "list FoneNumbers with their delivery"},
		reads,
		PlannedCall{"GET " + devicesPath, 1, "list devices"})
	if c.FoneNumber != "" {
		plan = append(plan, PlannedCall{
			"POST " + settingPath, settings + restoreAttempts,
			fmt.Sprintf("set every delivery type on FoneNumber %s, and restore it (usually with 1 of these calls)", c.FoneNumber),
		})
	}
	return plan
}

// survey logs in and makes the read-only calls.
func (s *session) survey(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.list, s.rejections, s.sample, s.listDevices, s.exceedRateLimit} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// logIn logs in with both kinds of bodies, and with a made-up user.
func (s *session) logIn(ctx context.Context) error {
	if s.Token != "" {
		for _, purpose := range []string{"login json", "login form", "login", "login made-up", "earlier token", "subaccount"} {
			s.skipped[purpose] = "needs FRACTEL_USERNAME and FRACTEL_PASSWORD"
		}
		return nil
	}
	if s.Subaccount == "" {
		s.skipped["subaccount"] = "needs FRACTEL_SUBACCOUNT"
	}
	var refused *exchange
	for _, kind := range []string{"json", "form"} {
		x, err := s.postLogin(ctx, "login "+kind, kind, s.Username)
		if err != nil {
			return err
		}
		if x.ok() && s.loginKind == "" {
			s.loginKind = kind
			_, s.firstToken = loginToken(x)
		} else if !x.ok() {
			refused = x
		}
		if s.loginKind == "" && !x.bodyRejected() {
			break // Another kind of body would not help, and further logins may lock the user out.
		}
	}
	if s.loginKind == "" {
		return s.loginError(refused)
	}
	if _, err := s.postLogin(ctx, "login made-up", s.loginKind, madeUp); err != nil {
		return err
	}
	return s.renewToken(ctx, "login")
}

func (s *session) postLogin(ctx context.Context, purpose, kind, username string) (*exchange, error) {
	password := s.Password
	if username == madeUp {
		password = madeUp
	}
	return s.do(ctx, request{purpose: purpose, method: http.MethodPost, path: authPath, body: kind, parameters: map[string]any{
		"username": username, "password": password, "expires": int(tokenLifetime.Seconds()),
	}})
}

// renewToken logs in with the known kind of body and, if a subaccount is configured, requests its token.
func (s *session) renewToken(ctx context.Context, purpose string) error {
	x, err := s.postLogin(ctx, purpose, s.loginKind, s.Username)
	if err != nil {
		return err
	}
	_, token := loginToken(x)
	if token == "" {
		return s.loginError(x)
	}
	if s.Subaccount != "" {
		x, err = s.do(ctx, request{
			purpose: "subaccount", method: http.MethodPost, path: subaccountPath, token: token,
			body: s.loginKind, parameters: map[string]any{"subaccount": s.Subaccount},
		})
		if err != nil {
			return err
		}
		if token, _ = at(x.json, "subaccount", "token").(string); token == "" {
			return fmt.Errorf("FoneStorm's response contains no token for the subaccount (status %d): check FRACTEL_SUBACCOUNT", x.status)
		}
	}
	s.token = token
	return nil
}

// loginToken returns the token in a login response and the name of the member that contains it.
func loginToken(x *exchange) (member, token string) {
	for member, path := range map[string][]string{
		"auth": {"auth", "token"}, "authorization": {"authorization", "token"}, "token": {"token"}, "data": {"data", "auth", "token"},
	} {
		if token, _ := at(x.json, path...).(string); token != "" && x.ok() {
			return member, token
		}
	}
	return "another member", ""
}

func (s *session) loginError(x *exchange) error {
	switch x.status {
	case 0:
		return fmt.Errorf("no response from FoneStorm at %s", s.Endpoint)
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("FoneStorm rejected the username or password (status %d)", x.status)
	case http.StatusNotFound:
		return fmt.Errorf("there is no FoneStorm API at %s (status 404): check FRACTEL_ENDPOINT", s.Endpoint)
	default:
		return fmt.Errorf("FoneStorm's response to the login contains no token (status %d)", x.status)
	}
}

func (s *session) get(ctx context.Context, purpose, path, fonenumber, token string) (*exchange, error) {
	return s.do(ctx, request{purpose: purpose, method: http.MethodGet, path: path, fonenumber: fonenumber, token: token})
}

func (s *session) list(ctx context.Context) error {
	x, err := s.get(ctx, "list", listPath, "", s.token)
	if err != nil {
		return err
	}
	if x.status == http.StatusUnauthorized {
		return errTokenRejected
	}
	_, err = s.get(ctx, "list all", listAllPath, "", s.token)
	return err
}

// rejections makes calls that must fail: for a FoneNumber of another account, and with invalid tokens.
func (s *session) rejections(ctx context.Context) error {
	foreign := ""
	known := append(s.numbers(), s.FoneNumber)
	for number := 3215550100; number < 3215550200 && foreign == ""; number++ {
		if text := strconv.Itoa(number); !slices.Contains(known, text) {
			foreign = text
		}
	}
	if foreign == "" || s.find("list") == nil {
		s.skipped["foreign"] = "no FoneNumber of another account is known"
	} else if _, err := s.get(ctx, "foreign", foneNumberPath, foreign, s.token); err != nil {
		return err
	}
	if _, err := s.get(ctx, "invalid token", foneNumberPath, foreign, madeUp); err != nil || s.firstToken == "" {
		return err
	}
	_, err := s.get(ctx, "earlier token", foneNumberPath, foreign, s.firstToken)
	return err
}

// sample reads some FoneNumbers of the account.
func (s *session) sample(ctx context.Context) error {
	numbers := s.numbers()
	for _, number := range numbers[:min(samples, len(numbers))] {
		if _, err := s.get(ctx, "get", foneNumberPath, number, s.token); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) listDevices(ctx context.Context) error {
	_, err := s.get(ctx, "devices", devicesPath, "", s.token)
	return err
}

// exceedRateLimit sends more requests at once than are allowed per second, and waits until more are allowed.
func (s *session) exceedRateLimit(ctx context.Context) error {
	if !s.RateLimit {
		s.skipped["rate limit"] = "the rate limit was not exceeded; use -rate-limit to exceed it on purpose"
		return nil
	}
	foreign := s.find("foreign")
	if foreign == nil {
		return nil
	}
	r := foreign.request
	r.purpose = "rate limit"
	var wait sync.WaitGroup
	for range burst {
		wait.Go(func() { s.send(ctx, r) })
	}
	wait.Wait()
	return sleep(ctx, rateLimitWait)
}

// trial is a setting to try.
type trial struct {
	name        string
	kind, value string
	credentials []string // Username and password; not sent if nil.
}

// settings is the number of settings that tryEveryType sends.
const settings = 8

// tryEveryType sets every delivery type on the FoneNumber, and reads the result of each setting.
func (s *session) tryEveryType(ctx context.Context) error {
	trials := []trial{
		{"json", "Email", testEmail, nil},
		{"form", "Email", testEmail, nil},
		{"url", "URL", testURL, []string{"check", "not-a-secret"}},
		{"empty credentials", "URL", testURL, []string{"", ""}},
		{"forward", "Forward", testForward, nil},
		{"device", "Device", s.device(), nil},
		{"invalid", "Email", "not an e-mail address", nil},
		{"none", "None", "None", nil},
	}
	for _, t := range trials {
		if t.value == "" {
			s.skipped["set device"], s.skipped["read device"] = "the account has no device", "the account has no device"
			continue
		}
		body := s.settingKind
		if t.name == "json" || t.name == "form" {
			body = t.name
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		// Do not cancel a setting, because it could take effect after the FoneNumber was restored.
		x := s.set(context.WithoutCancel(ctx), "set "+t.name, body, t)
		if (t.name == "json" || t.name == "form") && x.ok() && s.settingKind == "" {
			s.settingKind = t.name
		}
		if !x.ok() {
			s.skipped["read "+t.name] = fmt.Sprintf("FoneStorm rejected the setting with status %d", x.status)
			continue
		}
		if _, err := s.get(ctx, "read "+t.name, foneNumberPath, s.FoneNumber, s.token); err != nil {
			return err
		}
	}
	return nil
}

// set sends one setting.
func (s *session) set(ctx context.Context, purpose, body string, t trial) *exchange {
	parameters := map[string]any{"fonenumber": s.FoneNumber, "type": t.kind, "value": t.value, "url_method": "POST"}
	if t.credentials != nil {
		parameters["url_username"], parameters["url_password"] = t.credentials[0], t.credentials[1]
	}
	x, err := s.do(ctx, request{
		purpose: purpose, method: http.MethodPost, path: settingPath, fonenumber: s.FoneNumber, token: s.token,
		body: cmp.Or(body, "json"), parameters: parameters,
	})
	if err != nil {
		return &exchange{} // No response.
	}
	return x
}
