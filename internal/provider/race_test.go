//go:build race

package provider

func init() { loadSize, modelSequences = 2_500, 50 }
