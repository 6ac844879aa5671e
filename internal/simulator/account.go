package simulator

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Get returns the FoneNumber, of whichever account, with the credentials that the API never returns, and whether there
// is one at all.
func (s *Simulator) Get(number string) (FoneNumber, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.numbers[number]
	return f.FoneNumber, ok
}

// Put adds or replaces a FoneNumber, as if somebody had done so by hand.
func (s *Simulator) Put(f FoneNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	neverSet := f.Receive.Type == "" || s.numbers[f.Number].neverSet && f.Receive == Receive{Type: "None"}
	f.Active = cmp.Or(f.Active, "yes")
	f.Receive.Type = cmp.Or(f.Receive.Type, "None")
	s.numbers[f.Number] = record{f, neverSet}
	s.addSubaccount(f.Subaccount)
}

// Remove takes a FoneNumber out of its account.
func (s *Simulator) Remove(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.numbers, number)
}

// Numbers returns every FoneNumber of the account and its subaccounts, cancelled ones included, in ascending order.
func (s *Simulator) Numbers() []FoneNumber {
	var numbers []FoneNumber
	for _, f := range s.records() {
		numbers = append(numbers, f.FoneNumber)
	}
	return numbers
}

func (s *Simulator) records() []record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.numbers), func(a, b record) int { return cmp.Compare(a.Number, b.Number) })
}

// PutDevice adds or replaces a device.
func (s *Simulator) PutDevice(d Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices[d.ID] = d
	s.addSubaccount(d.Subaccount)
}

// RemoveDevice takes a device out of its account.
func (s *Simulator) RemoveDevice(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.devices, id)
}

// Devices returns every device of the account and its subaccounts, in the order of their IDs.
func (s *Simulator) Devices() []Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.devices), func(a, b Device) int { return cmp.Compare(a.ID, b.ID) })
}

// logInTo returns the account that a user belongs to, and whether name and password are right.
func (s *Simulator) logInTo(name, password string) (account string, ok bool) {
	first := User{s.options.Username, s.options.Password, s.options.Account}
	for _, user := range append([]User{first}, s.options.Users...) {
		if user.Name == name && user.Password == password {
			return user.Account, true
		}
	}
	return "", false
}

// addSubaccount makes a subaccount known. The caller has locked s.
func (s *Simulator) addSubaccount(code string) {
	isAnother := func(user User) bool { return user.Account == code }
	if code != "" && !slices.ContainsFunc(s.options.Users, isAnother) {
		s.subaccounts[code] = true
	}
}

func (s *Simulator) hasSubaccount(code string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subaccounts[code]
}

// subaccountOf returns what FoneNumber and Device call the account of a token.
func (s *Simulator) subaccountOf(account string) string {
	if account == s.options.Account {
		return ""
	}
	return account
}

// token is what the simulator knows of a token that it has given out.
type token struct {
	account string
	expires time.Time
}

// ExpireTokens makes every token given out so far invalid.
func (s *Simulator) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// newToken gives out a token for an account. FoneStorm's tokens last an hour unless the login asks for another time. Where a
// login ends earlier tokens, it does so in the same moment: of two logins at once one must lose.
func (s *Simulator) newToken(account string, asked time.Duration) (text string, expires time.Time) {
	lifetime := cmp.Or(asked, s.options.TokenLifetime, time.Hour)
	if longest := s.options.TokenLifetime; longest != 0 {
		lifetime = min(lifetime, longest)
	}
	now := time.Now()
	expires = now.Add(lifetime)
	text = "simulated." + rand.Text()
	if s.profile.Token == "jwt" {
		text = s.jwt(account, now, expires)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.profile.EarlierTokens == "ended" && account == s.options.Account {
		maps.DeleteFunc(s.tokens, func(_ string, t token) bool { return t.account == account })
	}
	s.tokens[text] = token{account, expires}
	return text, expires
}

// jwt returns a signed token with the payload that FracTEL's example shows.
func (s *Simulator) jwt(account string, issued, expires time.Time) string {
	payload, _ := json.Marshal(map[string]any{ // Which cannot fail for these types.
		"account": map[string]any{"id": account},
		"portal":  map[string]any{"token": rand.Text()},
		"iat":     issued.Unix(),
		"exp":     expires.Unix(),
	})
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) +
		"." + base64.RawURLEncoding.EncodeToString(payload)
	signature := hmac.New(sha256.New, s.key)
	signature.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(signature.Sum(nil))
}

// accountOf returns the account that a token acts on, and whether the token is valid.
func (s *Simulator) accountOf(text string) (account string, valid bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[text]
	if !ok || !time.Now().Before(t.expires) {
		return "", false
	}
	return t.account, true
}
