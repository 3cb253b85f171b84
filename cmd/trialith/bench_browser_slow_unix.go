//go:build unix

package main

import (
	"errors"
	"syscall"
)

const canThrottle = true

// halt stops a process and resume lets it run on; one that has ended is no error.
func halt(id int) error   { return ended(syscall.Kill(id, syscall.SIGSTOP)) }
func resume(id int) error { return ended(syscall.Kill(id, syscall.SIGCONT)) }

func ended(err error) error {
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}
