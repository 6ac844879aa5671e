package fonestorm

import (
	"encoding/hex"
	"strings"
	"unicode"
)

// SameDestination reports whether two deliveries send messages to the same destination, even if it is spelled differently.
// FoneStorm may show an e-mail address in lower case, a telephone number with its country code, or a URL with different
// percent-encoding. URL methods and credentials are not compared.
func SameDestination(a, b Delivery) bool {
	kind := parseType(string(a.Type))
	return kind == parseType(string(b.Type)) && canonicalValue(kind, a.Value) == canonicalValue(kind, b.Value)
}

// Normalized returns the delivery with its destination spelled as in a configuration: a telephone number as ten digits, and
// tokens in a URL in braces.
func (d Delivery) Normalized() Delivery {
	d.Type = parseType(string(d.Type))
	d.Value = strings.TrimSpace(d.Value)
	switch d.Type {
	case Device:
		d.Value = withoutBlanks(d.Value)
	case Forward:
		d.Value = canonicalNumber(d.Value)
	case URL:
		d.Value = readableURL(d.Value)
	case None:
		d.Value = ""
	case Email:
	}
	return d
}

// canonicalValue returns the same text for all spellings of a destination, and different texts for different destinations.
func canonicalValue(kind DeliveryType, value string) string {
	switch kind {
	case Device:
		return withoutBlanks(value)
	case Email:
		return strings.Map(foldCase, withoutBlanks(value))
	case URL:
		return canonicalURL(value)
	case Forward:
		return canonicalNumber(value)
	case None:
		return ""
	default:
		return strings.TrimSpace(value)
	}
}

func withoutBlanks(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return -1
		}
		return c
	}, text)
}

// foldCase converts a letter to lower case, unless that would turn a non-ASCII letter into an ASCII one: the Kelvin sign is not a k.
func foldCase(c rune) rune {
	if lower := unicode.ToLower(c); (lower < unicode.MaxASCII) == (c < unicode.MaxASCII) {
		return lower
	}
	return c
}

// canonicalNumber removes the country code and punctuation from a North American telephone number. Anything else is returned
// unchanged, except for surrounding white space.
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

// The characters of RFC 3986 that mean something else when they are percent-encoded, and the percent sign itself.
const reserved = ":/?#[]@!$&'()*+,;=%"

// canonicalURL returns the spelling that all equivalent URLs share: percent-encoding only where it changes the meaning, scheme
// and host in lower case, no default port, and a path.
func canonicalURL(text string) string {
	text = readableURL(strings.TrimSpace(text))
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return text
	}
	scheme = strings.ToLower(scheme)
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	path := decodeOptional(rest[end:])
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	user, host := "", rest[:end]
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		user, host = host[:at+1], host[at+1:]
	}
	host = foldHost(host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme + "://" + user + host + path
}

// foldHost converts a host to lower case, except the tokens in it: FoneStorm replaces them, and their case can matter.
func foldHost(host string) string {
	before, rest, found := strings.Cut(host, "{{")
	if !found {
		return strings.Map(foldCase, host)
	}
	token, after, found := strings.Cut(rest, "}}")
	if !found {
		return host
	}
	return strings.Map(foldCase, before) + "{{" + token + "}}" + foldHost(after)
}

// decodeOptional decodes every percent-encoded byte that is not a reserved character. The others get upper-case digits.
func decodeOptional(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); i++ {
		c, ok := percentByte(text[i:])
		switch {
		case !ok:
			b.WriteByte(text[i])
			continue
		case strings.IndexByte(reserved, c) >= 0:
			b.WriteString(strings.ToUpper(text[i : i+3]))
		default:
			b.WriteByte(c)
		}
		i += 2
	}
	return b.String()
}

// percentByte decodes the percent-encoded byte at the beginning of a text.
func percentByte(text string) (byte, bool) {
	if len(text) < 3 || text[0] != '%' {
		return 0, false
	}
	decoded, err := hex.DecodeString(text[1:3])
	if err != nil {
		return 0, false
	}
	return decoded[0], true
}

// readableURL decodes the braces and ampersands of a URL, whichever encoding FoneStorm shows them in.
func readableURL(text string) string {
	for strings.Contains(text, "&amp;") { // It may have been escaped more than once.
		text = strings.ReplaceAll(text, "&amp;", "&")
	}
	return braces.Replace(text)
}

var braces = strings.NewReplacer("%7B", "{", "%7b", "{", "%7D", "}", "%7d", "}")
