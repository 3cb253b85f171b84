package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/circuits/tree"
)

// ceremonyCompile is the circuit that ceremonies are about; nil for the consent
// proof's. Tests put a small one here.
var ceremonyCompile ceremony.Compile

// ceremonyClock is the signers' clock. Tests put another one here.
var ceremonyClock = time.Now

func ceremonyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "ceremony",
		Short: "Make the keys of the consent proof together, so that nobody can forge",
		Long: `Make the keys of the consent proof together, so that nobody can forge.

Two phases. In each, one person after the other adds a secret and forgets it; the
keys are sound if one of them was honest in each phase. A public value that
nobody could know beforehand, the beacon, is announced before the last
contribution and closes the phase.

A ceremony is a directory that goes from hand to hand. Every entry is signed and
chained to the one before. A command that is interrupted at any moment leaves a
directory that the next one goes on from.

The secrets come from the operating system's randomness and are never written.
Contribute on a machine you trust, and restart it afterwards: whoever can read
its memory meanwhile has your secret.`,
		Example: `  trialith ceremony init keys --name "Ceremony 2027" --minimum 3 --as Coordinator --key coordinator.key
  trialith ceremony contribute keys --as Ada --key ada.key
  trialith ceremony announce keys --source "drand quicknet, round 1000" --at 2027-01-31T12:00:00Z --as Coordinator --key coordinator.key
  trialith ceremony contribute keys --as Ben --key ben.key
  trialith ceremony seal keys --beacon HEX --as Coordinator --key coordinator.key
  trialith ceremony verify keys`,
	}
	c.AddCommand(ceremonyInit(), ceremonyContribute(), ceremonyAnnounce(), ceremonySeal(), ceremonyVerify())
	return c
}

// signerFlags are who acts.
type signerFlags struct{ name, key string }

func (f *signerFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.name, "as", "", "your `name` in the record")
	c.Flags().StringVar(&f.key, "key", "", "`file` of your Ed25519 seed, 32 bytes, readable by you alone; made if absent")
	_ = c.MarkFlagRequired("as") // the flag is there
	_ = c.MarkFlagRequired("key")
}

func (f *signerFlags) signer() (ceremony.Signer, error) {
	key, err := seedFile(f.key)
	return ceremony.Signer{Name: f.name, Key: key, Now: ceremonyClock().UnixMilli()}, err
}

// seedFile reads a key, or makes it.
func seedFile(path string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newSeed(path)
	}
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, hint(fmt.Errorf("--key %s: others may read it (mode %04o)", path, info.Mode().Perm()), "chmod 600 %s, or let the command make a new one", path)
	}
	if info.Size() != ed25519.SeedSize {
		return nil, fmt.Errorf("--key %s: %d bytes; an Ed25519 seed has %d", path, info.Size(), ed25519.SeedSize)
	}
	seed, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("--key %s: it changed while it was read", path)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// newSeed makes a key whose file is whole or not there.
func newSeed(path string) (_ ed25519.PrivateKey, err error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(key.Seed())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return key, os.Rename(path+".new", path)
}

// openCeremony opens the directory of a command, and shows its progress.
func openCeremony(c *cobra.Command, dir string) (*ceremony.Ceremony, error) {
	x, err := ceremony.Open(ceremonyConfig(c, dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hint(err, "begin one with: trialith ceremony init %s", dir)
	}
	return x, err
}

func ceremonyConfig(c *cobra.Command, dir string) ceremony.Config {
	return ceremony.Config{Dir: dir, Compile: ceremonyCompile, Progress: newProgress(c.ErrOrStderr()).show}
}

func ceremonyInit() *cobra.Command {
	var who signerFlags
	var plan ceremony.Plan
	c := &cobra.Command{
		Use: "init DIR", Short: "Begin a ceremony in a new directory; you become its coordinator", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			by, err := who.signer()
			if err != nil {
				return err
			}
			x, err := ceremony.Init(ceremonyConfig(c, args[0]), plan, by)
			if errors.Is(err, fs.ErrExist) {
				return hint(fmt.Errorf("%s has a ceremony already", args[0]), "go on with it (trialith ceremony contribute), or name another directory")
			}
			if err != nil {
				return err
			}
			m := x.State().Manifest
			fmt.Fprintf(c.OutOrStdout(), "Ceremony %q begun in %s.\nname      %v\ncircuit   %v (depth %d, domain %d)\nNext: %d or more people contribute to phase 1: trialith ceremony contribute %s\n",
				m.Name, args[0], m.ID(), m.Circuit, m.Depth, m.Domain, m.Minimum, args[0])
			return nil
		},
	}
	who.add(c)
	c.Flags().StringVar(&plan.Name, "name", "", "the ceremony's `name`")
	c.Flags().IntVar(&plan.Depth, "depth", tree.Depth, fmt.Sprintf("of the trees: %d (2^21 places) or %d (2^33)", tree.Depth, tree.DeepDepth))
	c.Flags().IntVar(&plan.Minimum, "minimum", 3, "distinct contributors that each phase must have")
	_ = c.MarkFlagRequired("name") // the flag is there
	return c
}

func ceremonyContribute() *cobra.Command {
	var who signerFlags
	var unchecked bool
	c := &cobra.Command{
		Use: "contribute DIR", Short: "Add your secret to the phase at hand", Args: cobra.ExactArgs(1),
		Long: `Add your secret to the phase at hand. All contributions before it are verified
first. The secret is never written; nobody can get it back, and nobody needs it.`,
		RunE: func(c *cobra.Command, args []string) error {
			x, err := openCeremony(c, args[0])
			if err != nil {
				return err
			}
			by, err := who.signer()
			if err != nil {
				return err
			}
			if err := x.State().MayContribute(transcript.PublicKey(by.Key.Public().(ed25519.PublicKey)), by.Now); err != nil {
				return err
			}
			if !unchecked {
				if err := x.Verify(c.Context()); err != nil {
					return err
				}
				by.Now = ceremonyClock().UnixMilli() // the beacon's moment may have come meanwhile
			}
			phase := x.State().Phase()
			if err := x.Contribute(by); err != nil {
				return err
			}
			s := x.State()
			fmt.Fprintf(c.OutOrStdout(), "%s contributed to phase %d: file %v, entry %v\nYour secret was never written. Keep the entry's name: it must stay in the record.\n%s\n",
				by.Name, phase, s.Phases[phase-1].Last(), s.Head(), nextStep(s))
			return nil
		},
	}
	who.add(c)
	c.Flags().BoolVar(&unchecked, "unchecked", false, "contribute without verifying those before you")
	return c
}

func ceremonyAnnounce() *cobra.Command {
	var who signerFlags
	var source, at string
	var size int
	c := &cobra.Command{
		Use: "announce DIR", Short: "Name the public value that will close the phase, before anybody knows it", Args: cobra.ExactArgs(1),
		Long: `Name the public value that will close the phase at hand: where everybody finds
it and which one it is. At least one contribution must follow, all of them before
the value's moment. A later announcement replaces an earlier one.`,
		RunE: func(c *cobra.Command, args []string) error {
			x, err := openCeremony(c, args[0])
			if err != nil {
				return err
			}
			by, err := who.signer()
			if err != nil {
				return err
			}
			moment, err := momentOf(at, by.Now)
			if err != nil {
				return err
			}
			if err := x.Announce(by, source, moment, size); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "Announced for phase %d: %s, %d bytes, at %s\n%s\n", x.State().Phase(), source, size, transcript.Instant(moment), nextStep(x.State()))
			return nil
		},
	}
	who.add(c)
	c.Flags().StringVar(&source, "source", "", "where the value will be found, and which one it is")
	c.Flags().StringVar(&at, "at", "", "its `moment`: RFC 3339, or +DURATION from now")
	c.Flags().IntVar(&size, "bytes", 32, "length of the value")
	_ = c.MarkFlagRequired("source") // the flags are there
	_ = c.MarkFlagRequired("at")
	return c
}

// momentOf reads a time, or a duration from now.
func momentOf(at string, now int64) (int64, error) {
	if after, found := strings.CutPrefix(at, "+"); found {
		d, err := time.ParseDuration(after)
		if err != nil {
			return 0, fmt.Errorf("--at: %w", err)
		}
		return now + d.Milliseconds(), nil
	}
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return 0, hint(fmt.Errorf("--at: %w", err), "write it like 2027-01-31T12:00:00Z, or +48h")
	}
	return t.UnixMilli(), nil
}

func ceremonySeal() *cobra.Command {
	var who signerFlags
	var beacon string
	c := &cobra.Command{
		Use: "seal DIR", Short: "Close the phase at hand with the announced value; the second time, make the keys", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			value, err := hex.DecodeString(beacon)
			if err != nil {
				return fmt.Errorf("--beacon: %w", err)
			}
			x, err := openCeremony(c, args[0])
			if err != nil {
				return err
			}
			by, err := who.signer()
			if err != nil {
				return err
			}
			if err := x.Seal(c.Context(), by, value); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), nextStep(x.State()))
			return nil
		},
	}
	who.add(c)
	c.Flags().StringVar(&beacon, "beacon", "", "the announced value in `hex`")
	_ = c.MarkFlagRequired("beacon") // the flag is there
	return c
}

// nextStep says where a ceremony stands and what comes next.
func nextStep(s *transcript.State) string {
	if s.Done() {
		return fmt.Sprintf("Sealed.\nverifying key %v\nproving key   %v (SHA-256)\nNext: everybody checks it: trialith ceremony verify DIR", s.VerifyingKey, s.ProvingKey)
	}
	p := s.Phases[s.Phase()-1]
	have := fmt.Sprintf("Phase %d has %d of at least %d contributors.", s.Phase(), len(p.Contributors), s.Manifest.Minimum)
	switch {
	case p.Beacon == nil:
		return have + "\nNext: announce the beacon before the last of them contributes."
	case s.MaySeal(make([]byte, p.Beacon.Size), p.Beacon.At) != nil:
		return have + "\nNext: contribute, before " + transcript.Instant(p.Beacon.At)
	default:
		return have + "\nNext: contribute, or seal with the beacon's value after " + transcript.Instant(p.Beacon.At)
	}
}

// ceremonyReport is what verify prints as JSON.
type ceremonyReport struct {
	Verdict string            `json:"verdict"` // "sealed" or "unfinished"
	Name    wireName          `json:"ceremony"`
	State   *transcript.State `json:"state"`
}

type wireName interface{ MarshalText() ([]byte, error) }

func ceremonyVerify() *cobra.Command {
	var asJSON bool
	var beacons [2]string
	c := &cobra.Command{
		Use: "verify DIR", Short: "Compute a ceremony again from the circuit's source and the contributions", Args: cobra.ExactArgs(1),
		Long: `Compute a ceremony again: the circuit and its hash from the source, every
signature, every contribution upon the one before, the start of phase 2, both
keys. Nothing in the directory is believed.

Whether a contributor's key belongs to that person, and whether a beacon's value
is the public one, no program can see: ask them for their entry's name, and look
the value up (--beacon-1, --beacon-2). Exit code 3 for a ceremony that is right
so far and not sealed yet.`,
		RunE: func(c *cobra.Command, args []string) error {
			x, err := openCeremony(c, args[0])
			if err != nil {
				return err
			}
			if err := x.Verify(c.Context()); err != nil {
				return err
			}
			s := x.State()
			if err := sameBeacons(s, beacons); err != nil {
				return err
			}
			if asJSON {
				report := ceremonyReport{"unfinished", s.Manifest.ID(), s}
				if s.Done() {
					report.Verdict = "sealed"
				}
				err = json.NewEncoder(c.OutOrStdout()).Encode(report)
			} else {
				err = printCeremony(c.OutOrStdout(), s)
			}
			if err == nil && !s.Done() {
				err = exit(3)
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the ceremony as JSON")
	c.Flags().StringVar(&beacons[0], "beacon-1", "", "the value of phase 1's beacon in `hex`, as you looked it up")
	c.Flags().StringVar(&beacons[1], "beacon-2", "", "the value of phase 2's beacon in `hex`")
	return c
}

// sameBeacons compares the sealed beacons with what a reader looked up.
func sameBeacons(s *transcript.State, beacons [2]string) error {
	for i, want := range beacons {
		if want == "" {
			continue
		}
		b := s.Phases[i].Beacon
		if b == nil || b.Value == nil {
			return fmt.Errorf("--beacon-%d: phase %d is not sealed yet", i+1, i+1)
		}
		if got := hex.EncodeToString(b.Value); got != strings.ToLower(want) {
			return fmt.Errorf("--beacon-%d: phase %d is sealed by %s, another value than the announced", i+1, i+1, got)
		}
	}
	return nil
}

func printCeremony(w io.Writer, s *transcript.State) error {
	var b strings.Builder
	verdict := "RIGHT SO FAR, NOT SEALED"
	if s.Done() {
		verdict = "VERIFIED"
	}
	m := s.Manifest
	fmt.Fprintf(&b, "%s: ceremony %q, %v\nThe circuit of depth %d is the one of this source: %v\n", verdict, m.Name, m.ID(), m.Depth, m.Circuit)
	for i, p := range s.Phases {
		if i > 0 && !s.Phases[0].Closed {
			break
		}
		fmt.Fprintf(&b, "Phase %d, %d contributors, at least %d:\n", i+1, len(p.Contributors), m.Minimum)
		for _, c := range p.Contributors {
			fmt.Fprintf(&b, "  %s  %v  %s\n", transcript.Instant(c.Time), c.Key, c.Name)
		}
		if p.Beacon != nil {
			fmt.Fprintf(&b, "  beacon: %s, at %s: %s\n", p.Beacon.Source, transcript.Instant(p.Beacon.At), valueOf(p.Beacon))
		}
	}
	fmt.Fprintln(&b, nextStep(s))
	_, err := io.WriteString(w, b.String())
	return err
}

func valueOf(b *transcript.Beacon) string {
	if b.Value == nil {
		return "not known yet"
	}
	return hex.EncodeToString(b.Value)
}
