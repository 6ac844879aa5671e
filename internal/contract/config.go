package contract

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// Config configures a run. The endpoint and credentials are required.
type Config struct {
	Endpoint   string // Base URL of the API.
	Username   string // Username and Password, or else Token.
	Password   string
	Token      string
	Subaccount string // Code of the subaccount to act on, ten digits; empty for the user's own account.

	FoneNumber string // The FoneNumber on which to set every delivery type, ten digits; if empty, the run changes nothing.
	Force      bool   // Change the FoneNumber even if it delivers to a URL.
	RateLimit  bool   // Exceed the rate limit on purpose to see the response.

	Transport http.RoundTripper // http.DefaultTransport if nil.
}

// FromEnvironment returns the configuration from the provider's environment variables. The error is one line.
func FromEnvironment(getenv func(string) string) (Config, error) {
	config := Config{
		Endpoint:   cmp.Or(getenv("FRACTEL_ENDPOINT"), "https://api.fonestorm.com/v2"),
		Username:   getenv("FRACTEL_USERNAME"),
		Password:   getenv("FRACTEL_PASSWORD"),
		Token:      getenv("FRACTEL_TOKEN"),
		Subaccount: getenv("FRACTEL_SUBACCOUNT"),
	}
	return config, config.check()
}

var tenDigits = regexp.MustCompile(`^[0-9]{10}$`)

func (c Config) check() error {
	loggingIn := c.Username != "" || c.Password != ""
	switch {
	case loggingIn && c.Token != "":
		return errors.New("both a token and a username or password are set: unset FRACTEL_TOKEN, or FRACTEL_USERNAME and FRACTEL_PASSWORD")
	case !loggingIn && c.Token == "":
		return errors.New("no credentials: set FRACTEL_USERNAME and FRACTEL_PASSWORD, or FRACTEL_TOKEN")
	case loggingIn && c.Username == "":
		return errors.New("a password is set but no username: set FRACTEL_USERNAME")
	case loggingIn && c.Password == "":
		return errors.New("a username is set but no password: set FRACTEL_PASSWORD")
	case strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("FRACTEL_TOKEN must contain only ASCII characters, without spaces or line breaks")
	case c.Subaccount != "" && !tenDigits.MatchString(c.Subaccount):
		return fmt.Errorf("FRACTEL_SUBACCOUNT must be ten digits, not %q", c.Subaccount)
	case c.Subaccount != "" && !loggingIn:
		return errors.New("FRACTEL_SUBACCOUNT requires FRACTEL_USERNAME and FRACTEL_PASSWORD")
	case c.FoneNumber != "" && !tenDigits.MatchString(c.FoneNumber):
		return fmt.Errorf("the FoneNumber must be ten digits, not %q", c.FoneNumber)
	}
	if _, err := fonestorm.ParseEndpoint(c.Endpoint); err != nil {
		return fmt.Errorf("FRACTEL_ENDPOINT %w", err)
	}
	return nil
}
