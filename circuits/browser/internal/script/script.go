// Package script turns the browser's TypeScript into one file of JavaScript.
package script

import (
	"errors"
	"fmt"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Options of a bundle.
type Options struct {
	Root   string // directory that Entry is in
	Entry  string // a TypeScript file, relative to Root
	Global string // name of the global that holds the entry's exports; empty: none
	Minify bool
}

// Bundle returns the entry and all that it imports as one script of ES2022
// without imports. Equal sources give equal bytes. It does not check types.
func Bundle(o Options) ([]byte, error) {
	r := api.Build(api.BuildOptions{
		AbsWorkingDir: o.Root, EntryPoints: []string{o.Entry}, Bundle: true, Write: false,
		Format: api.FormatIIFE, GlobalName: o.Global, Target: api.ES2022, Platform: api.PlatformBrowser,
		MinifyWhitespace: o.Minify, MinifyIdentifiers: o.Minify, MinifySyntax: o.Minify,
		Charset: api.CharsetUTF8, LegalComments: api.LegalCommentsInline, LogLevel: api.LogLevelSilent,
		TsconfigRaw: `{"compilerOptions":{"strict":true,"useDefineForClassFields":true}}`,
	})
	var errs []error
	for _, m := range r.Errors {
		where := ""
		if m.Location != nil {
			where = fmt.Sprintf("%s:%d:%d: ", m.Location.File, m.Location.Line, m.Location.Column+1)
		}
		errs = append(errs, errors.New(where+strings.TrimSpace(m.Text)))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("bundle %s: %w", o.Entry, errors.Join(errs...))
	}
	return r.OutputFiles[0].Contents, nil
}
