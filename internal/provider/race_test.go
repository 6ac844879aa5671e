//go:build race

package provider

func init() { raceDetector = true }
