//go:build race

package provider

func init() { loadSize, modelSequences, refactoringOrders = 2_500, 50, 1 }
