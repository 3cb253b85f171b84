package web

import (
	"encoding"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"github.com/trialith/trialith/trial"
)

// The most of a body that is decoded on a page; the whole is in the raw bytes.
const (
	maxFacts = 80
	maxValue = 2000
	maxItems = 12
)

// facts lists the fields of a transaction's body in words. A field that is
// zero was left out by its sender, and is here.
func facts(body any, id trial.ID) []fact {
	l := lister{trial: id}
	l.walk("", reflect.ValueOf(body))
	return l.facts
}

type lister struct {
	trial trial.ID
	facts []fact
}

func (l *lister) add(name, value, address string) {
	if len(l.facts) < maxFacts {
		l.facts = append(l.facts, fact{capital(name), clip(value), address})
	}
}

func clip(s string) string {
	if r := []rune(s); len(r) > maxValue {
		return string(r[:maxValue]) + "… (cut here; the whole is in the raw bytes)"
	}
	return s
}

// walk adds one value under a name, or the fields of a struct under theirs.
func (l *lister) walk(name string, v reflect.Value) {
	if !v.IsValid() || v.IsZero() {
		return
	}
	switch x := v.Interface().(type) {
	case trial.Protocol:
		l.add(name, "Registered whole: "+x.Title, studyAddress(l.trial))
		return
	case trial.Task:
		l.add(name, taskWord(x), "")
		return
	case trial.ID:
		l.add(name, x.String(), studyAddress(x))
		return
	case encoding.TextMarshaler:
		if b, err := x.MarshalText(); err == nil {
			l.add(name, string(b), "")
		}
		return
	case fmt.Stringer:
		l.add(name, x.String(), "")
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		l.structure(name, v)
	case reflect.Slice, reflect.Array:
		l.list(name, v)
	case reflect.Bool:
		l.add(name, "yes", "")
	default:
		l.add(name, fmt.Sprint(v.Interface()), "")
	}
}

func (l *lister) structure(name string, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Name == "_" || !f.IsExported() {
			continue
		}
		// What wraps the act says nothing that its fields do not say.
		inner := join(name, spaced(f.Name))
		if f.Name == "Proven" || f.Name == "Act" && f.Type.Kind() == reflect.Struct {
			inner = name
		}
		l.walk(inner, v.Field(i))
	}
}

func (l *lister) list(name string, v reflect.Value) {
	if v.Type().Elem() == reflect.TypeFor[byte]() {
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		l.add(name, fmt.Sprintf("%s (%d bytes)", hex.EncodeToString(b), len(b)), "")
		return
	}
	for i := range min(v.Len(), maxItems) {
		l.walk(fmt.Sprintf("%s %d", name, i+1), v.Index(i))
	}
	if n := v.Len() - maxItems; n > 0 {
		l.add(name, fmt.Sprintf("and %d more, in the raw bytes", n), "")
	}
}

func taskWord(t trial.Task) string {
	switch t {
	case trial.Enrolling:
		return "enrolling"
	case trial.Recording:
		return "recording"
	case trial.Countersigning:
		return "countersigning"
	default:
		return fmt.Sprintf("task %d", t)
	}
}

func join(a, b string) string { return strings.TrimSpace(a + " " + b) }

// spaced turns a field's name into words: FormSet, "form set".
func spaced(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
