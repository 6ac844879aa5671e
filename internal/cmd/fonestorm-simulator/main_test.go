package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

func TestFlagsDescribeTheProfile(t *testing.T) {
	t.Parallel()
	recorded := filepath.Join(t.TempDir(), "profile.json")
	if err := os.WriteFile(recorded, []byte(`{"types": "upper", "devices": "refused"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		args []string
		want simulator.Profile // Beside what it leaves to the defaults.
	}{
		"none":               {nil, simulator.Profile{}},
		"profile":            {[]string{"-profile", "2.4"}, simulator.Profiles()["2.4"]},
		"file":               {[]string{"-profile", recorded}, simulator.Profile{Types: "upper", Devices: "refused"}},
		"change of a file":   {[]string{"-types", "padded", "-profile", recorded}, simulator.Profile{Types: "padded", Devices: "refused"}},
		"status and latency": {[]string{"-list", "refused", "-list-status=422", "-list-latency", "3s"}, simulator.Profile{List: "refused", ListStatus: 422, ListLatency: simulator.Duration(3 * time.Second)}},
		"respellings":        {[]string{"-respellings", "device-number,email-lower-case"}, simulator.Profile{Respellings: []string{"device-number", "email-lower-case"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, options, err := parse(test.args)
			if err != nil {
				t.Fatal(err)
			}
			want := complete(test.want)
			if !reflect.DeepEqual(options.Profile, want) {
				t.Errorf("%q gives %+v, want %+v", test.args, options.Profile, want)
			}
		})
	}
}

// complete fills in the settings that are left to the live profile.
func complete(profile simulator.Profile) simulator.Profile {
	complete := simulator.Profiles()["live"]
	given, all := reflect.ValueOf(profile), reflect.ValueOf(&complete).Elem()
	for i := range given.NumField() {
		if !given.Field(i).IsZero() {
			all.Field(i).Set(given.Field(i))
		}
	}
	return complete
}

func TestEverySettingIsAFlag(t *testing.T) {
	t.Parallel()
	for _, setting := range simulator.Settings() {
		value := "1s"
		if len(setting.Values) > 0 {
			value = setting.Values[len(setting.Values)-1]
		}
		var want simulator.Profile
		if err := want.Set(setting.Name, value); err != nil {
			t.Fatal(err)
		}
		_, options, err := parse([]string{"-" + strings.ReplaceAll(setting.Name, "_", "-"), value})
		if err != nil || !reflect.DeepEqual(options.Profile, complete(want)) {
			t.Errorf("%s %s gives %+v, %v", setting.Name, value, options.Profile, err)
		}
	}
}

func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for args, words := range map[string][]string{
		"-profile 3.0":                 {`"3.0"`, "live"},
		"-types title":                 {`"title"`, "padded"},
		"-body-status 418":             {`"418"`, "415"},
		"-respellings shouting":        {`"shouting"`, "email-upper-case"},
		"-list-latency soon":           {"soon"},
		"extra":                        {`"extra"`},
		"-subaccount 12 -listen :0":    {`"12"`, "ten digits"},
		"-rate-window rolling":         {"rolling"},
		"-profile 2.1 -options-member": {"options-member"},
	} {
		err := run(t.Context(), strings.Fields(args))
		for _, word := range words {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error does not say %s: %v", args, word, err)
			}
		}
	}
	if _, _, err := parse([]string{"-help"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-help gives %v", err)
	}
}
