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

// secrets masks what must not be shown: the password, every token, and the callback credentials that were set. All text
// that comes from outside, errors of net/http included, passes clean before it is shown or logged.
type secrets struct {
	mu    sync.Mutex
	known map[string]bool
	forms []string // The forms in which the known ones can appear, longest first.
}

// add makes further texts secret. Empty ones are ignored.
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
	// A short secret can be part of a longer one, whose rest would stay readable.
	slices.SortFunc(s.forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	s.forms = slices.Compact(s.forms)
}

// jsonWebToken is the form of FoneStorm's tokens. One that nobody has told the client of is a secret, too.
var jsonWebToken = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]*`)

// mask puts asterisks in place of secrets.
func (s *secrets) mask(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, form := range s.forms {
		text = strings.ReplaceAll(text, form, "***")
	}
	return s.maskEnd(jsonWebToken.ReplaceAllString(text, "***"))
}

// minPart is how much of a secret is recognized at the end of a text. Less can be there by chance and says little.
const minPart = 5

// maskEnd masks a secret that was cut off with the text. The caller has locked s.
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

// maxShown is how many characters of a foreign text are shown.
const maxShown = 300

// clean makes foreign text fit to be shown: no secrets, nothing that ends a line or reverses the direction of writing, and
// not more than a few lines.
func (s *secrets) clean(text string) string {
	text = strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return c
	}, s.mask(text))
	text = s.mask(text) // A secret that contains a space may only now be recognizable.
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown]) + "…"
	}
	return text
}

// formsOf returns the forms in which a secret can be echoed: as it is, and as URLs, forms, HTML, JSON, Go's quotation,
// hexadecimal digits and base64 write it.
func formsOf(secret string) []string {
	inJSON, _ := json.Marshal(secret) // A string can always be encoded.
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

// percentEncoded encodes everything that is not unreserved (RFC 3986).
func percentEncoded(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// lowerPercent writes percent-encoded bytes with lower-case digits.
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

// minBase64 is the shortest secret that is looked for within longer base64 texts: the letters of a shorter one are too few
// to mean anything.
const minBase64 = 6

// inBase64 returns the secret's base64 forms: alone, and the characters that it alone decides when other text, such as a
// user name and a colon, comes before it.
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
