package simulator

import (
	"context"
	_ "embed"
	"fmt"
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
var contractRouter = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

// validate wraps a handler to check requests and responses against the contract. The response to an invalid request is a 400
// envelope, an invalid response becomes a 500, and both are recorded as violations.
func (s *Simulator) validate(next http.Handler) (http.Handler, error) {
	router, err := contractRouter()
	if err != nil {
		return nil, fmt.Errorf("reading the contract: %w", err)
	}
	validator := openapi3filter.NewValidator(router,
		openapi3filter.Strict(true),
		openapi3filter.ValidationOptions(openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc, // The API checks the token.
			IncludeResponseStatus: true,
		}),
		openapi3filter.OnLog(func(context.Context, string, error) {}),
		openapi3filter.OnErr(func(_ context.Context, w http.ResponseWriter, status int, _ openapi3filter.ErrCode, err error) {
			reason, _, _ := strings.Cut(err.Error(), "\nSchema:") // The rest quotes the schema and the value.
			s.addViolation(reason)
			reply(w, status, reason)
		}),
	)
	validated := validator.Middleware(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body, _ = r.GetBody() // An interceptor may have read the body.
		validated.ServeHTTP(w, r)
	}), nil
}

// Violations returns descriptions of the requests and responses that violated the contract.
func (s *Simulator) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

func (s *Simulator) addViolation(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, reason)
}
