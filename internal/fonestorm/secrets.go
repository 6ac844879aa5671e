package fonestorm

import (
	"cmp"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// secrets masks the password, every token, and the callback credentials and URLs that were set. FoneStorm's own messages pass through clean
// before they are shown or logged; nothing else of a response is ever shown.
type secrets struct {
	mu    sync.Mutex
	forms []string // The encodings in which known secrets can appear.
}

// add adds secrets. Empty texts are ignored.
func (s *secrets) add(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		if text == "" {
			continue
		}
		inJSON, _ := json.Marshal(text) // Encoding a string cannot fail.
		quoted := string(inJSON[1 : len(inJSON)-1])
		asPHP := strings.ReplaceAll(quoted, "/", `\/`)
		s.forms = append(s.forms, text, url.QueryEscape(text), url.PathEscape(text), html.EscapeString(text), quoted, asPHP)
	}
}

// jsonWebToken matches FoneStorm's tokens, because a token that the client does not know is a secret too.
var jsonWebToken = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]*`)

// maxShown is the maximum number of characters shown of a text from outside.
const maxShown = 300

// clean makes text from outside safe to show: it masks secrets, replaces line breaks and characters that change the writing
// direction, and truncates the text.
func (s *secrets) clean(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A shorter secret can be part of a longer one, the rest of which would remain readable.
	slices.SortFunc(s.forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	s.forms = slices.Compact(s.forms)
	for range 2 { // A secret that contains a space may be recognizable only after the first time.
		for _, form := range s.forms {
			text = strings.ReplaceAll(text, form, "***")
		}
		text = strings.Map(func(c rune) rune {
			if unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
				return ' '
			}
			return c
		}, jsonWebToken.ReplaceAllString(text, "***"))
	}
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown]) + "…"
	}
	return text
}
