package fonestorm

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// secrets masks the password, every token, and the callback credentials that were set. All text from outside, including errors
// from net/http, passes through clean before it is shown or logged.
type secrets struct {
	mu    sync.Mutex
	known map[string]bool
	forms []string // The encodings in which known secrets can appear, longest first.
}

// add adds secrets. Empty texts are ignored.
func (s *secrets) add(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]bool{}
	}
	for _, text := range texts {
		if text == "" || s.known[text] {
			continue
		}
		s.known[text] = true
		s.forms = append(s.forms, formsOf(text)...)
	}
	// A shorter secret can be part of a longer one, the rest of which would remain readable.
	slices.SortFunc(s.forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	s.forms = slices.Compact(s.forms)
}

// jsonWebToken matches FoneStorm's tokens, because a token that the client does not know is a secret too.
var jsonWebToken = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]*`)

// mask replaces secrets with asterisks.
func (s *secrets) mask(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, form := range s.forms {
		text = strings.ReplaceAll(text, form, "***")
	}
	return s.maskEnd(jsonWebToken.ReplaceAllString(text, "***"))
}

// minPart is the minimum length of a partial secret that is masked at the end of a text. Shorter matches may be coincidence.
const minPart = 5

// maskEnd masks a secret that was truncated with the text. The caller must have locked s.
func (s *secrets) maskEnd(text string) string {
	longest := 0
	for _, form := range s.forms {
		for n := min(len(form)-1, len(text)); n >= minPart && n > longest; n-- {
			if strings.HasSuffix(text, form[:n]) {
				longest = n
			}
		}
	}
	if longest == 0 {
		return text
	}
	return text[:len(text)-longest] + "***"
}

// maxShown is the maximum number of characters shown of a text from outside.
const maxShown = 300

// clean makes text from outside safe to show: it masks secrets, replaces line breaks and characters that change the writing
// direction, and truncates the text.
func (s *secrets) clean(text string) string {
	text = strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return c
	}, s.mask(text))
	text = s.mask(text) // A secret that contains a space may be recognizable only now.
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown]) + "…"
	}
	return text
}

// formsOf returns the encodings in which a secret can be echoed: plain, as in URLs, forms, HTML, JSON, and Go strings, in
// hexadecimal, and in base64.
func formsOf(secret string) []string {
	inJSON, _ := json.Marshal(secret) // Encoding a string cannot fail.
	forms := []string{secret}
	for _, escaped := range []string{url.QueryEscape(secret), url.PathEscape(secret), percentEncoded(secret)} {
		forms = append(forms, escaped, lowerPercent(escaped))
	}
	forms = append(forms, html.EscapeString(secret), htmlNames.Replace(html.EscapeString(secret)))
	for _, quoted := range []string{string(inJSON), strconv.Quote(secret), strconv.QuoteToASCII(secret)} {
		unquoted := quoted[1 : len(quoted)-1]
		forms = append(forms, unquoted, strings.ReplaceAll(unquoted, "/", `\/`))
	}
	inHex := hex.EncodeToString([]byte(secret))
	forms = append(forms, inHex, strings.ToUpper(inHex))
	return append(forms, inBase64(secret)...)
}

var htmlNames = strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;")

// percentEncoded encodes everything except unreserved characters (RFC 3986).
func percentEncoded(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// lowerPercent converts the hexadecimal digits of percent-encoded bytes to lower case.
func lowerPercent(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			b.WriteString(strings.ToLower(text[i : i+3]))
			i += 2
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// minBase64 is the minimum length of a secret that is searched for within longer base64 texts. Shorter ones would match by
// coincidence.
const minBase64 = 6

// inBase64 returns the base64 encodings of the secret: alone, and after other text such as a username and a colon, where only the
// characters that do not depend on that text count.
func inBase64(secret string) []string {
	forms := []string{base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret))}
	if len(secret) < minBase64 {
		return forms
	}
	for before := range 3 {
		text := append(make([]byte, before), secret...)
		first, end := (before*8+5)/6, len(text)*8/6
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, alphabet.EncodeToString(text)[first:end])
		}
	}
	return forms
}
