package simulator

import (
	"context"
	_ "embed"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

//go:embed openapi.yaml
var contract []byte

// contractRouter parses the contract once for all simulators of a process, because tests create hundreds of simulators and parsing
// takes most of the time.
var contractRouter = sync.OnceValue(func() routers.Router {
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		panic(err) // A mistake in openapi.yaml.
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		panic(err)
	}
	return router
})

// validate wraps a handler to check requests and responses against the contract. The response to an invalid request is a 400
// envelope, an invalid response becomes a 500, and both are recorded as violations.
func (s *Simulator) validate(next http.Handler) http.Handler {
	return openapi3filter.NewValidator(contractRouter(),
		openapi3filter.Strict(true),
		openapi3filter.ValidationOptions(openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, // The API checks the token.
		}),
		openapi3filter.OnLog(func(context.Context, string, error) {}),
		openapi3filter.OnErr(func(_ context.Context, w http.ResponseWriter, status int, _ openapi3filter.ErrCode, err error) {
			reason, _, _ := strings.Cut(err.Error(), "\nSchema:") // The rest quotes the schema and the value.
			s.mu.Lock()
			s.violations = append(s.violations, reason)
			s.mu.Unlock()
			reply(w, status, reason)
		}),
	).Middleware(next)
}

// Violations returns descriptions of the requests and responses that violated the contract.
func (s *Simulator) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}
