package simulator

import "math/bits"

// Explain returns the smallest set of respellings that turns a text as it was set into the text that a response shows. The text
// is a field of receive, or "fonenumber". The set is empty if both texts are the same. ok is false if no set of respellings
// explains the difference.
func Explain(field, set string, shown any) (respellings []string, ok bool) {
	var candidates []respelling
	for _, r := range respellingTable {
		if field == "fonenumber" {
			r.text = r.number
		} else if r.field != field && (r.field != "" || field == "url_method") {
			continue
		}
		if r.text != nil {
			candidates = append(candidates, r)
		}
	}
	for chosen := range uint(1) << len(candidates) {
		if ok && bits.OnesCount(chosen) >= len(respellings) {
			continue
		}
		var combination []respelling
		for i, r := range candidates {
			if chosen&(1<<i) != 0 {
				combination = append(combination, r)
			}
		}
		if names, value := combined(set, combination); value == shown {
			respellings, ok = names, true
		}
	}
	return respellings, ok
}

// combined applies respellings to a text and returns the result and their names.
func combined(set string, combination []respelling) (names []string, value any) {
	value = set
	for _, r := range combination {
		names = append(names, r.name)
		if text, isText := value.(string); isText {
			value = r.text(text)
		}
	}
	return names, value
}
