package trial

import (
	"fmt"
	"strings"
)

// Limits of a form's questions.
const (
	maxQuestions = 16
	minAnswers   = 2
	maxAnswers   = 6
)

// Question is asked on the form before consent, so that whoever consents can
// see whether they have understood what they read (ICH E6(R3) 2.8.2). Its
// answers stay on the device: none is published or committed to.
type Question struct {
	_       struct{} `cbor:",toarray"`
	ID      string
	Text    string
	Answers []string // 2 to 6
	Right   uint32   // index of the right one
	Why     string   // what is told after an answer
}

func (f *Form) checkQuestions() error {
	if len(f.Questions) > maxQuestions {
		return fmt.Errorf("forms: %q: %d questions; at most %d", f.ID, len(f.Questions), maxQuestions)
	}
	var ids []string
	for _, q := range f.Questions {
		if err := q.check(); err != nil {
			return fmt.Errorf("forms: %q: questions: %q: %w", f.ID, q.ID, err)
		}
		ids = append(ids, q.ID)
	}
	return unique(fmt.Sprintf("forms: %q: questions", f.ID), ids)
}

func (q *Question) check() error {
	if n := len(q.Answers); n < minAnswers || n > maxAnswers {
		return fmt.Errorf("%d answers; give %d to %d", n, minAnswers, maxAnswers)
	}
	for _, s := range append([]string{q.Text, q.Why}, q.Answers...) {
		if strings.TrimSpace(s) == "" {
			return fmt.Errorf("its text, each answer and why the right one is right are needed")
		}
	}
	if int64(q.Right) >= int64(len(q.Answers)) {
		return fmt.Errorf("the right answer is number %d counted from 0, of %d", q.Right, len(q.Answers))
	}
	return nil
}

func (q *Question) eachText(field string, add func(field string, limit int, texts ...string)) {
	add(field, maxID, q.ID)
	add(field, maxName, q.Text, q.Why)
	add(field, maxName, q.Answers...)
}

// parts tells a question's parts one by one, so that a comparison names the one
// that changed.
func (q *Question) parts(name string, n *named) {
	name += ": question " + q.ID
	n.add(name, q.Text)
	for i, a := range q.Answers {
		n.add(fmt.Sprintf("%s, answer %d", name, i+1), a)
	}
	n.add(name+", right answer", fmt.Sprint(q.Right+1))
	n.add(name+", why", q.Why)
}
