package simulator

import "net/http"

// Respellings returns the names of the changes that a Profile can make to the spelling of responses.
func Respellings() []string { return nil }

func (p *Profile) respell(next http.Handler) http.Handler { return next }
