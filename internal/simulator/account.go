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

// Get returns a FoneNumber of any account, including the credentials that the API never returns, and whether it exists.
func (s *Simulator) Get(number string) (FoneNumber, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.numbers[number]
	return f.FoneNumber, ok
}

// Put adds or replaces a FoneNumber, as a manual change does.
func (s *Simulator) Put(f FoneNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	neverSet := f.Receive.Type == "" || s.numbers[f.Number].neverSet && f.Receive == Receive{Type: "None"}
	f.Active = cmp.Or(f.Active, "yes")
	f.Receive.Type = cmp.Or(f.Receive.Type, "None")
	s.numbers[f.Number] = record{f, neverSet}
	s.addSubaccount(f.Subaccount)
}

// Remove removes a FoneNumber from its account.
func (s *Simulator) Remove(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.numbers, number)
}

// Numbers returns every FoneNumber of the account and its subaccounts, including cancelled ones, in ascending order.
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

// RemoveDevice removes a device from its account.
func (s *Simulator) RemoveDevice(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.devices, id)
}

// Devices returns every device of the account and its subaccounts, ordered by ID.
func (s *Simulator) Devices() []Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.devices), func(a, b Device) int { return cmp.Compare(a.ID, b.ID) })
}

// logInTo returns the account of a user, and whether the username and password are correct.
func (s *Simulator) logInTo(name, password string) (account string, ok bool) {
	first := User{s.options.Username, s.options.Password, s.options.Account}
	for _, user := range append([]User{first}, s.options.Users...) {
		if user.Name == name && user.Password == password {
			return user.Account, true
		}
	}
	return "", false
}

// addSubaccount adds a subaccount. The caller must have locked s.
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

// subaccountOf returns the value of Subaccount in the FoneNumbers and devices of a token's account.
func (s *Simulator) subaccountOf(account string) string {
	if account == s.options.Account {
		return ""
	}
	return account
}

// token is what the simulator knows about a token that it has issued.
type token struct {
	account string
	expires time.Time
}

// ExpireTokens invalidates every token issued so far.
func (s *Simulator) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// newToken issues a token for an account. It is valid for an hour unless the login requests another lifetime. If logins
// invalidate earlier tokens, this happens at the same instant, so that only one of two concurrent logins has a valid token.
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

// jwt returns a signed token with the payload of FracTEL's example.
func (s *Simulator) jwt(account string, issued, expires time.Time) string {
	payload, _ := json.Marshal(map[string]any{ // Cannot fail for these types.
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
