package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const (
	changed = "3215550001" // The FoneNumber that runs change.
	device  = "21915233078"
)

// account returns an account with every type of delivery and everything else that a run checks.
func account(t *testing.T, profile simulator.Profile) *simulator.Simulator {
	t.Helper()
	sim, err := simulator.New(simulator.Options{Profile: profile, RateLimit: 10, Subaccounts: []string{"1000000002"}})
	if err != nil {
		t.Fatal(err)
	}
	for number, receive := range map[string]simulator.Receive{
		"3215550000": {},
		changed:      {Type: "Email", Email: "ops@example.com"},
		"3215550002": {Type: "URL", URL: "https://example.com/sms", URLMethod: "POST", URLUsername: "hook", URLPassword: "hook-password"},
		"3215550003": {Type: "Forward", Forward: "3215551111", Device: device},
		"3215550004": {Type: "Device", Device: device},
	} {
		sim.Put(simulator.FoneNumber{Number: number, Label: "Label", Group: "Group", Receive: receive})
	}
	sim.Put(simulator.FoneNumber{Number: "3215550005", Active: "cancel"})
	sim.PutDevice(simulator.Device{ID: device, Name: "Desk", Type: "Model"})
	return sim
}

// inMemory sends requests to a handler without a network, so that the fake clock advances.
type inMemory struct{ http.Handler }

func (m inMemory) RoundTrip(r *http.Request) (response *http.Response, err error) {
	defer func() {
		if recover() != nil { // http.ErrAbortHandler closes the connection.
			response, err = nil, errors.New("connection reset")
		}
	}()
	w := httptest.NewRecorder()
	arriving := r.Clone(r.Context())
	arriving.RequestURI = r.URL.RequestURI()
	arriving.URL.Scheme, arriving.URL.Host = "", "" // As a server sees it.
	m.ServeHTTP(w, arriving)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func config(handler http.Handler) Config {
	return Config{
		Endpoint: "https://fonestorm.test/v2", Username: "demo", Password: "demo-password", FoneNumber: changed, RateLimit: true,
		Transport: inMemory{handler},
	}
}

// gentle returns a configuration that does not exceed the rate limit on purpose.
func gentle(handler http.Handler) Config {
	config := config(handler)
	config.RateLimit = false
	return config
}

// isNotRestored reports whether a run could not restore the FoneNumber.
func isNotRestored(err error) bool {
	_, is := errors.AsType[*NotRestoredError](err)
	return is
}

// profiles returns the built-in profiles and the one of FRACTEL_TEST_PROFILE, each complete.
func profiles(t *testing.T) map[string]simulator.Profile {
	profiles := simulator.Profiles()
	if name := os.Getenv("FRACTEL_TEST_PROFILE"); name != "" {
		profile, err := simulator.LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		profiles["recorded"] = profile
	}
	return profiles
}

// eachProfile runs a subtest for each profile on a fake clock.
func eachProfile(t *testing.T, test func(t *testing.T, name string, profile simulator.Profile)) {
	t.Parallel()
	for name, profile := range profiles(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, name, profile) })
		})
	}
}

func mustRun(t *testing.T, config Config) *Report {
	t.Helper()
	report, err := Run(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// settings returns the settings of a profile as in its JSON.
func settingsOf(t *testing.T, profile simulator.Profile) map[string]any {
	t.Helper()
	data, err := json.Marshal(profile)
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]any{}
	if err := json.Unmarshal(data, &settings); err != nil {
		t.Fatal(err)
	}
	return settings
}

// The report for each profile contains exactly the differences between the profile and the assumptions.
func TestReportContainsTheDifferencesOfAProfile(t *testing.T) {
	eachProfile(t, func(t *testing.T, name string, profile simulator.Profile) {
		report := mustRun(t, config(account(t, profile)))
		settings := settingsOf(t, profile)
		for i, a := range Assumptions() {
			got := report.Results[i]
			if got.Status == NotChecked {
				if got.Why == "" || !notChecked(a, profile) {
					t.Errorf("%s was not checked: %q", a.ID, got.Why)
				}
				continue
			}
			want := AsAssumed
			if value, has := settings[a.setting]; has && a.setting != "list_latency" {
				if got.Seen != fmt.Sprint(value) {
					t.Errorf("%s: saw %q, want %v", a.ID, got.Seen, value)
				}
				if !slices.Contains(a.assumed, fmt.Sprint(value)) {
					want = Differs
				}
			}
			if got.Status != want && name != "recorded" {
				t.Errorf("%s: %s (%s), want %s", a.ID, got.Status, got.Seen, want)
			}
		}
	})
}

// notChecked reports whether a run cannot check an assumption for a profile.
func notChecked(a Assumption, profile simulator.Profile) bool {
	switch a.ID {
	case "subaccount-token":
		return true
	case "token-lifetime":
		return profile.Token == "opaque"
	case "list-rejected":
		return profile.List != "refused"
	case "body-status":
		return profile.LoginBody == "both" && profile.SettingBody == "both"
	default:
		return false
	}
}

// A run detects every value of every setting, and every respelling that it can see, and nothing else.
func TestEverySettingIsDetected(t *testing.T) {
	t.Parallel()
	unseen := []string{ // A run does not count members, and its test URL has a path.
		"unknown-members", "slash-added",
	}
	for _, setting := range simulator.Settings() {
		for _, value := range setting.Values {
			if slices.Contains(unseen, value) {
				continue
			}
			t.Run(setting.Name+" "+value, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var profile simulator.Profile
					if setting.Name == "list_status" {
						profile.List = "refused"
					}
					if err := profile.Set(setting.Name, value); err != nil {
						t.Fatal(err)
					}
					recorded := mustRun(t, config(account(t, profile))).Profile
					got, want := fmt.Sprint(settingsOf(t, recorded)[setting.Name]), fmt.Sprint(settingsOf(t, profile)[setting.Name])
					if got != want && value != "POST" { // A run always sets POST, so POST looks like kept.
						t.Errorf("recorded %s, want %s", got, want)
					}
				})
			})
		}
	}
}

func TestListLatencyIsDetected(t *testing.T) {
	t.Parallel()
	for latency, want := range map[time.Duration]string{
		0: "under 1s", time.Second: "1s to 10s", 12 * time.Second: "10s to 30s", 40 * time.Second: "30s to 2m", 3 * time.Minute: "over 2m",
	} {
		synctest.Test(t, func(t *testing.T) {
			report := mustRun(t, config(account(t, simulator.Profile{ListLatency: simulator.Duration(latency)})))
			again := mustRun(t, config(account(t, report.Profile)))
			if got := result(t, report, "list-duration"); got.Seen != want || (got.Status == Differs) != (latency >= 10*time.Second) {
				t.Errorf("%s is reported as %+v", latency, got)
			}
			if got := result(t, again, "list-duration"); got.Seen != want {
				t.Errorf("%s is played back as %+v", latency, got)
			}
		})
	}
}

func result(t *testing.T, report *Report, id string) Result {
	t.Helper()
	i := slices.IndexFunc(report.Results, func(r Result) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("there is no assumption %s", id)
	}
	return report.Results[i]
}

// Checking the simulator with the profile of a report gives the same report, byte for byte.
func TestReportRoundTrip(t *testing.T) {
	eachProfile(t, func(t *testing.T, _ string, profile simulator.Profile) {
		first := encoded(t, mustRun(t, config(account(t, profile))))
		file := filepath.Join(t.TempDir(), "report.json")
		if err := os.WriteFile(file, first, 0o600); err != nil {
			t.Fatal(err)
		}
		recorded, err := simulator.LoadProfile(file)
		if err != nil {
			t.Fatal(err)
		}
		if second := encoded(t, mustRun(t, config(account(t, recorded)))); string(second) != string(first) {
			t.Errorf("the report became\n%s\nfrom\n%s", second, first)
		}
	})
}

func encoded(t *testing.T, report *Report) []byte {
	t.Helper()
	data, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Without a FoneNumber, a run sends only GET requests and logins, and no more of them than planned.
func TestReadOnlyRunChangesNothing(t *testing.T) {
	eachProfile(t, func(t *testing.T, _ string, profile simulator.Profile) {
		sim := account(t, profile)
		before := sim.Numbers()
		config := config(sim)
		config.FoneNumber, config.RateLimit = "", false
		mustRun(t, config)
		for _, r := range sim.Requests() {
			if r.Method != http.MethodGet && r.Kind() != "login" {
				t.Errorf("sent %s %s", r.Method, r.Path)
			}
		}
		if !slices.Equal(sim.Numbers(), before) {
			t.Errorf("the account has %+v", sim.Numbers())
		}
		wantPlanned(t, config, sim)
	})
}

func TestRunWithAToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := account(t, simulator.Profile{})
		s := newSession(config(sim))
		if err := s.logIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		sim.Forget()
		config := config(sim)
		config.Username, config.Password, config.Token, config.RateLimit = "", "", s.token, false
		report := mustRun(t, config)
		if got := result(t, report, "token"); got.Status != AsAssumed {
			t.Errorf("the token is %+v", got)
		}
		for _, id := range []string{"login-body", "login-response", "login-rejected", "token-lifetime", "earlier-tokens", "subaccount-token"} {
			if got := result(t, report, id); got.Status != NotChecked || got.Why != "needs FRACTEL_USERNAME and FRACTEL_PASSWORD" {
				t.Errorf("%s is %+v", id, got)
			}
		}
		if report.Differences() > 0 {
			t.Errorf("something differs: %+v", report.Results)
		}
		wantPlanned(t, config, sim)
	})
}

func TestRunKeepsToThePlan(t *testing.T) {
	eachProfile(t, func(t *testing.T, _ string, profile simulator.Profile) {
		sim := account(t, profile)
		sim.Put(simulator.FoneNumber{Number: "3215551200", Subaccount: "1000000002", Receive: simulator.Receive{Type: "Email", Email: "a@example.com"}})
		sim.PutDevice(simulator.Device{ID: "21915233079", Subaccount: "1000000002"})
		config := config(sim)
		config.Subaccount, config.FoneNumber = "1000000002", "3215551200"
		report := mustRun(t, config)
		if got := result(t, report, "subaccount-token"); got.Status != AsAssumed {
			t.Errorf("the subaccount's token is %+v", got)
		}
		if sent := wantPlanned(t, config, sim)["POST "+settingPath]; sent != settings+1 {
			t.Errorf("%d settings were sent, want %d and a restoration", sent, settings)
		}
	})
}

func wantPlanned(t *testing.T, config Config, sim *simulator.Simulator) (sent map[string]int) {
	t.Helper()
	planned := map[string]int{}
	for _, call := range config.Plan() {
		planned[call.Call] = call.AtMost
	}
	sent = map[string]int{}
	var last time.Time
	for _, r := range sim.Requests() {
		path := r.Path
		if r.Kind() == "get" {
			path = foneNumberPath
		}
		sent[r.Method+" "+path]++
		if !config.RateLimit && r.Arrived.Sub(last) < time.Second/requestsPerSecond {
			t.Errorf("%s %s was sent %s after the request before", r.Method, r.Path, r.Arrived.Sub(last))
		}
		last = r.Arrived
	}
	for call, times := range sent {
		if times > planned[call] {
			t.Errorf("%s was sent %d times, %d are planned", call, times, planned[call])
		}
	}
	for call := range planned {
		if sent[call] == 0 {
			t.Errorf("%s is planned and was not sent", call)
		}
	}
	return sent
}

// originals contains deliveries that a run can restore.
var originals = map[string]simulator.Receive{
	"Email":   {Type: "Email", Email: "ops@example.com"},
	"Device":  {Type: "Device", Device: device},
	"Forward": {Type: "Forward", Forward: "3215551111"},
	"None":    {Type: "None"},
	"unset":   {},
	"URL":     {Type: "URL", URL: "https://example.com/?msg={{msg}}&a=b", URLMethod: "POST"},
}

func delivery(r simulator.Receive) fonestorm.Delivery {
	return fonestorm.Delivery{Type: fonestorm.DeliveryType(r.Type), Value: r.Value()}
}

// wantOriginal checks the current delivery.
func wantOriginal(t *testing.T, sim *simulator.Simulator, want simulator.Receive, when string) {
	t.Helper()
	got, _ := sim.Get(changed)
	if !fonestorm.SameDestination(delivery(got.Receive), delivery(want)) { // In the spelling of the profile.
		t.Errorf("%s: the FoneNumber delivers to %+v, want %+v", when, got.Receive, want)
	}
}

func TestRunRestores(t *testing.T) {
	t.Parallel()
	spellings := map[string]simulator.Profile{"": {}}
	for _, name := range simulator.Respellings() {
		spellings[name] = simulator.Profile{Respellings: []string{name}}
	}
	maps.Copy(spellings, profiles(t))
	for name, profile := range spellings {
		for kind, original := range originals {
			synctest.Test(t, func(t *testing.T) {
				sim := account(t, profile)
				sim.Put(simulator.FoneNumber{Number: changed, Receive: original})
				config := config(sim)
				config.Force, config.RateLimit = true, false
				if _, err := Run(t.Context(), config); err != nil {
					t.Errorf("%s %s: %v", name, kind, err)
				}
				wantOriginal(t, sim, original, name+" "+kind)
			})
		}
	}
}

// eachRequest calls run for each request that a run sends, with its number.
func eachRequest(t *testing.T, profile simulator.Profile, run func(t *testing.T, sim *simulator.Simulator, n int)) {
	t.Helper()
	total := 0
	synctest.Test(t, func(t *testing.T) {
		sim := account(t, profile)
		config := gentle(sim)
		mustRun(t, config)
		total = len(sim.Requests())
	})
	if total < 20 {
		t.Fatalf("a run sends %d requests", total)
	}
	for n := range total {
		synctest.Test(t, func(t *testing.T) { run(t, account(t, profile), n) })
	}
}

// If a run is interrupted at any request, before or after it is processed, it restores the FoneNumber and returns no report.
func TestInterruptedRunRestores(t *testing.T) {
	t.Parallel()
	for name, profile := range profiles(t) {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", after), func(t *testing.T) {
				t.Parallel()
				eachRequest(t, profile, func(t *testing.T, sim *simulator.Simulator, n int) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					var served int
					config := gentle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if served == n && !after {
							cancel()
						}
						served++
						sim.ServeHTTP(w, r)
						if served == n+1 && after {
							cancel()
						}
						if r.URL.Path == "/v2"+settingPath && r.Context().Err() != nil {
							t.Errorf("request %d: a setting was broken off, and could take effect after the restoration", n)
						}
					}))
					report, err := Run(ctx, config)
					if report != nil || !errors.Is(err, context.Canceled) || isNotRestored(err) {
						t.Errorf("request %d: %v, %v", n, report, err)
					}
					wantOriginal(t, sim, originals["Email"], fmt.Sprint("request ", n))
				})
			})
		}
	}
}

// If any single request fails in any way, the run restores the FoneNumber.
func TestRunRestoresAfterAFailure(t *testing.T) {
	t.Parallel()
	for _, fault := range []simulator.Fault{
		simulator.ConnectionReset, simulator.ResponseLost, simulator.NoResponse, simulator.ServerError, simulator.BadGateway, simulator.HTMLPage,
		simulator.TokenRejected, simulator.RateLimited, simulator.RateLimited410, simulator.NotFoundPage, simulator.EmptyResponse, simulator.WrongTypes,
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			eachRequest(t, simulator.Profile{}, func(t *testing.T, sim *simulator.Simulator, n int) {
				var mu sync.Mutex
				asked := 0
				sim.Inject(func(*http.Request) simulator.Fault {
					mu.Lock()
					defer mu.Unlock()
					asked++
					if asked == n+1 {
						return fault
					}
					return ""
				})
				config := gentle(sim)
				_, err := Run(t.Context(), config)
				if isNotRestored(err) {
					t.Errorf("request %d: %v", n, err)
				}
				wantOriginal(t, sim, originals["Email"], fmt.Sprint("request ", n))
			})
		})
	}
}

// If the token is invalidated at any time, it is renewed to restore the FoneNumber, and not reported as a difference.
func TestRunRestoresWithANewToken(t *testing.T) {
	t.Parallel()
	eachRequest(t, simulator.Profile{}, func(t *testing.T, sim *simulator.Simulator, n int) {
		served := 0
		config := gentle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if served++; served == n+1 {
				sim.ExpireTokens()
			}
			sim.ServeHTTP(w, r)
		}))
		report, err := Run(t.Context(), config)
		if isNotRestored(err) {
			t.Errorf("request %d: %v", n, err)
		}
		wantOriginal(t, sim, originals["Email"], fmt.Sprint("request ", n))
		if report == nil {
			return
		}
		for _, got := range report.Results {
			if got.Status == Differs && got.ID != "earlier-tokens" {
				t.Errorf("request %d: %+v", n, got)
			}
		}
	})
}

// If all requests fail from some point on, the error says what to set by hand, and the run ends in time.
func TestRunReportsWhatItCouldNotRestore(t *testing.T) {
	t.Parallel()
	for _, fault := range []simulator.Fault{simulator.ServerError, simulator.ConnectionReset, simulator.NoResponse, simulator.TokenRejected, simulator.HTMLPage} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			eachRequest(t, simulator.Profile{}, func(t *testing.T, sim *simulator.Simulator, n int) {
				served := 0
				touched := false
				var failing time.Time
				sim.Inject(func(r *http.Request) simulator.Fault {
					served++
					touched = touched || r.URL.Path == "/v2"+settingPath
					if served <= n {
						return ""
					}
					if failing.IsZero() {
						failing = time.Now()
					}
					return fault
				})
				config := gentle(sim)
				report, err := Run(t.Context(), config)
				got, _ := sim.Get(changed)
				restored := got.Receive.Type == "Email" && got.Receive.Email == "ops@example.com"
				if err == nil || touched != isNotRestored(err) || !touched && !restored {
					t.Errorf("from request %d on: %v; the FoneNumber has %+v", n, err, got.Receive)
				}
				if isNotRestored(err) {
					for _, word := range []string{changed, `"Email"`, "ops@example.com"} {
						if !strings.Contains(err.Error(), word) {
							t.Errorf("the error does not say %s: %v", word, err)
						}
					}
					if report == nil || strings.Contains(string(encoded(t, report)), "ops@example.com") {
						t.Errorf("from request %d on: the report is %+v", n, report)
					}
				}
				if took := time.Since(failing); took > 20*time.Minute {
					t.Errorf("the run ended after %s", took)
				}
			})
		})
	}
}
