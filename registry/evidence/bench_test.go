package evidence

import (
	"bytes"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/device"
)

// BenchmarkVerify verifies the file of a trial the size of the CDISC pilot's:
// 254 participants, five proofs and as many entries each. Making the proofs
// takes minutes before it begins.
func BenchmarkVerify(b *testing.B) {
	l := newLab(b, labGenesis(), verifier.Development(), nil)
	l.found()
	l.begin()
	p := labProtocol()
	for range 254 {
		d := l.enrol(1)
		l.consent(d, 1)
		l.do(contract.ConsentScreen, must[consent.Screen](b)(d.Screen(l.site(), l.people["doctor"], l.today(), field.Attributes{70})), "doctor")
		l.do(contract.ConsentRandomise, must[consent.Randomise](b)(d.Eligible(b.Context(), l.site(), l.people["doctor"], 1, &p, l.today())), "doctor")
		dose := device.Visit{Kind: act.Dose, Site: l.site(), Slot: trial.FirstDose, Day: l.today()}
		l.do(contract.ConsentEntry, must[consent.Entry](b)(d.Entry(b.Context(), dose, 1)), "nurse")
	}
	file := l.file()
	for b.Loop() {
		r, err := Verify(b.Context(), bytes.NewReader(file), int64(len(file)), Builtin())
		if err != nil || r.Verdict != Reservations {
			b.Fatal(err, text(r))
		}
	}
	b.ReportMetric(float64(len(file)), "bytes/file")
}

// BenchmarkVerifyPilot verifies the small file of the tests.
func BenchmarkVerifyPilot(b *testing.B) {
	file := golden(b)
	for b.Loop() {
		check(b, file)
	}
}
