package fonestorm

import (
	"strings"
	"testing"
)

// spellings contains destinations of each type, and each destination in all of its spellings.
var spellings = map[DeliveryType][][]string{
	Device: {
		{"98712354", " 9871 2354\n"},
		{"098712354"},
	},
	Email: {
		{"ops+sms@bücher.test", "OPS+sms@BÜCHER.test", " ops+SMS@xn--bcher-kva.test", "ops+sms@XN--bcher-KVA.test\t"},
		{"\u212aarl@x.test", "karl@x.test"}, // The Kelvin sign in lower case.
		{"ops@x.test"},
		{"ops@faß.test"},
		{"ops@fass.test"},
	},
	URL: {
		{"https://x.test", "https://x.test/", "HTTPS://X.test:443", " https://x.TEST:443/\n"},
		{"http://x.test", "http://x.test/", "http://x.test:80"},
		{"https://x.test:80"},
		{"http://x.test:443"},
		{"https://x.test:8443/", "https://X.test:8443"},
		{"https://x.test./"},
		{"https://bücher.test/é", "https://BÜCHER.test/é", "https://xn--bcher-kva.test/é"},
		{"https://bücher.test/%C3%A9"},
		{"https://under_score.test/", "https://UNDER_score.test"},
		{"https://{{to}}.test/", "https://{{to}}.TEST"},
		{"https://[::1]", "https://[::1]:443/"},
		{"https://[:"},
		{"https://user@x.test/", "https://user@X.test:443"},
		{"https://USER@x.test/"},
		{"https://x.test?", "https://x.test/?"},
		{"https://x.test#", "https://x.test/#"},
		{"https://x.test/a"},
		{"https://x.test/A"},
		{"https://x.test/a/"},
		{"https://x.test/a/b"},
		{"https://x.test/a%2Fb"},
		{"https://x.test/?a=1&b=2"},
		{"https://x.test/?a=1&amp;b=2"},
		{"https://x.test/{{msg}}"},
		{"https://x.test/{{MSG}}"},
		{"https://x.test/%7b%7Bmsg%7d%7D"}, // An encoded token is not replaced.
		{"x.test/a"},
	},
	Forward: {
		{"3215551111", "13215551111", "+13215551111", "TEL:+1 (321) 555-1111", "321.555.1111", " 321\u00a0555-1111 "},
		{"+3215551111"}, // Belgium.
		{"23215551111"},
		{"3215551111x5"},
	},
	None:    {{"", "None", "x"}},
	"PAGER": {{"1", " 1"}, {"2"}},
}

// Two texts mean the same destination exactly if they are spellings of the same one. So does the normalized text, which is the first
// spelling, or that of an e-mail address or URL itself, unless it is that of a URL with an encoded token.
func TestSameDestination(t *testing.T) {
	t.Parallel()
	destinations := map[Delivery]Delivery{} // The first spelling of each.
	for kind, lists := range spellings {
		for _, texts := range lists {
			for _, text := range texts {
				destinations[Delivery{Type: kind, Value: text}] = Delivery{Type: kind, Value: texts[0]}
			}
		}
	}
	for a, x := range destinations {
		for b, y := range destinations {
			if same := x == y; SameDestination(a, b) != same {
				t.Errorf("%+v and %+v are the same: %t", a, b, !same)
			}
		}
		hasEncodedToken, once := strings.Contains(a.Value, "%7"), a.Normalized()
		if hasEncodedToken {
			x.Value = "https://x.test/{{msg}}"
		} else if a.Type == Email || a.Type == URL {
			x.Value = strings.TrimSpace(a.Value)
		}
		if once != x || once.Normalized() != once || SameDestination(once, a) == hasEncodedToken {
			t.Errorf("%+v is normalized to %+v, and that to %+v", a, once, once.Normalized())
		}
	}
}

// FoneStorm may show a destination in another spelling that keeps its core, but another destination is never taken for it.
func TestMaySpell(t *testing.T) {
	t.Parallel()
	if MaySpell(Delivery{Type: Device, Value: "3215551111"}, forward) {
		t.Error("the types are not compared")
	}
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
				"https%3A%2F%2Fxn--bcher-kva.test%2Fhook", "https://***@bücher.test/",
				"https://bücher.test/HOOK?key=s3cret&amp;m=%7B%7Bmsg%7D%7D", "https://bücher.test/hook?key=…",
				"https%253A%252F%252Fbücher.test%252Fhook",
			},
			[]string{
				"https://evil.test/?u=https://bücher.test/hook", "https://bücher.test@evil.test/", "https://bücher.test.evil.test/",
				"https://api.bücher.test/", "https://evil.test/bücher.test", "https://bücher.test/other", "https://bücher.test/hook/2", "https://bücher.test/100%",
				"https%3A%2F%2Fevil.test%2F%3Fu%3Dhttps://bücher.test/", "https://bücher.te", "",
			},
		},
		{Type: URL, Value: "https://[::1]/"}: {[]string{"http://[::1]:8080/"}, []string{"https://[::2]/"}},
		{Type: None}:                         {[]string{"", "None"}, nil},
		{Type: "Pager", Value: "1"}:          {nil, []string{"1"}},
	} {
		for _, shown := range test.spellings {
			if !MaySpell(Delivery{Type: set.Type, Value: shown}, set) {
				t.Errorf("%q cannot be a spelling of %+v", shown, set)
			}
		}
		for _, shown := range test.strangers {
			if MaySpell(Delivery{Type: set.Type, Value: shown}, set) {
				t.Errorf("%q can be a spelling of %+v", shown, set)
			}
		}
	}
}
