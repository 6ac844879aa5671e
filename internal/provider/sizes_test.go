package provider

import "os"

// raceDetector is true with the race detector, which makes tests several times slower.
var raceDetector bool

// size returns the number of cases that a test tries: all with TF_ACC=1, fewer with the race detector, and without TF_ACC so
// few that all tests together take seconds.
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
