package fonestorm

import (
	"cmp"
	"encoding/json"
	"html"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// secrets masks the password, every token, and the callback credentials and URLs that were set. FoneStorm's own messages pass through
// clean before they are shown or logged; nothing else of a failed response is ever shown.
type secrets struct {
	mu    sync.Mutex
	known map[string]bool // As clean finds them.
}

// add adds secrets. Empty texts are ignored.
func (s *secrets) add(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		if text = visible(unescaped(text)); text != "" {
			s.known[text], s.known[strings.ReplaceAll(text, " ", "+")] = true, true // Queries spell a blank as a plus sign.
		}
	}
}

// jsonWebToken matches FoneStorm's tokens, because a token that the client does not know is a secret too.
var jsonWebToken = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]*`)

const (
	maxShown = 300     // Maximum number of characters shown of a text from outside.
	maxRead  = 4 << 10 // Maximum number of bytes read of it.
)

// clean makes text from outside safe to show: without escapes, secrets, the rest of URLs, line breaks, and characters that change the
// writing direction, and not too long.
func (s *secrets) clean(text string) string {
	text = s.mask(text[:min(len(text), maxRead)]) // Next to other text, a secret can look encoded.
	text = s.mask(visible(unescaped(onlyHosts(text))))
	text = jsonWebToken.ReplaceAllString(onlyHosts(text), "***")
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown]) + "…"
	}
	return text
}

// mask masks the secrets in a text, the longest first: a shorter one can be part of it, the rest of which would remain readable.
func (s *secrets) mask(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range slices.SortedFunc(maps.Keys(s.known), func(a, b string) int { return cmp.Compare(len(b), len(a)) }) {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

var (
	userOfURL = regexp.MustCompile(`://[^\s/?#"'<>]*@`)
	restOfURL = regexp.MustCompile(`(://[^\s/?#"'<>]+)[/?#][^\s"'<>]*`)
)

// onlyHosts hides what a URL has before and after its host, which can contain a secret, in whatever spelling.
func onlyHosts(text string) string {
	return restOfURL.ReplaceAllString(userOfURL.ReplaceAllString(text, "://***@"), "$1/…")
}

// visible replaces line breaks and other characters that cannot be seen.
func visible(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return c
	}, text)
}

var (
	percentEscapes = regexp.MustCompile(`(?:%[0-9A-Fa-f]{2})+`)
	jsonEscapes    = regexp.MustCompile(`(?:\\u[0-9A-Fa-f]{4})+|\\["\\/bfnrt]`)
)

// unescaped returns a text without the escapes of URLs, JSON, and HTML, up to five levels, so that a secret in it looks the same in
// all encodings.
func unescaped(text string) string {
	for range 5 {
		before := text
		text = percentEscapes.ReplaceAllStringFunc(text, func(escapes string) string {
			decoded, _ := url.PathUnescape(escapes) // Cannot fail for what the pattern matches.
			return decoded
		})
		text = jsonEscapes.ReplaceAllStringFunc(text, func(escapes string) string {
			_ = json.Unmarshal([]byte(`"`+escapes+`"`), &escapes) // Cannot fail either.
			return escapes
		})
		text = html.UnescapeString(text)
		if text == before {
			break
		}
	}
	return text
}
