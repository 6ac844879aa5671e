package provider

import "os"

// raceDetector is set in programs with the race detector, which makes them several times slower.
var raceDetector bool

// size returns how many cases a test tries: as many as it should with TF_ACC=1, fewer with the race detector, and without TF_ACC
// so few that all tests together take seconds.
func size(full, race, quick int) int {
	switch {
	case raceDetector:
		return race
	case os.Getenv("TF_ACC") == "":
		return quick
	default:
		return full
	}
}
