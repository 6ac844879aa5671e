package simulator

import "math/bits"

// Explain returns the fewest respellings that together make a response show a text as it does. The text is that of a
// field of receive, or of "fonenumber". No respelling means that it is shown as it was set; ok is false when no
// combination of respellings explains what is shown.
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

// combined returns what becomes of a text, and the names of the respellings that do it.
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
