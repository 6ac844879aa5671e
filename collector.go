package main

import (
	"os"
	"runtime/debug"
)

// collectLess makes the garbage collector run less often than Go's default, unless GOGC is set. Measured with a plan of 10,000
// resources: 10 % less processor time for 15 MiB more memory. There is no memory limit: one that 10,000 resources stay below
// keeps the collector running all the time with 30,000.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(150)
	}
}
