//go:build !unix

package main

import "errors"

const canThrottle = false

func halt(int) error   { return errors.ErrUnsupported }
func resume(int) error { return errors.ErrUnsupported }
