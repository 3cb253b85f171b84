package evidence

import (
	"bytes"
	"testing"
)

// FuzzVerify: whatever the bytes, Verify gives a verdict, and no other file
// than the one written verifies.
func FuzzVerify(f *testing.F) {
	b := golden(f)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add(b[len(b)-endSize:])
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, file []byte) {
		r := check(t, file)
		if valid := r.Verdict == Reservations || r.Verdict == Verified; valid != bytes.Equal(file, b) {
			t.Fatal(text(r))
		}
	})
}

// FuzzParts overwrites a place in one part and makes the manifest right again.
func FuzzParts(f *testing.F) {
	b := golden(f)
	for i := range layout {
		f.Add(uint8(i), uint32(40), []byte{1})
		f.Add(uint8(i), uint32(0), []byte{0, 0, 0, 1})
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint32, with []byte) {
		name := layout[1+int(which)%(len(layout)-1)].name
		changed := false
		file := change(t, b, func(parts map[string][]byte) {
			p := parts[name]
			if len(p) == 0 {
				return
			}
			before := bytes.Clone(p)
			copy(p[int(at)%len(p):], with)
			changed = !bytes.Equal(before, p)
		})
		r := check(t, file)
		if valid := r.Verdict == Reservations || r.Verdict == Verified; valid == changed {
			t.Fatalf("%s@%d: %s", name, at, text(r))
		}
	})
}

// FuzzArchive: what the reader of archives finds lies inside the file.
func FuzzArchive(f *testing.F) {
	b := golden(f)
	f.Add(b)
	f.Add(b[len(b)-700:])
	f.Fuzz(func(t *testing.T, file []byte) {
		members, err := readArchive(file)
		if err != nil {
			return
		}
		if len(members) > maxMembers {
			t.Fatalf("%d members", len(members))
		}
		for _, m := range members {
			if at := offsetIn(file, m.data); at < 0 || at+len(m.data) > len(file) {
				t.Fatalf("%q at %d, %d bytes, in a file of %d", m.name, at, len(m.data), len(file))
			}
		}
	})
}
