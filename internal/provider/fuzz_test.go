package provider

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
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

// acceptable contains the destinations of each type, as an independent check of the provider's code. A URL's host is a group.
var acceptable = map[string]*regexp.Regexp{
	"Device":  regexp.MustCompile(`^[0-9]+$`),
	"Email":   regexp.MustCompile(`^[^@,;:<>()\[\]"\\]+@[^@,;<>()"\\]+$`),
	"URL":     regexp.MustCompile(`^(?i)https?://(\[[0-9a-f:.]+\]|[^][/?#@:\\<>"'{}()|^*!$&+,;=~\x60]+)(:[0-9]+)?([/?#][^\\]*)?$`),
	"Forward": regexp.MustCompile(`^[0-9]{10}$`),
	"None":    regexp.MustCompile(`^None$`),
}

// isAcceptable reports whether a text can be the destination of this type for this FoneNumber.
func isAcceptable(kind, value, number string) bool {
	parts := acceptable[kind].FindStringSubmatch(value)
	if parts == nil || !seen(value, "") || kind == "Email" && len(value) > 254 || kind == "Forward" && value == number {
		return false
	}
	if kind != "URL" {
		return true
	}
	host, err := url.PathUnescape(parts[1])
	return err == nil && utf8.ValidString(host) && seen(host, "") && !strings.ContainsAny(host, "/?#@")
}

// A resource that passes validation is valid in every attribute, in any combination. Diagnostics can be displayed, whatever the
// configuration contains. They contain line breaks only between sentences: values are quoted.
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
		config := attributes{
			"fonenumber": number, "type": kind, "value": value, "url_method": method,
			"url_username": username, "url_password": password, "on_destroy": onDestroy,
		}
		for name := range config {
			if config[name] == "" {
				delete(config, name)
			} else if !utf8.ValidString(config.text(name)) { // All strings of Terraform are.
				return
			}
		}
		diags := (&run{t: t, ctx: t.Context(), server: server}).validate(config)
		for _, d := range diags {
			if d.Summary == "" || !seen(d.Summary, " ") || !seen(d.Detail, " \n") {
				t.Fatalf("the diagnostic contains invisible characters: %q: %q", d.Summary, d.Detail)
			}
		}
		if failure(diags) != nil {
			return
		}
		if number != "" && !acceptable["Forward"].MatchString(number) { // Terraform checks that it is set.
			t.Fatalf("the FoneNumber %q was accepted", number)
		}
		if kind != "" && (acceptable[kind] == nil || !isAcceptable(kind, cmp.Or(value, map[string]string{"None": "None"}[kind]), number)) {
			t.Fatalf("%s %q was accepted", kind, value)
		}
		if method != "" && method != "POST" || !slices.Contains([]string{"", "disable", "keep"}, onDestroy) {
			t.Fatalf("method %q and on_destroy %q were accepted", method, onDestroy)
		}
		if kind != "" && kind != "URL" && username+password != "" || !seen(username, " ") || strings.Contains(username, ":") || !seen(password, " ") {
			t.Fatalf("the credentials %q and %q were accepted with type %q", username, password, kind)
		}
	})
}
