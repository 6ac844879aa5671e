// Package tools is the module of the programs that contributors run with `go tool -modfile=tools/go.mod NAME`. Their versions are
// in its go.mod, so that the provider does not depend on them. The package has no code.
package tools
