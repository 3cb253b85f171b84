package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/trial/contract"
)

// release is the version of this source tree; CHANGELOG.md tells what is in it.
const release = "0.1.0-dev"

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the rule set and the built-in verifying key",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			fmt.Fprintf(c.OutOrStdout(), "trialith %s%s\nrule set %d\nverifying key %x (%s)\n%s %s/%s\n",
				release, revision(), contract.RuleSet, verifier.DevelopmentHash, "development set-up",
				runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

// revision is the commit that the binary was built from, where Go knows it.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return " " + s.Value[:12]
		}
	}
	return ""
}
