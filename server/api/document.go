package api

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
)

// document is what was registered, as JSON: the fields of the trial's own types
// under their names in snake case, in their order. The types carry no such
// names, because they are the ledger's, not this API's.
type document struct{ value any }

// MarshalJSON writes the value.
func (d document) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := write(&b, reflect.ValueOf(d.value))
	return b.Bytes(), err
}

// Schema describes any document: its form is that of the registered protocol.
func (d document) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "as registered, fields in snake case"}
}

func write(b *bytes.Buffer, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		return write(b, v.Elem())
	case reflect.Struct:
		return writeStruct(b, v)
	case reflect.Slice:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := write(b, v.Index(i)); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	default:
		return writeValue(b, v.Interface())
	}
}

// writeValue writes a leaf of the document: a word where it has one.
func writeValue(b *bytes.Buffer, value any) error {
	if word, ok := value.(fmt.Stringer); ok && reflect.TypeOf(value).Kind() == reflect.Uint8 {
		value = word.String()
	} else if text, ok := value.(encoding.TextMarshaler); ok {
		t, err := text.MarshalText()
		if err != nil {
			return err
		}
		value = string(t)
	}
	e, err := json.Marshal(value)
	b.Write(e)
	return err
}

func writeStruct(b *bytes.Buffer, v reflect.Value) error {
	b.WriteByte('{')
	first := true
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		fmt.Fprintf(b, "%q:", snake(f.Name))
		if err := write(b, v.Field(i)); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

// snake writes a Go name in snake case: SampleSize, ResultsURL, SHA256 become
// sample_size, results_url, sha256.
func snake(name string) string {
	var b strings.Builder
	rs := []rune(name)
	for i, r := range rs {
		begins := unicode.IsUpper(r) && i > 0 &&
			(unicode.IsLower(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1]))
		if begins {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
