package client

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// LetterSize is the size of every letter in bytes, so that its size says nothing.
const LetterSize = 4096

// encapsulated is the length of HPKE's encapsulated key for P-256.
const encapsulated = 65

const letterInfo = "trialith/v1/mail"

// Card is the first letter of a card: what a site invites to, and where answers
// go. Field names are those of the letter's JSON.
type Card struct {
	Type         string `json:"type"` // "card"
	Ledger       string `json:"ledger"`
	Trial        string `json:"trial"`
	Site         string `json:"site"`
	SiteName     string `json:"siteName"`
	Investigator string `json:"investigator"` // ActorID: who will sign the enrolment
	Version      uint32 `json:"version"`
	Day          int64  `json:"day"`     // of enrolment, days since 1970
	Study        string `json:"study"`   // title
	Contact      string `json:"contact"` // of the site, for questions and for leaving by word
	Inbox        []byte `json:"inbox"`   // the site's public key, 65 bytes
	Code         string `json:"code"`    // study code of the subject
}

// Letter is any other letter between a site and its participant; Type says which
// fields are in it.
//
// A site writes "enrolled", "refused", "countersigned", "visited" and
// "acknowledged"; a participant writes "enrol", "receipt", "visit" and
// "withdrawn", the notice on which dosing stops.
type Letter struct {
	Type        string `json:"type"`
	From        string `json:"from,omitempty"`    // of a participant: what [Code.From] gives
	Box         string `json:"box,omitempty"`     // of the card
	Subject     string `json:"subject,omitempty"` // study code
	Body        []byte `json:"body,omitempty"`    // of a transaction that the site signs
	Code        string `json:"code,omitempty"`    // of a visit, as it is said at the desk
	Version     uint32 `json:"version,omitempty"`
	Epoch       uint64 `json:"epoch,omitempty"`
	Slot        string `json:"slot,omitempty"`
	What        string `json:"what,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Transaction string `json:"transaction,omitempty"`
}

func pad(words any, size int) ([]byte, error) {
	b, err := json.Marshal(words)
	if err != nil {
		return nil, fmt.Errorf("letter: %w", err)
	}
	if len(b) > size-2 {
		return nil, fmt.Errorf("letter: %d bytes; at most %d", len(b), size-2)
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), append(b, make([]byte, size-2-len(b))...)...), nil
}

func unpad(plain []byte, words any) error {
	if len(plain) < 2 {
		return errors.New("letter: too short")
	}
	n := int(binary.BigEndian.Uint16(plain))
	if n > len(plain)-2 || len(bytes.Trim(plain[2+n:], "\x00")) != 0 {
		return errors.New("letter: padded in another way than letters are")
	}
	if err := json.Unmarshal(plain[2:2+n], words); err != nil {
		return fmt.Errorf("letter: %w", err)
	}
	return nil
}

// Inbox is a site's own mailbox: who has its public key can write to it, and the
// site alone can read.
type Inbox struct{ key *ecdh.PrivateKey }

// NewInbox makes an inbox.
func NewInbox() (*Inbox, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	return &Inbox{key}, err
}

// ParseInbox restores an inbox from the bytes that [Inbox.Secret] gave.
func ParseInbox(secret []byte) (*Inbox, error) {
	key, err := ecdh.P256().NewPrivateKey(secret)
	return &Inbox{key}, err
}

// Secret is the private key, 32 bytes.
func (i *Inbox) Secret() []byte { return i.key.Bytes() }

// Public is what cards name, 65 bytes.
func (i *Inbox) Public() []byte { return i.key.PublicKey().Bytes() }

// Box is where letters to this inbox are.
func (i *Inbox) Box() Box { return InboxBox(i.Public()) }

// InboxBox is the mailbox of a public key.
func InboxBox(public []byte) Box {
	sum := sha256.Sum256(append([]byte("trialith/v1/inbox\x00"), public...))
	return Box(sum[:16])
}

// Open reads a letter of the inbox into words.
func (i *Inbox) Open(letter []byte, words any) error {
	if len(letter) != LetterSize {
		return fmt.Errorf("letter: %d bytes, want %d", len(letter), LetterSize)
	}
	key, err := hpke.NewDHKEMPrivateKey(i.key)
	if err != nil {
		return err
	}
	r, err := hpke.NewRecipient(letter[:encapsulated], key, hpke.HKDFSHA256(), hpke.AES128GCM(), []byte(letterInfo))
	if err != nil {
		return errors.New("letter: no point of the curve where the sender's key should be")
	}
	box := i.Box()
	plain, err := r.Open(box[:], letter[encapsulated:])
	if err != nil {
		return errors.New("letter: not sealed for this inbox")
	}
	return unpad(plain, words)
}

// SealTo makes a letter for the inbox of a public key (HPKE, RFC 9180:
// DHKEM(P-256), HKDF-SHA256, AES-128-GCM).
func SealTo(public []byte, words any) ([]byte, error) {
	p, err := ecdh.P256().NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	key, err := hpke.NewDHKEMPublicKey(p)
	if err != nil {
		return nil, err
	}
	enc, s, err := hpke.NewSender(key, hpke.HKDFSHA256(), hpke.AES128GCM(), []byte(letterInfo))
	if err != nil {
		return nil, err
	}
	plain, err := pad(words, LetterSize-encapsulated-16)
	if err != nil {
		return nil, err
	}
	box := InboxBox(public)
	sealed, err := s.Seal(box[:], plain)
	return append(enc, sealed...), err
}

// Posted is a letter as it lies in a mailbox.
type Posted struct {
	Sequence uint64 `json:"sequence"`
	Body     []byte `json:"body"`
}

// Post puts a letter into a mailbox. It is durable when Post returns.
func (c *Client) Post(ctx context.Context, box Box, letter []byte) error {
	r, err := c.do(ctx, request{method: http.MethodPost, path: "/v1/mail/" + box.String(), kind: "application/octet-stream", body: letter})
	if err != nil {
		return err
	}
	defer r.Body.Close() //nolint:errcheck // read to its end
	_, err = io.Copy(io.Discard, io.LimitReader(r.Body, maxJSON))
	return err
}

// Mail reads the letters of a mailbox after a sequence, some of them.
func (c *Client) Mail(ctx context.Context, box Box, after uint64) ([]Posted, error) {
	var answer struct {
		Messages []Posted `json:"messages"`
	}
	err := c.get(ctx, fmt.Sprintf("/v1/mail/%v?after=%d", box, after), &answer)
	return answer.Messages, err
}
