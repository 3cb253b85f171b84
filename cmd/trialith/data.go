package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/dataset/rows"
)

func dataCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "data",
		Short: "Commit to a table without showing a row; open one row and prove it",
		Long: `Commit to a table of data without showing a row, and later open one row and
prove that it stands in what was committed.

The table is a CSV file in UTF-8 whose first line names the columns. The secret
keeps rows from being guessed: keep its file as safe as the data.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(dataCommitCommand(), dataProveCommand(), dataVerifyCommand())
	return c
}

// commitment is what goes on the ledger.
type commitment struct {
	Name     string           `json:"name"`
	Root     trial.Digest     `json:"root"`
	Rows     uint64           `json:"rows"`
	Subjects uint64           `json:"subjects"`
	Columns  []string         `json:"columns"`
	File     trial.Commitment `json:"file"`
}

func dataCommitCommand() *cobra.Command {
	var secretFile, name string
	var asJSON bool
	c := &cobra.Command{
		Use:   "commit FILE",
		Short: "Print what commits to a table",
		Long: `Print what commits to a table: the root of the salted Merkle tree over its rows,
how many rows and persons (USUBJID) it has, its columns, and a salted commitment
to the whole file.

Where the secret file does not exist it is made, readable by you alone. The same
table and secret give the same commitment.`,
		Example: "  trialith data commit adsl.csv --secret adsl.secret\n  trialith data commit adsl.csv --secret adsl.secret --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			table, err := readTable(args[0], name)
			if err != nil {
				return err
			}
			secret, err := makeOrReadSecret(secretFile)
			if err != nil {
				return err
			}
			out, err := commitTo(table, secret)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(out)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "name      %s\nroot      %v\nrows      %d\nsubjects  %d\ncolumns   %s\nfile      %v\n",
				out.Name, out.Root, out.Rows, out.Subjects, strings.Join(out.Columns, " "), out.File)
			return err
		},
	}
	tableFlags(c, &secretFile, &name)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func commitTo(table *rows.Table, secret rows.Secret) (commitment, error) {
	tree, err := rows.Build(table, secret)
	if err != nil {
		return commitment{}, err
	}
	file, _, err := tree.File()
	return commitment{
		Name: table.Dataset, Root: tree.Root(), Rows: tree.Rows(), Subjects: table.Subjects(), Columns: table.Columns, File: file,
	}, err
}

func dataProveCommand() *cobra.Command {
	var secretFile, name, out string
	var row uint64
	c := &cobra.Command{
		Use:   "prove FILE --row N",
		Short: "Open one row of a table and prove it",
		Long: `Open one row of a committed table: print its cells with what proves that they
stand in the commitment, as JSON. Row 1 is the first below the header.

Whoever gets the opening sees that row and no other.`,
		Example: "  trialith data prove ae.csv --row 17 --secret ae.secret --out row17.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			table, err := readTable(args[0], name)
			if err != nil {
				return err
			}
			secret, err := readSecret(secretFile)
			if errors.Is(err, os.ErrNotExist) {
				return hint(err, "prove with the secret that the table was committed with; trialith data commit makes it")
			}
			if err != nil {
				return err
			}
			tree, err := rows.Build(table, secret)
			if err != nil {
				return err
			}
			opening, err := tree.Prove(row)
			if err != nil {
				return err
			}
			b, err := json.MarshalIndent(opening, "", "  ")
			if err != nil {
				return err
			}
			if out == "" {
				_, err = fmt.Fprintf(c.OutOrStdout(), "%s\n", b)
				return err
			}
			return createFile(out, append(b, '\n'))
		},
	}
	tableFlags(c, &secretFile, &name)
	c.Flags().Uint64Var(&row, "row", 0, "number of the row, from 1")
	c.Flags().StringVar(&out, "out", "", "write the opening to this new `file` instead of standard output")
	return c
}

func dataVerifyCommand() *cobra.Command {
	var root string
	c := &cobra.Command{
		Use:   "verify OPENING --root HEX",
		Short: "Check one opened row against a committed root",
		Long: `Check an opening against the root that the ledger names, and print the row.
The exit code is 0 when the row is proven, 1 when it is not, 2 when the file is
no opening.`,
		Example: "  trialith data verify row17.json --root 1c4f…",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var want trial.Digest
			if err := want.UnmarshalText([]byte(root)); err != nil {
				return hint(fmt.Errorf("--root: %w", err), "copy the root from the study's page, or from trialith data commit")
			}
			o, err := readOpening(args[0])
			if err != nil {
				fmt.Fprintf(c.ErrOrStderr(), "trialith: error: %v\n", err)
				return exit(2)
			}
			if err := o.Verify(want); err != nil {
				return err
			}
			return printRow(c.OutOrStdout(), o)
		},
	}
	c.Flags().StringVar(&root, "root", "", "the committed root, 64 hexadecimal digits")
	return c
}

func printRow(w io.Writer, o *rows.Opening) error {
	// Cells come from outside: quoted, none can pass for a line of ours.
	if _, err := fmt.Fprintf(w, "PROVEN: row %d of %d of %s\n", o.Number, o.Rows, o.Dataset); err != nil {
		return err
	}
	for i, column := range o.Columns {
		if _, err := fmt.Fprintf(w, "%+q: %q\n", column, o.Cells[i]); err != nil {
			return err
		}
	}
	return nil
}

func tableFlags(c *cobra.Command, secret, name *string) {
	c.Flags().StringVar(secret, "secret", "", "`file` with the dataset's secret")
	c.Flags().StringVar(name, "name", "", "name of the dataset (default: the file's, without its ending)")
}

func readTable(path, name string) (*rows.Table, error) {
	if name == "" {
		base, _, _ := strings.Cut(filepath.Base(path), ".")
		name = strings.ToLower(base)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return rows.Read(name, f)
}

func readOpening(path string) (*rows.Opening, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, rows.MaxOpening+1))
	if err != nil {
		return nil, err
	}
	return rows.Decode(b)
}

// readSecret reads a secret as makeSecret writes it.
func readSecret(path string) (s rows.Secret, err error) {
	if path == "" {
		return s, hint(errors.New("--secret: missing"), "name the file that holds the dataset's secret")
	}
	info, err := os.Stat(path)
	if err != nil {
		return s, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return s, hint(fmt.Errorf("--secret: others may read %s (mode %04o)", path, info.Mode().Perm()), "chmod 600 %s", path)
	}
	if !info.Mode().IsRegular() || info.Size() != 65 {
		return s, fmt.Errorf("--secret: %s: not a file of 64 hexadecimal digits and a line feed", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	if len(b) != 65 || b[64] != '\n' || wire.ParseHex(s[:], b[:64]) != nil {
		return s, fmt.Errorf("--secret: %s: not a file of 64 hexadecimal digits and a line feed", path)
	}
	return s, nil
}

func makeOrReadSecret(path string) (rows.Secret, error) {
	s, err := readSecret(path)
	if !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	if _, err := rand.Read(s[:]); err != nil {
		return s, err
	}
	return s, createFile(path, []byte(hex.EncodeToString(s[:])+"\n"))
}

// createFile writes a file that its owner alone may read, whole or not at all,
// and never over another.
func createFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".trialith-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it has its name by then, or an error is told
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); errors.Is(err, os.ErrExist) {
		return hint(fmt.Errorf("%s exists", path), "name a new file; nothing is overwritten")
	} else if err != nil {
		return err
	}
	return nil
}
