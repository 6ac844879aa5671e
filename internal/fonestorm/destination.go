package fonestorm

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// parseType returns the documented spelling of a type, which responses also show in lower case. An empty type means that no
// delivery was ever set, which is the same as None. Undocumented types are returned unchanged.
func parseType(text string) DeliveryType {
	text = strings.TrimSpace(text)
	for _, known := range knownTypes {
		if strings.EqualFold(text, string(known)) {
			return known
		}
	}
	if text == "" {
		return None
	}
	return DeliveryType(text)
}

// SameDestination reports whether two deliveries mean the same destination. E-mail addresses are compared without case,
// telephone numbers by their ten digits, and device IDs without blanks. Of a URL, only the scheme, the host, the default port,
// and an empty path can be spelled in several ways. URL methods and credentials are not compared.
func SameDestination(a, b Delivery) bool {
	kind := parseType(string(a.Type))
	return kind == parseType(string(b.Type)) && canonicalValue(kind, a.Value) == canonicalValue(kind, b.Value)
}

// Normalized returns the delivery with its destination spelled as in a configuration: a telephone number as ten digits, and
// tokens in a URL in braces, which FoneStorm may show percent-encoded.
func (d Delivery) Normalized() Delivery {
	d.Type = parseType(string(d.Type))
	d.Value = strings.TrimSpace(d.Value)
	switch d.Type {
	case Device:
		d.Value = withoutBlanks(d.Value)
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

// canonicalValue returns the same text for all spellings of a destination, and different texts for different destinations.
func canonicalValue(kind DeliveryType, value string) string {
	value = strings.TrimSpace(value)
	switch kind {
	case Email:
		local, host, _ := strings.Cut(value, "@")
		return strings.ToLower(local) + "@" + canonicalHost(host)
	case URL, Callback:
		return canonicalURL(value)
	case Device, Forward, None:
	}
	return Delivery{Type: kind, Value: value}.Normalized().Value
}

func withoutBlanks(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return -1
		}
		return c
	}, text)
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
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return text
	}
	scheme = strings.ToLower(scheme)
	user, host, port, path := splitURL(rest)
	if scheme == "https" && port == ":443" || scheme == "http" && port == ":80" {
		port = ""
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return scheme + "://" + user + canonicalHost(host) + port + path
}

// splitURL splits a URL without its scheme. The user ends with "@", the port begins with ":", and the path contains the query.
func splitURL(rest string) (user, host, port, path string) {
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, path = rest[:end], rest[end:]
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		user, host = host[:at+1], host[at+1:]
	}
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') { // An IPv6 address contains colons.
		host, port = host[:colon], host[colon:]
	}
	return user, host, port, path
}

// canonicalNumber removes the country code and punctuation from a North American telephone number. Anything else is returned
// unchanged.
func canonicalNumber(text string) string {
	text = strings.TrimSpace(text)
	digits, international := strings.CutPrefix(strings.TrimPrefix(strings.ToLower(text), "tel:"), "+")
	digits = punctuation.Replace(digits)
	if len(digits) == 11 && digits[0] == '1' {
		digits = digits[1:]
	} else if international {
		return text // A number of another country.
	}
	if !isTenDigits(digits) {
		return text
	}
	return digits
}

func isTenDigits(text string) bool { return len(text) == 10 && strings.Trim(text, "0123456789") == "" }

var punctuation = strings.NewReplacer("-", "", ".", "", "(", "", ")", "", " ", "", "\u00a0", "")

// maySpell reports whether a shown destination can be FoneStorm's spelling of the one that was set: it is of the same type and
// still contains the e-mail address, the digits of the number or device, or the host of the URL and the beginning of what follows
// it. FracTEL does not document how values are shown, so they may be encoded, masked, or cut off. A destination without this core
// was set by something else.
func maySpell(shown, set Delivery) bool {
	kind := parseType(string(set.Type))
	if parseType(string(shown.Type)) != kind {
		return false
	}
	text := shown.Value
	if decoded, err := url.PathUnescape(text); err == nil {
		text = decoded
	}
	var parts []string
	switch kind {
	case Email:
		parts = strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune(`<>()[],;:?"`, c) })
	case Device, Forward:
		groups := digitGroups.FindAllString(text, -1)
		parts = append(groups, strings.Join(groups, ""))
	case URL, Callback:
		return hostOf(text) == hostOf(set.Value) && strings.HasPrefix(pathOf(set.Value), pathOf(shown.Value))
	case None:
		return true
	}
	return slices.ContainsFunc(parts, func(part string) bool { return canonicalValue(kind, part) == canonicalValue(kind, set.Value) })
}

var digitGroups = regexp.MustCompile(`[0-9]+`)

func withoutScheme(text string) string {
	if _, rest, found := strings.Cut(text, "://"); found {
		return rest
	}
	return text
}

// hostOf returns the canonical host of a URL, with or without a scheme.
func hostOf(text string) string {
	_, host, _, _ := splitURL(strings.TrimSpace(withoutScheme(text)))
	return canonicalHost(strings.TrimSuffix(host, "."))
}

// pathOf returns what follows the host of a URL, decoded and in lower case, without a slash at its end, up to a mask or a fragment.
func pathOf(text string) string {
	text = html.UnescapeString(text)
	for range 2 { // A token that was encoded by hand may be encoded again.
		if decoded, err := url.PathUnescape(text); err == nil {
			text = decoded
		}
	}
	_, _, _, path := splitURL(strings.TrimSpace(withoutScheme(text)))
	if end := strings.IndexAny(path, "*#…"); end >= 0 {
		path = path[:end]
	}
	return strings.TrimRight(strings.ToLower(strings.ReplaceAll(path, "+", " ")), "/?")
}
