package fonestorm

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// secrets contains the words of the password, of every token, and of the callback credentials and URLs that were set. FoneStorm's own
// messages pass through clean before they are shown or logged; nothing else of a failed response is ever shown.
type secrets struct{ known sync.Map }

// add adds the words of secrets, which can be encoded as in a query.
func (s *secrets) add(texts ...string) {
	for _, text := range texts {
		decoded, _ := url.QueryUnescape(text) // Empty if it is not encoded.
		for word := range strings.FieldsSeq(visible(text + " " + decoded)) {
			s.known.Store(word, nil)
		}
	}
}

const maxShown = 300 // Maximum number of characters shown of a text from outside.

var (
	words = regexp.MustCompile(`\S+`)
	// unreadable matches an escape of a URL, JSON, or HTML, which can spell a secret in another way, and any token of FoneStorm's.
	unreadable = regexp.MustCompile(`%[0-9A-Fa-f]{2}|\\|&#?\w+;|eyJ[\w-]+\.[\w-]+\.`)
	aroundHost = regexp.MustCompile(`://(?:[^\s/?#"'<>]*@)?([^\s/?#"'<>]+)[/?#]?[^\s"'<>]*`)
)

// clean makes text from outside safe to show: without words that contain a secret or an escape, the rest of URLs, line breaks, and
// characters that change the writing direction, and not too long.
func (s *secrets) clean(text string) string {
	text = words.ReplaceAllStringFunc(visible(text), func(word string) string {
		isSecret := unreadable.MatchString(word)
		for secret := range s.known.Range {
			isSecret = isSecret || strings.Contains(word, fmt.Sprint(secret))
		}
		if isSecret {
			return "***"
		}
		return onlyHost(word)
	})
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown]) + "…"
	}
	return text
}

// onlyHost hides what a URL has before and after its host, which can contain a secret.
func onlyHost(text string) string { return aroundHost.ReplaceAllString(text, "://$1/…") }

// visible replaces line breaks and other characters that cannot be seen.
func visible(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return c
	}, text)
}
