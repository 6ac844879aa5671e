package fonestorm

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

func TestListDevices(t *testing.T) {
	t.Parallel()
	for name, dialect := range simulator.Dialects {
		inBubble(t, name, func(t *testing.T) {
			sim := newSimulator(t, simulator.Options{Latency: time.Second, Dialect: dialect})
			sim.PutDevice(simulator.Device{ID: "21915233078", Name: "Front desk", Type: "Polycom", FoneNumber: anyNumber})
			sim.PutDevice(simulator.Device{ID: "987123543678"})
			client := newBubbleClient(t, sim)
			want := []RegisteredDevice{{"21915233078", "Front desk", "Polycom", anyNumber}, {ID: "987123543678"}}
			wantSuccess(t, together(10, func(int) error {
				got, err := client.ListDevices(t.Context())
				if !reflect.DeepEqual(got, want) {
					t.Errorf("the devices are %+v, want %+v", got, want)
				}
				return err
			})...)
			_, err := client.ListDevices(t.Context())
			wantSuccess(t, err)
			wantRequests(t, sim, map[string]int{"login": 1, "devices": 1})
		})
	}
}

func TestListDevicesFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := &script{responses: []http.HandlerFunc{rejectWith(http.StatusForbidden, "The user may not see devices.", "")}}
		client := newBubbleClient(t, server, withToken)
		for range 2 { // The second call sends no request.
			_, err := client.ListDevices(t.Context())
			wantKind(t, err, PermissionDenied)
			wantWords(t, err, "list the account's devices", "The user may not see devices.")
		}
		if n := len(server.arrived); n != 1 {
			t.Errorf("there were %d requests", n)
		}

		server = &script{responses: []http.HandlerFunc{
			respondWith(http.StatusOK, `{"devices":[{"id":"1"},`), respondWith(http.StatusOK, `{"devices":[null,[],"2",{"name":"no ID"},{"id":3}]}`),
		}}
		got, err := newBubbleClient(t, server, withToken).ListDevices(t.Context())
		wantSuccess(t, err)
		if want := []RegisteredDevice{{ID: "3"}}; !reflect.DeepEqual(got, want) {
			t.Errorf("the devices are %+v, want %+v", got, want)
		}
	})
}
