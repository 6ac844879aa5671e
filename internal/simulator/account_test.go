package simulator

import (
	"net/http"
	"reflect"
	"slices"
	"testing"
)

// subaccountToken returns a token for a subaccount.
func subaccountToken(t *testing.T, sim *Simulator, token, code string) string {
	t.Helper()
	w := ask(t, sim, http.MethodPost, "/subaccounts/token", token, jsonBody, `{"subaccount":"`+code+`"}`)
	return tokenOf(t, "subaccount", decoded(t, w, http.StatusCreated))
}

// A token acts only on the FoneNumbers and devices of its account.
func TestSubaccounts(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{FoneNumbers: 1})
	sim.Put(FoneNumber{Number: "4075550000", Subaccount: "2000000002"})
	sim.PutDevice(Device{ID: "219", Name: "Front desk"})
	sim.PutDevice(Device{ID: "220", Name: "Branch", Type: "Polycom", FoneNumber: "4075550000", Subaccount: "2000000002"})
	main := anyToken(sim)
	branch := subaccountToken(t, sim, main, "2000000002")
	if account, _ := payload(branch)["account"].(map[string]any); account["id"] != "2000000002" {
		t.Errorf("the token contains %v", payload(branch))
	}

	for token, want := range map[string][2][]string{
		main: {{"3215550000"}, {"219"}}, branch: {{"4075550000"}, {"220"}},
	} {
		var numbers, devices []string
		list, _ := decoded(t, get(t, sim, "/fonenumbers", token), http.StatusOK)["fonenumbers"].([]any)
		for _, number := range list {
			numbers = append(numbers, number.(string))
		}
		list, _ = decoded(t, get(t, sim, "/devices", token), http.StatusOK)["devices"].([]any)
		for _, device := range list {
			devices = append(devices, device.(map[string]any)["id"].(string))
		}
		if !slices.Equal(numbers, want[0]) || !slices.Equal(devices, want[1]) {
			t.Errorf("the lists are %v and %v, want %v", numbers, devices, want)
		}
		for _, number := range []string{"3215550000", "4075550000"} {
			status := http.StatusNotFound
			if slices.Contains(want[0], number) {
				status = http.StatusOK
			}
			decoded(t, get(t, sim, "/fonenumbers/"+number, token), status)
			body := `{"fonenumber":"` + number + `","type":"None","value":"None","url_method":"POST"}`
			decoded(t, ask(t, sim, "POST", "/messages/receive", token, jsonBody, body), status)
		}
		for _, id := range []string{"219", "220"} {
			status := http.StatusNotFound
			if slices.Contains(want[1], id) {
				status = http.StatusOK
			}
			decoded(t, get(t, sim, "/devices/"+id, token), status)
		}
	}
	wantViolations(t, sim, 0)
}

func TestSubaccountTokenErrors(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{})
	sim.Put(FoneNumber{Number: "4075550000", Subaccount: "2000000002"})
	main := anyToken(sim)
	for _, test := range []struct {
		token, code string
		status      int
	}{
		{"", "2000000002", http.StatusUnauthorized},
		{main, "2000000009", http.StatusNotFound},
		{main, "1000000001", http.StatusNotFound},
		{subaccountToken(t, sim, main, "2000000002"), "2000000002", http.StatusForbidden},
	} {
		w := ask(t, sim, http.MethodPost, "/subaccounts/token", test.token, jsonBody, `{"subaccount":"`+test.code+`"}`)
		wantEnvelope(t, w, test.status)
	}
	wantViolations(t, sim, 0)
}

func TestDevices(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{})
	token := anyToken(sim)
	want := Device{ID: "21915233078", Name: "Front desk", Type: "Polycom VVX", FoneNumber: number}
	sim.PutDevice(want)
	if got := sim.Devices(); !slices.Equal(got, []Device{want}) {
		t.Errorf("the devices are %+v", got)
	}
	shown := map[string]any{"id": "21915233078", "name": "Front desk", "type": "Polycom VVX", "fonenumber": number}
	if got := decoded(t, get(t, sim, "/devices/21915233078", token), http.StatusOK)["device"]; !reflect.DeepEqual(got, shown) {
		t.Errorf("the device is %v, want %v", got, shown)
	}
	if got := decoded(t, get(t, sim, "/devices", token), http.StatusOK)["devices"]; !reflect.DeepEqual(got, []any{shown}) {
		t.Errorf("the devices are %v", got)
	}
	wantViolations(t, sim, 0)
}
