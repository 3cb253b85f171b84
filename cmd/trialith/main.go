// Command trialith runs a node, the demo, and the checks that anybody can run
// without one.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }
