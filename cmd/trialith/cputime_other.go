//go:build !unix

package main

import "time"

var started = time.Now()

// cpuTime is the time since the start: where the system does not tell a
// process's CPU time, the bench measures time on the clock.
func cpuTime() time.Duration { return time.Since(started) }
