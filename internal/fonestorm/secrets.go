package fonestorm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// secrets contains parts of the password, of every token, and of the callback passwords and URLs that were set. FoneStorm's own
// messages pass through clean before they are shown or logged; nothing else of a failed response's body is ever shown.
type secrets struct {
	parts sync.Map // By their letters and digits.
	short sync.Map // Secrets with fewer than minPart letters and digits.
}

const (
	minPart  = 4       // Minimum number of letters and digits of a part. Fewer would match most words.
	partSize = 10      // Number of letters and digits of a part, unless the whole secret has fewer. Fewer can be an ordinary word.
	maxShown = 300     // Maximum number of characters shown of a text from outside.
	maxRead  = 4 << 10 // Maximum number of bytes read of it.
)

// add adds all parts of secrets, or a whole one that is shorter.
func (s *secrets) add(texts ...string) {
	for _, text := range texts {
		letters, _ := lettersOf(text)
		if text = strings.TrimSpace(text); len(letters) < minPart && text != "" {
			s.short.Store(text, nil)
		}
		size := max(minPart, min(partSize, len(letters)))
		for i := range len(letters) - size + 1 {
			s.parts.Store(string(letters[i:i+size]), nil)
		}
	}
}

// lettersOf returns the letters and digits of a text, in lower case, and where they are. Only these are compared, because another
// program can quote a secret in another case or with other punctuation.
func lettersOf(text string) (letters []rune, at []int) {
	for i, c := range text {
		if unicode.IsLetter(c) || unicode.IsNumber(c) {
			letters, at = append(letters, unicode.ToLower(c)), append(at, i)
		}
	}
	return letters, at
}

var (
	words = regexp.MustCompile(`\S+`)
	// unreadable matches an escape of a URL, JSON, or HTML, which can spell a secret in another way, and any token of FoneStorm's.
	unreadable = regexp.MustCompile(`%[0-9A-Fa-f]{2}|\\|&#?\w+;|eyJ[\w-]+\.[\w-]+\.`)
	aroundHost = regexp.MustCompile(`://(?:[^\s/?#"'<>]*@)?([^\s/?#"'<>]+)[/?#]?[^\s"'<>]*`)
)

// clean makes text from outside safe to show: without words that contain a part of a secret or an escape, the rest of URLs, line
// breaks, and characters that change the writing direction, and not too long.
func (s *secrets) clean(text string) string {
	text = visible(text[:min(len(text), maxRead)])
	letters, at := lettersOf(text)
	isSecret := make([]bool, len(text))
	for begin := range letters {
		for end := begin + minPart; end <= min(begin+partSize, len(letters)); end++ {
			if _, known := s.parts.Load(string(letters[begin:end])); known {
				for _, i := range at[begin:end] {
					isSecret[i] = true
				}
			}
		}
	}
	var shown []string
	for _, found := range words.FindAllStringIndex(text, -1) {
		word := text[found[0]:found[1]]
		hidden := unreadable.MatchString(word) || slices.Contains(isSecret[found[0]:found[1]], true)
		for short := range s.short.Range {
			hidden = hidden || strings.Contains(word, fmt.Sprint(short))
		}
		if hidden {
			word = "***"
		}
		shown = append(shown, onlyHost(word))
	}
	text = strings.Join(shown, " ")
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
