package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// watchMemory samples the memory of a program's processes until the returned function is called, which returns the highest
// peak of a process in bytes. The kernel records the peaks, so little is lost between samples.
func watchMemory(program string) (stop func() int64) {
	var peak int64
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				peak = max(peak, peakMemory(program))
			case <-done:
				return
			}
		}
	})
	return func() int64 {
		close(done)
		watching.Wait()
		return peak
	}
}

// peakMemory returns the highest peak of the program's running processes in bytes; 0 if there is no /proc.
func peakMemory(program string) (peak int64) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if running, _ := os.Readlink(link); running != program {
			continue
		}
		status, _ := os.ReadFile(filepath.Join(filepath.Dir(link), "status"))
		for line := range strings.Lines(string(status)) {
			var kib int64
			if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
				peak = max(peak, kib<<10)
			}
		}
	}
	return peak
}
