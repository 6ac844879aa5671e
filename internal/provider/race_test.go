//go:build race

package provider

func init() { loadSize = 2_500 }
