// Package tools is the module of the programs that contributors run: their versions are in go.mod, and
// `go tool -modfile=tools/go.mod NAME` runs them. It has no code, so that the provider does not depend on them.
package tools
