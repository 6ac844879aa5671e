package fonestorm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// destination is a destination in parts, from which every spelling of it can be made.
type destination struct {
	kind  DeliveryType
	parts []string // Those that make it another one when one of them is another.
}

// Parts of URLs that differ from each other in what they mean. Each path and query is a list of pieces, and two lists are
// the same text only if they are the same list.
var (
	hosts   = []string{"callback.test", "callback.test:8443", "api.callback.test", "{{to}}.callback.test", "{{TO}}.callback.test", "[::1]", "127.0.0.1"}
	pieces  = []string{"a", "A", "b", "%2F", "/", "%3F", "%26", "&", "+", "%20", "%2B", "%25", "%2525", "%23", "%3D", "=", "1", "2", "~", "-", "_", ".", "{{msg}}", "{{from}}", "{{MSG}}", "%7C", "%C3%A9"}
	schemes = []string{"https", "http"}
)

func drawDestination(t *rapid.T, label string) destination {
	kind := rapid.SampledFrom(DeliveryTypes()).Draw(t, label+" type")
	d := destination{kind: kind}
	switch kind {
	case Device:
		d.parts = []string{rapid.StringMatching(`[0-9]{1,12}`).Draw(t, label)}
	case Email:
		d.parts = []string{
			rapid.StringMatching(`[a-z0-9+_.é-]{1,8}`).Draw(t, label), rapid.StringMatching(`[a-z0-9-]{1,8}\.(test|example)`).Draw(t, label+" domain"),
		}
	case Forward:
		d.parts = []string{rapid.StringMatching(`[2-9][0-9]{9}`).Draw(t, label)}
	case URL:
		d.parts = []string{
			rapid.SampledFrom(schemes).Draw(t, label+" scheme"), rapid.SampledFrom(hosts).Draw(t, label+" host"),
			strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 5).Draw(t, label+" path"), ""),
		}
		if rapid.Bool().Draw(t, label+" has query") {
			d.parts = append(d.parts, strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 5).Draw(t, label+" query"), ""))
		}
	case None:
	}
	return d
}

// delivery returns the destination as a user may configure it.
func (d destination) delivery() Delivery {
	switch d.kind {
	case Email:
		return Delivery{Type: Email, Value: d.parts[0] + "@" + d.parts[1]}
	case URL:
		value := d.parts[0] + "://" + d.parts[1] + "/" + d.parts[2]
		if len(d.parts) > 3 {
			value += "?" + d.parts[3]
		}
		return Delivery{Type: URL, Value: value}
	case None:
		return Delivery{Type: None}
	case Device, Forward:
	}
	return Delivery{Type: d.kind, Value: d.parts[0]}
}

// respelled returns another spelling of the same destination, as FoneStorm may show it.
func respelled(t *rapid.T, d Delivery) Delivery {
	d.Type = DeliveryType(rapid.SampledFrom([]string{
		string(d.Type), strings.ToLower(string(d.Type)), strings.ToUpper(string(d.Type)), " " + string(d.Type) + "\n",
	}).Draw(t, "spelling of the type"))
	var changes []func(string) string
	switch parseType(string(d.Type)) {
	case Device:
		changes = []func(string) string{insertBlank(t)}
	case Email:
		changes = []func(string) string{strings.ToUpper, strings.ToLower}
	case Forward:
		changes = []func(string) string{
			func(n string) string { return "1" + n }, func(n string) string { return "+1" + n }, func(n string) string { return "tel:+1" + n },
			func(n string) string { return "(" + n[:3] + ") " + n[3:6] + "-" + n[6:] }, func(n string) string { return n[:3] + "." + n[3:6] + "." + n[6:] },
		}
	case URL:
		changes = []func(string) string{
			strings.NewReplacer("{", "%7B", "}", "%7D").Replace, strings.NewReplacer("{", "%7b", "}", "%7d").Replace,
			strings.NewReplacer("&", "&amp;").Replace, strings.NewReplacer("&", "&amp;amp;").Replace,
			strings.NewReplacer("~", "%7E", "%7C", "|", "%C3%A9", "é").Replace,
			lowerPercent, upperHost, addPort, dropPath,
			func(u string) string { return encodeLetters(u) },
		}
	case None:
		d.Value = rapid.SampledFrom([]string{"", "None", "none"}).Draw(t, "value of None")
		return d
	}
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		if parseType(string(d.Type)) == Forward && len(d.Value) != 10 {
			break // Only ten digits can be respelled like this.
		}
		d.Value = rapid.SampledFrom(changes).Draw(t, "change")(d.Value)
	}
	if rapid.Bool().Draw(t, "padded") {
		d.Value = " " + d.Value + "\t"
	}
	return d
}

func insertBlank(t *rapid.T) func(string) string {
	return func(text string) string {
		at := rapid.IntRange(0, len(text)).Draw(t, "blank")
		return text[:at] + " " + text[at:]
	}
}

// splitURL returns scheme with "://", host, and the rest.
func splitURL(text string) (string, string, string) {
	at := strings.Index(text, "://") + 3
	if end := strings.IndexAny(text[at:], "/?"); end >= 0 {
		return text[:at], text[at : at+end], text[at+end:]
	}
	return text[:at], text[at:], ""
}

func upperHost(text string) string {
	scheme, host, rest := splitURL(text)
	if !strings.ContainsAny(host, "{%") {
		host = strings.ToUpper(host)
	}
	return strings.ToUpper(scheme) + host + rest
}

func addPort(text string) string {
	scheme, host, rest := splitURL(text)
	if strings.Contains(strings.TrimLeft(host, "[]:1"), ":") || strings.HasSuffix(host, ":80") || strings.HasSuffix(host, ":443") {
		return text
	}
	return scheme + host + map[string]string{"https://": ":443", "http://": ":80"}[strings.ToLower(scheme)] + rest
}

func dropPath(text string) string {
	scheme, host, rest := splitURL(text)
	if rest == "/" {
		rest = ""
	}
	if strings.HasPrefix(rest, "/?") {
		rest = rest[1:]
	}
	return scheme + host + rest
}

// encodeLetters percent-encodes letters outside tokens and outside existing percent-encoding.
func encodeLetters(text string) string {
	scheme, host, rest := splitURL(text)
	if strings.ContainsAny(rest, "{%;") {
		return text
	}
	return scheme + host + strings.NewReplacer("a", "%61", "A", "%41", "1", "%31", "-", "%2d").Replace(rest)
}

// Destinations are the same in any spelling unless they differ in a part.
func TestSpellingsOfDestinations(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDestination(t, "one"), drawDestination(t, "another")
		likeness := rapid.SampledFrom([]string{"same", "similar", "any"}).Draw(t, "likeness") // Otherwise few pairs would be similar.
		if likeness != "any" {
			b = destination{a.kind, slices.Clone(a.parts)}
		}
		if likeness == "similar" && a.kind != None {
			i := rapid.IntRange(0, len(a.parts)-1).Draw(t, "part")
			switch {
			case a.kind == URL && i == 0:
				b.parts[0] = rapid.SampledFrom(schemes).Draw(t, "other")
			case a.kind == URL && i == 1:
				b.parts[1] = rapid.SampledFrom(hosts).Draw(t, "other")
			case a.kind == URL:
				b.parts[i] += rapid.SampledFrom(pieces).Draw(t, "other")
			case a.kind == Email && i == 1:
				b.parts[i] = "x" + b.parts[i]
			default:
				at := rapid.IntRange(0, len(b.parts[i])-1).Draw(t, "digit")
				b.parts[i] = b.parts[i][:at] + "7" + b.parts[i][at+1:]
			}
		}
		differs := a.kind != b.kind || !slices.Equal(a.parts, b.parts)
		x, y := respelled(t, a.delivery()), respelled(t, b.delivery())
		if SameDestination(x, y) == differs || SameDestination(y, x) == differs {
			t.Fatalf("%+v and %+v are the same: %t", x, y, differs)
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
		{URL, "https://x.test/a%2fb", "https://x.test/a%2Fb", true},
		{URL, "https://x.test/?q=a+b", "https://x.test/?q=a%20b", false},
		{URL, "https://x.test/?q=a b", "https://x.test/?q=a%20b", true},
		{URL, "https://x.test/?a=1&b=2", "https://x.test/?a=1%26b=2", false},
		{URL, "https://x.test/?a=1&amp;b=2", "https://x.test/?a=1&b=2", true},
		{URL, "https://x.test/Path", "https://x.test/path", false},
		{URL, "https://x.test/a", "https://x.test/a/", false},
		{URL, "https://X.test", "https://x.test/", true},
		{URL, "https://x.test?a", "https://x.test/?a", true},
		{URL, "https://x.test#a", "https://x.test/#a", true},
		{URL, "https://x.test:443/a", "https://x.test/a", true},
		{URL, "https://x.test:80/a", "https://x.test/a", false},
		{URL, "http://x.test:80/a", "http://x.test/a", true},
		{URL, "http://x.test/a", "https://x.test/a", false},
		{URL, "https://[::1]:443/", "https://[::1]/", true},
		{URL, "https://user:Pa@x.test/", "https://user:pa@x.test/", false},
		{URL, "https://user@x.test/", "https://x.test/", false},
		{URL, "https://x.test/{{msg}}", "https://x.test/%7b%7Bmsg%7D%7d", true},
		{URL, "https://x.test/{{msg}}", "https://x.test/{{message}}", false},
		{URL, "https://{{to}}.x.test/", "https://%7B%7Bto%7D%7D.X.test/", true},
		{URL, "https://{{to}}.x.test/", "https://{{TO}}.x.test/", false},
		{URL, "https://{{to.x.test/", "https://{{TO.x.test/", false},
		{URL, "https://x.test/%25", "https://x.test/%", false},
		{URL, "https://x.test/%2541", "https://x.test/A", false},
		{URL, "https://x.test/%4", "https://x.test/%4", true},
		{URL, "https://x.test/%zz", "https://x.test/%ZZ", false},
		{URL, "https://\u212aelvin.test/", "https://kelvin.test/", false},
		{URL, " x.test/%7Ba", "x.test/{a", true},
		{Email, "Ops@Example.com ", "ops@example.com", true},
		{Email, "ops@example.com", "0ps@example.com", false},
		{Email, "\u212aarl@example.com", "karl@example.com", false},
		{Email, "JÖRG@example.com", "jörg@example.com", true},
		{Forward, "+1 (321) 555-1111", "3215551111", true},
		{Forward, "+3215551111", "3215551111", false}, // Belgium.
		{Forward, "13215551111", "3215551111", true},
		{Forward, "3215551112", "3215551111", false},
		{Forward, "23215551111", "3215551111", false},
		{Forward, "3215551111x5", "3215551111", false},
		{Device, " 9871 2354 ", "98712354", true},
		{Device, "098712354", "98712354", false},
		{None, "None", "", true},
		{"Pager", "1 ", " 1", true},
		{"Pager", "1", "2", false},
	} {
		a, b := Delivery{Type: test.kind, Value: test.a}, Delivery{Type: test.kind, Value: test.b}
		if SameDestination(a, b) != test.want || SameDestination(b, a) != test.want {
			t.Errorf("%s %q and %q are the same: %t", test.kind, test.a, test.b, !test.want)
		}
	}
	if SameDestination(Delivery{Type: Device, Value: "3215551111"}, Delivery{Type: Forward, Value: "3215551111"}) {
		t.Error("a device is a telephone number")
	}
	if !SameDestination(Delivery{}, Delivery{Type: None}) {
		t.Error("no type is not None")
	}
}

func TestNormalized(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, want Delivery }{
		{Delivery{Type: "url", Value: " https://X.test/%7B%7Bmsg%7D%7D?a&amp;b%2F "}, Delivery{Type: URL, Value: "https://X.test/{{msg}}?a&b%2F"}},
		{Delivery{Type: "FORWARD", Value: "+1 321-555-1111"}, Delivery{Type: Forward, Value: "3215551111"}},
		{Delivery{Type: "email ", Value: " Ops@example.com"}, Delivery{Type: Email, Value: "Ops@example.com"}},
		{Delivery{Type: "device", Value: "12 34 "}, Delivery{Type: Device, Value: "1234"}},
		{Delivery{Type: "", Value: "None"}, Delivery{Type: None}},
		{Delivery{Type: "Pager", Value: " 1"}, Delivery{Type: "Pager", Value: "1"}},
	} {
		if got := test.in.Normalized(); got != test.want {
			t.Errorf("%+v is normalized to %+v, want %+v", test.in, got, test.want)
		}
	}
}

// For any texts, the relation is an equivalence, and a delivery is the same as its normalized spelling, which is not normalized
// further.
func FuzzSameDestination(f *testing.F) {
	for _, pair := range [][3]string{
		{"URL", "https://x.test/a%2Fb", "https://x.test/a/b"},
		{"url", "https://x.test?q=a+b&amp;amp;c", "HTTPS://X.TEST:443/?q=a%20b&c"},
		{"Email", "Ops@example.com", "ops@EXAMPLE.com "},
		{"Forward", "+1 (321) 555-1111", "3215551111"},
		{"Device", "1 2", "12"},
		{"None", "", "x"},
		{"Pager", " a", "a"},
		{"", "", "None"},
		{"URL", "%7bhttps://x", "{https://x"},
		{"URL", "&%61mp;", "&amp;"},
		{"URL", "://", ":///"},
		{"URL", "https://{{a}}{{B", "https://%7B{a}}{{b"},
	} {
		f.Add(pair[0], pair[1], pair[2])
	}
	f.Fuzz(func(t *testing.T, kind, value, other string) {
		a, b := Delivery{Type: DeliveryType(kind), Value: value}, Delivery{Type: DeliveryType(kind), Value: other}
		for _, d := range []Delivery{a, b} {
			normalized := d.Normalized()
			if again := normalized.Normalized(); again != normalized {
				t.Fatalf("%+v is normalized to %+v, and that to %+v", d, normalized, again)
			}
			if !SameDestination(d, normalized) || !SameDestination(normalized, d) || !SameDestination(d, d) {
				t.Fatalf("%+v is not the same as %+v", d, normalized)
			}
		}
		same := SameDestination(a, b)
		if same != SameDestination(b, a) || same != SameDestination(a.Normalized(), b.Normalized()) {
			t.Fatalf("the comparison of %+v and %+v depends on the spelling", a, b)
		}
		if same && onlyDigits(value) != onlyDigits(other) && parseType(kind) == Device {
			t.Fatalf("%+v and %+v are the same", a, b)
		}
		if longer := (Delivery{Type: a.Type, Value: value + "7"}); parseType(kind) != None && parseType(kind) != Forward && value == strings.TrimSpace(value) &&
			SameDestination(a, longer) && !strings.ContainsAny(value, ":%") {
			t.Fatalf("%+v and %+v are the same", a, longer)
		}
	})
}

func onlyDigits(text string) string {
	return strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, fmt.Sprint(text))
}
