package fonestorm

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// claims contains the claims of FracTEL's example token. They are only hints, because the client cannot verify the signature. The
// zero value means that they are unknown.
type claims struct {
	account  string        // ID of the account.
	lifetime time.Duration // From issue to expiry; zero when unknown.
}

// readClaims reads the payload of a JWT. Any other token has no claims.
func readClaims(token string) claims {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return claims{}
	}
	var sent struct {
		Account  loose[struct{ ID scalar }] `json:"account"`
		IssuedAt scalar                     `json:"iat"`
		Expires  scalar                     `json:"exp"`
	}
	if json.Unmarshal(payload, &sent) != nil {
		return claims{}
	}
	return claims{account: sent.Account.value.ID.text, lifetime: between(sent.IssuedAt.text, sent.Expires.text)}
}

// between returns the time between two Unix timestamps; zero if it cannot be computed.
func between(from, to string) time.Duration {
	begin, err := strconv.ParseFloat(from, 64)
	if err != nil {
		return 0
	}
	end, err := strconv.ParseFloat(to, 64)
	seconds := end - begin
	if err != nil || !(seconds > 0) || seconds > math.MaxInt64/float64(time.Second) {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}
