package trial

import "testing"

// TestOpenLabel: the list of words is closed.
func TestOpenLabel(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]bool{
		"Open Label Study": true, "open-label": true, "None (Open Label)": true, "NONE": true, "no masking": true,
		"": false, "Double Blind Study": false, "double blind, then open label follow-up": false, "not open": false, "none of the arms is known": false,
		"reopened": false,
	} {
		if p := (Protocol{Blinding: words}); p.OpenLabel() != want {
			t.Errorf("%q: %t", words, !want)
		}
	}
}
