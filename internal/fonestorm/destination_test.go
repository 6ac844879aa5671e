package fonestorm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// destination is a destination in parts. Two destinations are the same only if their types and all of their parts are.
type destination struct {
	kind  DeliveryType
	parts []string
}

// spellings contains hosts and their other spellings.
var spellings = map[string][]string{
	"callback.test":         {"Callback.TEST"},
	"bücher.test":           {"BÜCHER.test", "xn--bcher-kva.test", "XN--BCHER-KVA.TEST"},
	"under_score.test":      {"UNDER_score.test"},
	"{{to}}.test":           {"{{to}}.TEST"},
	"user@callback.test":    {"user@CALLBACK.test"},
	"[::1]":                 nil,
	"127.0.0.1":             nil,
	"callback.test.example": nil,
}

// pieces are joined to the rest of a URL.
var pieces = []string{"a", "A", "%2F", "/", "%26", "&", "&amp;", "+", "%20", "%25", "#", "?", "=", "~", "{{msg}}", "{{MSG}}", "%7B%7Bmsg%7D%7D", "é", "%C3%A9"}

// partsOf returns what can be drawn for each part of a destination of this type.
func partsOf(kind DeliveryType) []*rapid.Generator[string] {
	rest := rapid.Map(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 4), func(p []string) string { return strings.Join(p, "") })
	hosts := rapid.SampledFrom(slices.Sorted(maps.Keys(spellings)))
	return map[DeliveryType][]*rapid.Generator[string]{
		Device:  {rapid.StringMatching(`[0-9]{1,12}`)},
		Email:   {rapid.StringMatching(`[a-z0-9+_.é-]{1,8}`), rapid.SampledFrom([]string{"callback.test", "bücher.test"})},
		URL:     {rapid.SampledFrom([]string{"http", "https"}), hosts, rapid.SampledFrom([]string{"", ":8443", ":1"}), rest},
		Forward: {rapid.StringMatching(`[2-9][0-9]{9}`)},
	}[kind]
}

func drawDestination(t *rapid.T) destination {
	d := destination{kind: rapid.SampledFrom(DeliveryTypes()).Draw(t, "type")}
	for _, part := range partsOf(d.kind) {
		d.parts = append(d.parts, part.Draw(t, "part"))
	}
	return d
}

// spelled returns any spelling of the destination.
func (d destination) spelled(t *rapid.T) Delivery {
	pick := func(texts ...string) string { return rapid.SampledFrom(texts).Draw(t, "spelling") }
	var value string
	switch p := d.parts; d.kind {
	case Device:
		value = pick(p[0], p[0][:1]+" "+p[0][1:])
	case Email:
		value = pick(p[0], strings.ToUpper(p[0])) + "@" + pick(append(spellings[p[1]], p[1])...)
	case URL, Callback:
		port, slash := p[2], "/"
		if port == "" {
			port = pick("", map[string]string{"http": ":80", "https": ":443"}[p[0]])
		}
		if strings.Trim(p[3][:min(1, len(p[3]))], "?#") == "" {
			slash = pick("/", "")
		}
		value = pick(p[0], strings.ToUpper(p[0])) + "://" + pick(append(spellings[p[1]], p[1])...) + port + slash + p[3]
	case Forward:
		n := p[0]
		value = pick(n, "1"+n, "+1"+n, "TEL:+1"+n, "("+n[:3]+") "+n[3:6]+"-"+n[6:], n[:3]+"."+n[3:6]+"."+n[6:])
	case None:
		value = pick("", "None", "x")
	}
	kind, blank := string(d.kind), pick("", " ", "\t")
	return Delivery{Type: DeliveryType(pick(kind, strings.ToLower(kind), " "+strings.ToUpper(kind)+"\n")), Value: blank + value + blank}
}

// Two spellings mean the same destination exactly if no part differs.
func TestSpellingsOfDestinations(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDestination(t), drawDestination(t)
		if likeness := rapid.IntRange(0, 2).Draw(t, "likeness"); likeness > 0 { // Otherwise few pairs would be similar.
			b = destination{a.kind, slices.Clone(a.parts)}
			if likeness == 1 && a.kind != None {
				i := rapid.IntRange(0, len(a.parts)-1).Draw(t, "other part")
				b.parts[i] = partsOf(a.kind)[i].Draw(t, "part")
			}
		}
		same := a.kind == b.kind && slices.Equal(a.parts, b.parts)
		x, y := a.spelled(t), b.spelled(t)
		if SameDestination(x, y) != same || SameDestination(y, x) != same {
			t.Fatalf("%+v and %+v are the same: %t", x, y, !same)
		}
		if same && !MaySpell(x, y) {
			t.Fatalf("%+v cannot be a spelling of %+v", x, y)
		}
		if once := x.Normalized(); once.Normalized() != once || !strings.Contains(x.Value, "%7") && !SameDestination(once, x) {
			t.Fatalf("%+v is normalized to %+v, and that to %+v", x, once, once.Normalized())
		}
	})
}

// Pairs that are easy to get wrong.
func TestSameDestinationOfPairs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind DeliveryType
		a, b string
		want bool
	}{
		{URL, "https://x.test/a%2Fb", "https://x.test/a/b", false},
		{URL, "https://x.test/?a=1&amp;b=2", "https://x.test/?a=1&b=2", false},
		{URL, "https://x.test/a", "https://x.test/a/", false},
		{URL, "https://x.test:80/a", "https://x.test/a", false},
		{URL, "http://x.test:443/a", "http://x.test/a", false},
		{URL, "https://[::1]", "https://[:", false},
		{URL, "https://user@x.test/", "https://x.test/", false},
		{URL, "https://x.test/{{msg}}", "https://x.test/%7B%7Bmsg%7D%7D", false}, // An encoded token is not replaced.
		{URL, "https://x.test./", "https://x.test/", false},
		{URL, "x.test/A", "x.test/a", false},
		{Email, "\u212aarl@example.com", "karl@example.com", true}, // The Kelvin sign in lower case.
		{Email, "ops@faß.test", "ops@fass.test", false},
		{Forward, "+3215551111", "3215551111", false}, // Belgium.
		{Forward, "23215551111", "3215551111", false},
		{Forward, "3215551111x5", "3215551111", false},
		{Device, "098712354", "98712354", false},
		{"Pager", "1 ", " 1", true},
		{"Pager", "1", "2", false},
	} {
		a, b := Delivery{Type: test.kind, Value: test.a}, Delivery{Type: test.kind, Value: test.b}
		if SameDestination(a, b) != test.want || SameDestination(b, a) != test.want {
			t.Errorf("%s %q and %q are the same: %t", test.kind, test.a, test.b, !test.want)
		}
	}
	if SameDestination(Delivery{Type: Device, Value: "3215551111"}, Delivery{Type: Forward, Value: "3215551111"}) || !SameDestination(Delivery{}, Delivery{Type: None}) {
		t.Error("the types are not compared, or no type is not None")
	}
}

func TestNormalized(t *testing.T) {
	t.Parallel()
	for in, want := range map[Delivery]string{
		{Type: "url", Value: " https://X.test/%7B%7Bmsg%7d%7d?a&amp;b%2F "}: "URL https://X.test/{{msg}}?a&amp;b%2F",
		{Type: "FORWARD", Value: "+1 321-555-1111"}:                         "Forward 3215551111",
		{Type: "Forward", Value: "+32 1 555 1111"}:                          "Forward +32 1 555 1111",
		{Type: "email ", Value: " Ops@example.com"}:                         "Email Ops@example.com",
		{Type: "device", Value: "12 34 "}:                                   "Device 1234",
		{Type: "", Value: "None"}:                                           "None ",
		{Type: "Pager", Value: " 1"}:                                        "Pager 1",
	} {
		if got := in.Normalized(); fmt.Sprint(got.Type, " ", got.Value) != want {
			t.Errorf("%+v is normalized to %s %s, want %s", in, got.Type, got.Value, want)
		}
	}
}

// FoneStorm may show a destination in another spelling that keeps its core, but another destination is never taken for it.
func TestMaySpell(t *testing.T) {
	t.Parallel()
	for set, test := range map[Delivery]struct{ spellings, strangers []string }{
		{Type: Email, Value: "Ops+sms@Example.com"}: {
			[]string{"mailto:ops+sms@example.com", "<OPS+SMS@EXAMPLE.COM>", "Ops <ops+sms@example.com>;", "ops%2Bsms%40example.com", "100% ops+sms@example.com"},
			[]string{"devops+sms@example.com", "dev.ops+sms@example.com", "ops@example.com", "ops+sms@example.com.evil.org", "ops+sms@example.company", "ops+sms@example.co", ""},
		},
		{Type: Email, Value: "ops@bücher.test"}:        {[]string{"mailto:ops@xn--bcher-kva.test", "<ops@BÜCHER.test>"}, []string{"ops@bucher.test"}},
		{Type: Email, Value: "ops@xn--bcher-kva.test"}: {[]string{"<ops@bücher.test>"}, nil},
		{Type: Forward, Value: "3215551111"}: {
			[]string{"+1 321 555 1111", "tel:+1-321-555-1111", "%2B13215551111", "sip:3215551111@192.0.2.1", "sip:+13215551111@192.0.2.1", "3215551111 (mobile)", "321/555/1111"},
			[]string{"23215551111", "32155511112", "3215551112", "4913215551111", ""},
		},
		{Type: Device, Value: "987"}: {[]string{"sip:987@pbx.test", "9 8-7", "Device 987"}, []string{"1987", "9871", "98", "user"}},
		{Type: URL, Value: "https://Bücher.test/hook?key=s3cret&m={{msg}}"}: {
			[]string{
				"https://xn--bcher-kva.test/hook?key=***", "https://bücher.test/ho", "http://bücher.test:8080", "https://bücher.test./hook/", "bücher.test/hook",
				"https%3A%2F%2Fxn--bcher-kva.test%2Fhook", "https://***@bücher.test/", "https://bücher.test/100%",
			},
			[]string{
				"https://evil.test/?u=https://bücher.test/hook", "https://bücher.test@evil.test/", "https://bücher.test.evil.test/",
				"https://api.bücher.test/", "https://evil.test/bücher.test",
				"https%3A%2F%2Fevil.test%2F%3Fu%3Dhttps://bücher.test/", "https://bücher.te", "",
			},
		},
		{Type: None}:                {[]string{"", "None"}, nil},
		{Type: "Pager", Value: "1"}: {nil, []string{"1"}},
	} {
		for _, shown := range test.spellings {
			if !MaySpell(Delivery{Type: DeliveryType(strings.ToLower(string(set.Type))), Value: shown}, set) {
				t.Errorf("%q cannot be a spelling of %+v", shown, set)
			}
			if MaySpell(Delivery{Type: "Fax", Value: shown}, set) {
				t.Errorf("a fax to %q can be a spelling of %+v", shown, set)
			}
		}
		for _, shown := range test.strangers {
			if MaySpell(Delivery{Type: set.Type, Value: shown}, set) {
				t.Errorf("%q can be a spelling of %+v", shown, set)
			}
		}
	}
}
