package client

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Box names a mailbox: whoever knows the name may read and post there, and all
// that is in it is sealed.
type Box [16]byte

func (b Box) String() string { return hex.EncodeToString(b[:]) }

// codeLetters are Crockford's: none is mistaken for another when it is read aloud.
const codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const codeLength = 12

// Code is what an invitation card says: 55 random bits and a check character. It
// leads a participant's device to its site's letters, and says nothing of the
// participant; no secret of theirs is made of it.
type Code string

// NewCode makes a code.
func NewCode() Code {
	var b [codeLength - 1]byte
	rand.Read(b[:]) //nolint:errcheck // never fails (crypto/rand)
	for i := range b {
		b[i] = codeLetters[b[i]%32]
	}
	return Code(string(b[:]) + string(checkLetter(string(b[:]))))
}

// checkLetter weighs places by odd numbers, so that it sees each single exchange.
func checkLetter(letters string) byte {
	sum := 0
	for i := range len(letters) {
		sum += (2*i + 1) * strings.IndexByte(codeLetters, letters[i])
	}
	return codeLetters[sum%32]
}

// ParseCode reads a code as people write it: in any case, in groups, with O for 0
// and I or L for 1.
func ParseCode(s string) (Code, error) {
	s = strings.NewReplacer(" ", "", "-", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(s))
	if len(s) != codeLength {
		return "", fmt.Errorf("code: %d characters; a card's has %d", len(s), codeLength)
	}
	for i := range len(s) {
		if strings.IndexByte(codeLetters, s[i]) < 0 {
			return "", fmt.Errorf("code: character %d is none that cards use", i+1)
		}
	}
	if checkLetter(s[:codeLength-1]) != s[codeLength-1] {
		return "", errors.New("code: a character is wrong; compare it with the card")
	}
	return Code(s), nil
}

// String writes the code in three groups.
func (c Code) String() string {
	if len(c) != codeLength {
		return string(c)
	}
	return string(c[:4] + "-" + c[4:8] + "-" + c[8:])
}

// Box is the card's mailbox, where the site's letters to its participant are.
func (c Code) Box() Box { return c.stretched().box() }

// From is what a participant's letters to the site carry: who has not seen the
// card cannot write in its name, though they have the site's public key, know the
// study code, or keep the mailbox.
func (c Code) From() string { return hex.EncodeToString(c.stretched().derive("from", 16)) }

// stretching is how many hashes it takes to try a code: 55 bits alone would be
// within reach of who keeps a mailbox, and sees what boxes there are.
const stretching = 1 << 16

// stretched is the secret that a code stands for. It takes a while to work out:
// once for each thing that is done with a code.
type stretched []byte

func (c Code) stretched() stretched {
	secret, err := pbkdf2.Key(sha256.New, string(c), []byte("trialith/v1/card"), stretching, 32)
	if err != nil {
		panic(err) // its parameters are constants of this file
	}
	return secret
}

func (s stretched) derive(what string, n int) []byte {
	b, err := hkdf.Key(sha256.New, s, nil, "trialith/v1/card/"+what, n)
	if err != nil {
		panic(err) // n is a constant of this file, far below the limit
	}
	return b
}

func (s stretched) box() Box { return Box(s.derive("box", 16)) }

func (s stretched) aead() cipher.AEAD {
	block, err := aes.NewCipher(s.derive("key", 32))
	if err != nil {
		panic(err) // the key has its length
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return a
}

// Seal makes a letter for the card's mailbox.
func (c Code) Seal(words any) ([]byte, error) {
	secret := c.stretched()
	a, box := secret.aead(), secret.box()
	plain, err := pad(words, LetterSize-a.NonceSize()-a.Overhead())
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, a.NonceSize(), LetterSize)
	rand.Read(nonce)                                //nolint:errcheck // never fails (crypto/rand)
	return a.Seal(nonce, nonce, plain, box[:]), nil //nolint:gosec // the nonce was drawn above
}

// Open reads a letter of the card's mailbox into words.
func (c Code) Open(letter []byte, words any) error {
	secret := c.stretched()
	a, box := secret.aead(), secret.box()
	if len(letter) != LetterSize {
		return fmt.Errorf("letter: %d bytes, want %d", len(letter), LetterSize)
	}
	n := a.NonceSize()
	plain, err := a.Open(nil, letter[:n], letter[n:], box[:])
	if err != nil {
		return errors.New("letter: not sealed for this card")
	}
	return unpad(plain, words)
}
