package provider

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// hostile are texts that have broken programs before.
var hostile = []string{
	"", " ", "\x00", "\r\n", "\u0085", "\u00a0", "\u00ad", "\u200b", "\u2028", "\u202e", "\ufeff", "\U000e0041", "３２１５５５１２１２",
	"3215551212", "3215551212\n", "13215551212", "+1 (321) 555-1212", "tel:+1-321-555-1212;ext=5", "1-800-FLOWERS", "0000000000", "2000000000",
	"ops@example.com", "Ops <ops@example.com>", "a@b,c@d", "\"a b\"@example.com", "\"\r\nBcc: x\"@example.com", "a@[127.0.0.1]",
	"a@[x@y]", "=?utf-8?q?a=0d=0a?= <a@b>", "(c)a@b", "a@b(c)", "ü@ü", strings.Repeat("a", 250) + "@b.c",
	"https://hooks.example.com/sms?msg={{msg}}", "HTTP://h", "http:h", "//h", "https://u:p@h/", "https://h\\@x/", "https://h:99999/", "https://h:/",
	"https://[::1]:80/", "https://[::1%25\u202e]/", "https://%E2%80%A8/", "https://h/%0d%0a", "https://h#@x/", "https://<h>/", "https://{{to}}/",
	"{{msg}", "{msg}}", "{{{msg}}}", "{{}}", "{{msg}}{{from}}{{MSG}}", "None", "none", "ho:ok",
}

// seen reports whether a text contains no invisible characters other than these.
func seen(text, except string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool {
		return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Zs) && !strings.ContainsRune(except, c)
	})
}

// wantReason checks that the reason of a rejection can be displayed, whatever was rejected.
func wantReason(t *testing.T, err error) {
	t.Helper()
	if !seen(err.Error(), " ") || err.Error() == "" {
		t.Fatalf("the reason contains invisible characters: %q", err)
	}
}

func onlyHasDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// destinationFlaw returns what is wrong with a destination, checked independently of the provider's code.
func destinationFlaw(kind fonestorm.DeliveryType, value, number string) string {
	if !seen(value, "") || value == "" {
		return "it cannot be seen"
	}
	switch kind {
	case fonestorm.Device:
		if !onlyHasDigits(value) {
			return "it is no ID"
		}
	case fonestorm.Email:
		local, domain, _ := strings.Cut(value, "@")
		if local == "" || domain == "" || strings.ContainsAny(local, `@,;:<>()[]"\`) || strings.ContainsAny(domain, `@,;<>()"\`) || len(value) > 254 {
			return "it is not one address"
		}
	case fonestorm.URL, fonestorm.Callback:
		return urlFlaw(value)
	case fonestorm.Forward:
		if !onlyHasDigits(value) || len(value) != 10 || value == number {
			return "it is no other telephone number"
		}
	case fonestorm.None:
		if value != "None" {
			return "it is not None"
		}
	}
	return ""
}

// urlFlaw parses a URL as defined in RFC 3986, without package url.
func urlFlaw(value string) string {
	scheme, rest, _ := strings.Cut(value, "://")
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	host, port := authority, "443"
	if colon := strings.LastIndex(authority, ":"); colon > strings.LastIndex(authority, "]") {
		host, port = authority[:colon], authority[colon+1:]
	}
	n, badPort := strconv.ParseUint(port, 10, 16)
	decoded, badHost := url.PathUnescape(host)
	address, isAddress := netip.ParseAddr(strings.Trim(host, "[]"))
	switch {
	case !slices.Contains([]string{"http", "https"}, strings.ToLower(scheme)):
		return "its scheme is another"
	case strings.ContainsAny(value, "\\"):
		return "it has a backslash, which some take for a slash"
	case badPort != nil || n == 0:
		return "its port is none"
	case host == "" || strings.ContainsAny(host, `@<>"'{}()|^*!$&+,;=~`+"`"):
		return "its host is none"
	case badHost != nil || !utf8.ValidString(decoded) || !seen(decoded, "") || strings.ContainsAny(decoded, "/?#@"):
		return "its host is another when it is decoded"
	case strings.HasPrefix(host, "[") && (isAddress != nil || !address.Is6() || address.Zone() != ""):
		return "its address is none"
	default:
		return ""
	}
}

// Any accepted telephone number becomes ten digits, which do not change if they are normalized again.
func FuzzFoneNumber(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		err := checkTenDigits("A FoneNumber", text)
		if exact := onlyHasDigits(text) && len(text) == 10; exact != (err == nil) {
			t.Fatalf("%q is ten digits: %t, but %v", text, exact, err)
		}
		if err != nil {
			wantReason(t, err)
		}
		digits, flaw := normalizeFoneNumber(text)
		if flaw != nil {
			wantReason(t, flaw)
			if err == nil && text[0] >= '2' {
				t.Fatalf("%q is a FoneNumber and cannot be normalized: %s", text, flaw)
			}
			return
		}
		if !onlyHasDigits(digits) || len(digits) != 10 || err == nil && digits != text {
			t.Fatalf("%q becomes %q", text, digits)
		}
		if again, err := normalizeFoneNumber(digits); again != digits || err != nil {
			t.Fatalf("%q becomes %q, which becomes %q, %v", text, digits, again, err)
		}
	})
}

// wantShown checks that diagnostics about a configuration can be displayed, whatever it contains. They contain line breaks
// only between sentences: values are quoted.
func wantShown(t *testing.T, diags []*tfprotov6.Diagnostic) {
	t.Helper()
	for _, d := range diags {
		if !seen(d.Summary+d.Detail, " \n") || d.Summary == "" || strings.ContainsAny(d.Summary, "\n") {
			t.Fatalf("the diagnostic contains invisible characters: %q: %q", d.Summary, d.Detail)
		}
	}
}

// given returns the attributes that are not empty; nil if one is not UTF-8, as all strings of Terraform are.
func given(all map[string]string) attributes {
	config := attributes{}
	for name, text := range all {
		if !utf8.ValidString(text) {
			return nil
		}
		if text != "" {
			config[name] = text
		}
	}
	return config
}

// A resource that passes validation is valid in every attribute, in any combination.
func FuzzResource(f *testing.F) {
	for i, text := range hostile {
		d := destinations[i%len(destinations)]
		f.Add(testNumber, d.kind, text, "", "", "", "")
		f.Add(testNumber, "URL", "https://hooks.example.com/", "POST", text, "horse", "keep")
		f.Add(testNumber, "URL", "https://hooks.example.com/", text, "hook", text, text)
		f.Add(text, text, "", "", "", "", "None")
	}
	f.Add(testNumber, "None", "None", "POST", "", "", "keep")
	server := newServer(New("test")())
	f.Fuzz(func(t *testing.T, number, kind, value, method, username, password, onDestroy string) {
		config := given(map[string]string{
			"fonenumber": number, "type": kind, "value": value, "url_method": method,
			"url_username": username, "url_password": password, "on_destroy": onDestroy,
		})
		if config == nil {
			return
		}
		r := &run{t: t, ctx: t.Context(), server: server}
		diags := r.validate(config)
		wantShown(t, diags)
		if failure(diags) != nil {
			return
		}
		if number != "" && (!onlyHasDigits(number) || len(number) != 10) { // Terraform checks that it is set.
			t.Fatalf("the FoneNumber %q was accepted", number)
		}
		if flaw := destinationFlaw(fonestorm.DeliveryType(kind), value, number); flaw != "" && kind != "" && (kind != "None" || value != "") {
			t.Fatalf("%s %q was accepted: %s", kind, value, flaw)
		}
		if kind != "" && !slices.Contains(fonestorm.DeliveryTypes(), fonestorm.DeliveryType(kind)) || method != "" && method != "POST" ||
			!slices.Contains([]string{"", "disable", "keep"}, onDestroy) {
			t.Fatalf("type %q, method %q, on_destroy %q were accepted", kind, method, onDestroy)
		}
		if kind != "" && kind != "URL" && username+password != "" || !seen(username, " ") || strings.Contains(username, ":") || !seen(password, " ") {
			t.Fatalf("the credentials %q and %q were accepted with type %q", username, password, kind)
		}
	})
}

// A long value must not keep the provider busy. Work that grows with the square of the length would take seconds for each of
// these values, and an hour for all.
func TestLongValues(t *testing.T) {
	t.Parallel()
	length := size(16<<10, 16<<10, 4<<10)
	for _, piece := range append(hostile[1:], "a", "1", "@", "a@", "a.", "(", "\"", "[", "%", "{", "}", "{{a}}", "=?u?q?a?= ", "ext 1 ", "+1 ", "<", ", ") {
		for _, start := range []string{"", "https://h/?", "https://", "a@", "\"", "(", "+1 321 555 1212 "} {
			value := start + strings.Repeat(piece, length/len(piece))
			for _, kind := range fonestorm.DeliveryTypes() {
				err := checkDestination(kind, value, testNumber)
				if isShort := kind == fonestorm.Email || kind == fonestorm.Forward; isShort && err == nil {
					t.Errorf("%d bytes were accepted as %s: %.40q", len(value), kind, value)
				}
			}
			if _, err := normalizeFoneNumber(value); err == nil {
				t.Errorf("%d bytes were normalized: %.40q", len(value), value)
			}
			_, _ = unknownTokens(value), balancedBraces(value)
		}
	}
}
