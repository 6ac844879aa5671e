package fonestorm

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// SameDestination reports whether two deliveries mean the same destination. E-mail addresses are compared without case,
// telephone numbers by their ten digits, and device IDs without blanks. Of a URL, only the scheme, the host, the default port,
// and an empty path can be spelled in several ways. URL methods and credentials are not compared.
func SameDestination(a, b Delivery) bool { return a.canonical() == b.canonical() }

// Normalized returns the delivery with its destination spelled as in a configuration: a telephone number as ten digits, and
// tokens in a URL in braces, which FoneStorm may show percent-encoded.
func (d Delivery) Normalized() Delivery {
	d.Value = strings.TrimSpace(d.Value)
	switch d.Type {
	case Device:
		d.Value = strings.Join(strings.Fields(d.Value), "")
	case Forward:
		d.Value = canonicalNumber(d.Value)
	case URL, Callback:
		d.Value = braces.Replace(d.Value)
	case None:
		d.Value = ""
	case Email:
	}
	return d
}

var braces = strings.NewReplacer("%7B", "{", "%7b", "{", "%7D", "}", "%7d", "}")

// canonical returns the same delivery for all spellings of a destination, and different ones for different destinations.
func (d Delivery) canonical() Delivery {
	text := strings.TrimSpace(d.Value)
	d = d.Normalized()
	d.URLMethod = ""
	if d.Type == Email {
		local, host, _ := strings.Cut(text, "@")
		d.Value = strings.ToLower(local) + "@" + canonicalHost(host)
	}
	if d.Type.IsCallback() {
		d.Value = canonicalURL(text) // With encoded tokens, which may not be replaced.
	}
	return d
}

// canonicalHost returns a host in lower case and, if it is international, in ASCII (IDNA).
func canonicalHost(host string) string {
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return ascii
	}
	return strings.ToLower(host)
}

// canonicalURL returns a URL with its scheme and host in lower case, without a default port, and with a path.
func canonicalURL(text string) string {
	u := splitURL(text)
	if u.scheme == "" {
		return text
	}
	u.scheme, u.host = strings.ToLower(u.scheme), canonicalHost(u.host)
	if u.scheme == "https://" && u.port == ":443" || u.scheme == "http://" && u.port == ":80" {
		u.port = ""
	}
	if !strings.HasPrefix(u.path, "/") {
		u.path = "/" + u.path
	}
	return u.String()
}

// urlParts are the parts of a URL, which together are its text. The scheme ends with "://" and the user with "@", the port begins
// with ":", and the path contains the query. All can be empty.
type urlParts struct{ scheme, user, host, port, path string }

func (u urlParts) String() string { return u.scheme + u.user + u.host + u.port + u.path }

// urlPattern matches any text, unlike url.Parse. An IPv6 address contains colons, but its port follows the bracket.
var urlPattern = regexp.MustCompile(`(?s)^([^/?#]*?://)?([^/?#]*@)?([^/?#]*?)(:[^/?#:\]]*)?([/?#].*)?$`)

func splitURL(text string) urlParts {
	parts := urlPattern.FindStringSubmatch(text)
	return urlParts{parts[1], parts[2], parts[3], parts[4], parts[5]}
}

// canonicalNumber removes the country code and punctuation from a North American telephone number. Of anything else, it removes only
// outer white space.
func canonicalNumber(text string) string {
	text = strings.TrimSpace(text)
	if found := northAmerican.FindStringSubmatch(punctuation.ReplaceAllString(text, "")); found != nil {
		return found[1]
	}
	return text
}

var (
	punctuation   = regexp.MustCompile(`^(?i:tel:)|[-.() \x{a0}]`)
	northAmerican = regexp.MustCompile(`^(?:\+?1)?([0-9]{10})$`) // Not +32 and eight digits, which is Belgian.
)

// MaySpell reports whether a shown destination can be FoneStorm's spelling of the one that was set: it is of the same type and
// still contains the e-mail address, the digits of the number or device, or the host of the URL and the beginning of what follows
// it. FracTEL does not document how values are shown, so they may be encoded, masked, or cut off. A destination without this core
// was set by something else.
func MaySpell(shown, set Delivery) bool {
	if shown.Type != set.Type {
		return false
	}
	text := decoded(shown.Value)
	var parts []string
	switch set.Type {
	case Email:
		parts = emailParts.FindAllString(text, -1)
	case Device, Forward:
		groups := digitGroups.FindAllString(text, -1)
		parts = append(groups, strings.Join(groups, ""))
	case URL, Callback:
		host, path := urlCore(shown.Value)
		ours, all := urlCore(set.Value)
		return host == ours && strings.HasPrefix(all, path)
	case None:
		return true
	}
	return slices.ContainsFunc(parts, func(part string) bool { return SameDestination(Delivery{Type: set.Type, Value: part}, set) })
}

// decoded returns a text without the escapes of URLs and HTML. It can be encoded twice, such as a token that was encoded by hand.
func decoded(text string) string {
	for range 2 {
		text = html.UnescapeString(percentEscapes.ReplaceAllStringFunc(text, func(escapes string) string {
			escapes, _ = url.PathUnescape(escapes) // Cannot fail for what the pattern matches.
			return escapes
		}))
	}
	return text
}

var (
	percentEscapes = regexp.MustCompile(`(?:%[0-9A-Fa-f]{2})+`)
	emailParts     = regexp.MustCompile(`[^\s<>()\[\],;:?"]+`)
	digitGroups    = regexp.MustCompile(`[0-9]+`)
	maskOrFragment = regexp.MustCompile(`(?s)(\.\.\.|[*#…]).*`)
)

// urlCore returns the canonical host of a URL, with or without a scheme, and what follows it: decoded and in lower case, without a
// slash at its end, up to a mask or a fragment.
func urlCore(text string) (host, path string) {
	u := splitURL(strings.TrimSpace(decoded(text)))
	path = maskOrFragment.ReplaceAllString(u.path, "")
	path = strings.TrimRight(strings.ToLower(strings.ReplaceAll(path, "+", " ")), "/?")
	return canonicalHost(strings.TrimSuffix(u.host, ".")), path
}
