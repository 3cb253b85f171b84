package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
)

// The limits of the box that checks anything.
const (
	maxQuery     = 200 // bytes of what is asked
	maxCheckForm = 4 << 10
	maxListed    = 100 // studies on the home page
)

// homePage is the home page. Query and Wrong come back from a mistaken check.
type homePage struct {
	Query, Wrong string
	Studies      []studyLine
	More         int
	Name         string
	Height       uint64
	Time         int64
	Witnessing   witnessing
}

func (s *site) home(c *gin.Context) (view, error) { return s.homeWith(c, "", "") }

func (s *site) homeWith(c *gin.Context, query, wrong string) (view, error) {
	g, h := s.Ledger.Genesis(), s.Ledger.Head()
	p := homePage{Query: query, Wrong: wrong, Name: g.Name, Height: h.Height, Time: h.Time, Witnessing: s.witnessing()}
	trials, err := s.Model.Trials(c)
	if err != nil {
		return view{}, err
	}
	if len(trials) > maxListed {
		p.More, trials = len(trials)-maxListed, trials[:maxListed]
	}
	for _, t := range trials {
		vs, err := s.versions(c, t.ID)
		if err != nil {
			return view{}, err
		}
		p.Studies = append(p.Studies, studyLine{t, vs})
	}
	v := view{Title: "Check a clinical trial", Body: homeView(p)}
	if wrong != "" {
		v.Status, v.Wrong = http.StatusBadRequest, true
	}
	return v, nil
}

// postCheck sends a form to the address of its answer, which can be kept and shared.
func (s *site) postCheck(c *gin.Context) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxCheckForm)
	if err := c.Request.ParseForm(); err != nil {
		s.show(c, view{
			Status: http.StatusBadRequest, Title: "This form could not be read",
			Body: problemPage("This form could not be read", "Go back and enter a name, a number or a hash. To check a file, use the page for evidence files."),
		})
		return
	}
	c.Redirect(http.StatusSeeOther, "/check?"+url.Values{"q": {c.Request.PostForm.Get("q")}}.Encode())
}

// found is the answer to a check that leads to no single page.
type found struct {
	Query, Sentence string
	Links           []link
	Try             []string
}

// check finds what a name is the name of.
func (s *site) check(c *gin.Context) (view, error) {
	q := strings.TrimSpace(c.Query("q"))
	switch {
	case q == "":
		return s.homeWith(c, "", "Enter a study, a number, a hash or the name of an entry")
	case len(q) > maxQuery:
		return s.homeWith(c, "", "Enter at most 200 characters")
	}
	links, err := s.find(c, q)
	if err != nil {
		return view{}, err
	}
	switch len(links) {
	case 0:
		return nothing(q), nil
	case 1:
		c.Redirect(http.StatusSeeOther, links[0].Address)
		return view{}, errSent
	default:
		return ambiguous(q, links), nil
	}
}

func ambiguous(q string, links []link) view {
	return view{Title: "More than one answer", Trail: []link{{"Home", "/"}}, Body: foundView(found{
		Query: q, Links: links, Sentence: "This ledger knows more than one thing by this name. Choose one.",
	})}
}

func nothing(q string) view {
	f := found{Query: q, Sentence: "Nothing on this ledger has this name."}
	switch hash, isHex := asHash(q); {
	case isCID(q):
		f.Try = append(f.Try, "This looks like the content identifier (CID) of a results package. No package with it is named on this ledger.")
	case isHex && len(hash) != 64:
		f.Try = append(f.Try, "A hash has 64 digits; this has "+strconv.Itoa(len(hash))+". Check that all of it was copied.")
	case isHex:
		f.Try = append(f.Try, "A receipt may be newer than what this server has read: try again in a minute.",
			"The hash may belong to another ledger: compare the name of the ledger on the receipt with the one at the foot of this page.")
	}
	f.Try = append(f.Try,
		"A study’s number in a public register, or part of its title.",
		"The 64 digits of a study, a transaction, a leaf, a consent account, an actor or a registered document.",
		"The content identifier (CID) of a results package.",
		"An entry by its name, such as trial/57 or directory/3, or a tree, such as N-1.",
		"For a file that ends in .trialith, the page that checks evidence files.")
	return view{Status: http.StatusNotFound, Title: "Nothing found", Trail: []link{{"Home", "/"}}, Body: foundView(f)}
}

var (
	entryName = regexp.MustCompile(`^(trial|directory)/(0|[1-9][0-9]{0,17})$`)
	treeName  = regexp.MustCompile(`^([NE]-[0-9]{1,9}|X-[0-9]{1,9}-[0-9]{1,9}|pass-[0-9]{1,9}|eligible)$`)
	hexName   = regexp.MustCompile(`^(0x)?[0-9a-fA-F]{12,}$`)
	cidName   = regexp.MustCompile(`^(bafy|bafk|Qm)[0-9a-zA-Z]{20,}$`)
)

// asHash reads a hash as people copy it: with 0x before it, or in capitals.
func asHash(q string) (string, bool) {
	return strings.ToLower(strings.TrimPrefix(q, "0x")), hexName.MatchString(q)
}

func isCID(q string) bool { return cidName.MatchString(q) }

// find lists the pages that a name can mean, by the form of the name.
func (s *site) find(ctx context.Context, q string) ([]link, error) {
	if m := entryName.FindStringSubmatch(q); m != nil {
		n, err := strconv.ParseUint(m[2], 10, 63)
		if err != nil {
			return nil, nil //nolint:nilerr // the expression admits no other form
		}
		return s.findNamed(ctx, m[1], n, "")
	}
	trials, err := s.Model.Trials(ctx)
	if err != nil {
		return nil, err
	}
	if treeName.MatchString(q) {
		return s.findTree(ctx, trials, q)
	}
	if cid, err := trial.ParseCID(q); err == nil {
		return s.findPackage(ctx, trials, cid)
	}
	if hash, ok := asHash(q); ok && len(hash) == 64 {
		var h wire.Hash
		if err := h.UnmarshalText([]byte(hash)); err != nil {
			return nil, err
		}
		return s.findHash(ctx, trials, h)
	}
	return s.findText(ctx, trials, q)
}

func (s *site) findTree(ctx context.Context, trials []readmodel.Trial, name string) (found []link, err error) {
	for _, t := range trials {
		trees, err := s.Model.Trees(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		for _, tree := range trees {
			if tree.Name == name {
				found = append(found, link{"Tree " + name + " of " + studyName(t), studyAddress(t.ID) + "#trees"})
			}
		}
	}
	return found, nil
}

func (s *site) findPackage(ctx context.Context, trials []readmodel.Trial, cid trial.CID) (found []link, err error) {
	named, err := s.Model.Packages(ctx, cid)
	for _, t := range trials {
		if n, ok := named[t.ID]; ok {
			found = append(found, link{fmt.Sprintf("Results package %d of %s", n, studyName(t)), studyAddress(t.ID) + "#results"})
		}
	}
	return found, err
}

// findHash asks every table that hashes name something in, one after another.
// No two of them can hold the same hash, as each is made under a tag of its own.
func (s *site) findHash(ctx context.Context, trials []readmodel.Trial, h wire.Hash) ([]link, error) {
	g := s.Ledger.Genesis()
	if wire.LedgerID(h) == g.ID() {
		return []link{{"This ledger", "/ledger"}}, nil
	}
	for _, t := range trials {
		if t.ID == trial.ID(h) {
			return []link{{studyName(t), studyAddress(t.ID)}}, nil
		}
	}
	e, err := s.Model.Entry(ctx, wire.TxHash(h))
	if err == nil {
		return []link{{e.Name, "/ledger/" + e.Hash.String()}}, nil
	}
	if !errors.Is(err, readmodel.ErrUnknown) {
		return nil, err
	}
	for _, t := range trials {
		links, err := s.findInStudy(ctx, t, h)
		if err != nil || len(links) > 0 {
			return links, err
		}
	}
	return s.findActor(ctx, h)
}

func (s *site) findInStudy(ctx context.Context, t readmodel.Trial, h wire.Hash) ([]link, error) {
	_, err := s.Model.Member(ctx, t.ID, field.Leaf(h))
	if err == nil {
		return []link{{"Leaf", studyAddress(t.ID) + "/leaves/" + h.String()}}, nil
	}
	if !errors.Is(err, readmodel.ErrUnknown) {
		return nil, err
	}
	a, err := s.Model.Account(ctx, t.ID, field.Account(h))
	if err == nil {
		return []link{{"Consent account", nameAddress(t.ID, a.Entry)}}, nil
	}
	if !errors.Is(err, readmodel.ErrUnknown) {
		return nil, err
	}
	return s.findDocument(ctx, t, trial.Digest(h))
}

// findDocument looks for the hash of a registered document or set of forms.
func (s *site) findDocument(ctx context.Context, t readmodel.Trial, d trial.Digest) (found []link, err error) {
	versions, err := s.Model.Versions(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		whole, err := s.Model.Version(ctx, t.ID, v.Version)
		if err != nil {
			return nil, err
		}
		if whole.FormSet == d || whole.Protocol != nil && hasDocument(whole.Protocol, d) {
			found = append(found, link{"Version " + v.Version.String() + " of " + studyName(t), versionAddress(t.ID, v.Version)})
		}
	}
	return found, nil
}

func hasDocument(p *trial.Protocol, d trial.Digest) bool {
	for _, x := range p.Documents {
		if x.SHA256 == d {
			return true
		}
	}
	return false
}

// findActor leads to the entry that registered an actor, or to the genesis.
func (s *site) findActor(ctx context.Context, h wire.Hash) ([]link, error) {
	a, err := s.Model.Actor(ctx, trial.ActorID(h))
	if errors.Is(err, readmodel.ErrUnknown) {
		a, err = s.Model.Signer(ctx, wire.KeyID(h))
	}
	if errors.Is(err, readmodel.ErrUnknown) {
		return nil, nil
	}
	return []link{{a.Name + ", " + roleWord(a.Role), "/ledger?stream=directory"}}, err
}

// findText looks for a register's number, else for a part of a title.
func (s *site) findText(ctx context.Context, trials []readmodel.Trial, q string) (found []link, err error) {
	var titled []link
	for _, t := range trials {
		v, err := s.Model.Version(ctx, t.ID, t.Latest)
		if err != nil {
			return nil, err
		}
		here := link{studyName(t), studyAddress(t.ID)}
		switch {
		case v.Protocol != nil && hasNumber(v.Protocol, q):
			found = append(found, here)
		case len(q) >= 3 && (contains(t.Title, q) || contains(t.Acronym, q) || v.Protocol != nil && contains(v.Protocol.PublicTitle, q)):
			titled = append(titled, here)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	return titled, nil
}

func hasNumber(p *trial.Protocol, q string) bool {
	for _, id := range p.Identifiers {
		if strings.EqualFold(strings.TrimSpace(id.Number), q) {
			return true
		}
	}
	return false
}

func contains(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}
