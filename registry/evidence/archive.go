package evidence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// The one encoding of the archive: each part stored, in the order of the
// layout, dated at the zip format's first moment, without comment or extra
// field; then the directory; then its end (PKWARE APPNOTE 4.3).
const (
	signLocal   = 0x04034b50
	signCentral = 0x02014b50
	signEnd     = 0x06054b50

	localSize   = 30
	centralSize = 46
	endSize     = 22

	needed   = 10     // version to extract: stored files
	firstDay = 0x0021 // 1980-01-01
)

// Bounds of what is looked at in an archive that somebody else made.
const (
	maxMembers    = 64
	maxComment    = 1<<16 - 1
	methodStored  = 0
	maxCentralAll = 64 << 10
)

// member is one file of an archive.
type member struct {
	name   string
	method uint16
	data   []byte
}

// encodeArchive writes the canonical archive of the members.
func encodeArchive(w io.Writer, members []member) error {
	var central bytes.Buffer
	offset := 0
	for _, m := range members {
		head := entryFields(m)
		local := binary.LittleEndian.AppendUint32(nil, signLocal)
		local = append(append(local, head...), m.name...)
		if _, err := w.Write(local); err != nil {
			return err
		}
		if _, err := w.Write(m.data); err != nil {
			return err
		}
		c := binary.LittleEndian.AppendUint32(nil, signCentral)
		c = binary.LittleEndian.AppendUint16(c, needed) // made by: the same, on no system
		c = append(c, head...)
		c = append(c, make([]byte, 10)...) // comment, disk, attributes
		c = binary.LittleEndian.AppendUint32(c, uint32(offset))
		central.Write(append(c, m.name...))
		offset += len(local) + len(m.data)
	}
	end := binary.LittleEndian.AppendUint32(central.Bytes(), signEnd)
	end = binary.LittleEndian.AppendUint32(end, 0) // disks
	end = binary.LittleEndian.AppendUint16(end, uint16(len(members)))
	end = binary.LittleEndian.AppendUint16(end, uint16(len(members)))
	end = binary.LittleEndian.AppendUint32(end, uint32(central.Len()))
	end = binary.LittleEndian.AppendUint32(end, uint32(offset))
	end = binary.LittleEndian.AppendUint16(end, 0) // comment
	_, err := w.Write(end)
	return err
}

// entryFields are the fields that a local header and a directory entry share,
// from the version needed to the length of the extra field.
func entryFields(m member) []byte {
	b := binary.LittleEndian.AppendUint16(nil, needed)
	b = binary.LittleEndian.AppendUint16(b, 0) // flags
	b = binary.LittleEndian.AppendUint16(b, methodStored)
	b = binary.LittleEndian.AppendUint16(b, 0) // time
	b = binary.LittleEndian.AppendUint16(b, firstDay)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(m.data))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(m.data)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(m.data)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(m.name)))
	return binary.LittleEndian.AppendUint16(b, 0) // extra
}

var errNotZip = errors.New("not a zip archive")

// readArchive finds the members of any archive, canonical or not. Nothing is
// unpacked and nothing copied: a member is a part of b.
func readArchive(b []byte) ([]member, error) {
	end := findEnd(b)
	if end < 0 {
		return nil, fmt.Errorf("%w: no end of a directory", errNotZip)
	}
	count := int(binary.LittleEndian.Uint16(b[end+10:]))
	size := int(binary.LittleEndian.Uint32(b[end+12:]))
	at := int(binary.LittleEndian.Uint32(b[end+16:]))
	if count > maxMembers || size > maxCentralAll {
		return nil, fmt.Errorf("%d files in the archive; at most %d are looked at", count, maxMembers)
	}
	if at > end || size > end-at {
		return nil, fmt.Errorf("%w: its directory lies outside", errNotZip)
	}
	directory := b[at : at+size]
	var members []member
	for range count {
		m, rest, err := readMember(b, directory)
		if err != nil {
			return nil, err
		}
		members, directory = append(members, m), rest
	}
	return members, nil
}

// findEnd is where the end of the directory begins, -1 for nowhere.
func findEnd(b []byte) int {
	mark := binary.LittleEndian.AppendUint32(nil, signEnd)
	from := max(0, len(b)-endSize-maxComment)
	i := bytes.LastIndex(b[from:], mark)
	if i < 0 || len(b)-from-i < endSize {
		return -1
	}
	return from + i
}

// readMember reads the directory's first entry, and the local header that it
// points to as far as it says where the data begin.
func readMember(b, directory []byte) (m member, rest []byte, err error) {
	if len(directory) < centralSize || binary.LittleEndian.Uint32(directory) != signCentral {
		return m, nil, fmt.Errorf("%w: an entry of its directory is damaged", errNotZip)
	}
	method := binary.LittleEndian.Uint16(directory[10:])
	size := int(binary.LittleEndian.Uint32(directory[20:]))
	name := int(binary.LittleEndian.Uint16(directory[28:]))
	more := int(binary.LittleEndian.Uint16(directory[30:])) + int(binary.LittleEndian.Uint16(directory[32:]))
	at := int(binary.LittleEndian.Uint32(directory[42:]))
	if len(directory)-centralSize < name+more {
		return m, nil, fmt.Errorf("%w: an entry of its directory is cut off", errNotZip)
	}
	m = member{name: string(directory[centralSize : centralSize+name]), method: method}
	if at > len(b)-localSize {
		return m, nil, fmt.Errorf("%w: %q lies outside", errNotZip, m.name)
	}
	at += localSize + int(binary.LittleEndian.Uint16(b[at+26:])) + int(binary.LittleEndian.Uint16(b[at+28:]))
	if at > len(b) || size > len(b)-at {
		return m, nil, fmt.Errorf("%w: %q is cut off", errNotZip, m.name)
	}
	m.data = b[at : at+size]
	return m, directory[centralSize+name+more:], nil
}

// comparing is a writer that compares what is written with what it has.
type comparing struct {
	want []byte
	at   int
}

var errDiffers = errors.New("differs")

func (c *comparing) Write(p []byte) (int, error) {
	n := min(len(p), len(c.want)-c.at)
	if bytes.Equal(p[:n], c.want[c.at:c.at+n]) && n == len(p) {
		c.at += n
		return n, nil
	}
	for i := range n {
		if p[i] != c.want[c.at] {
			break
		}
		c.at++
	}
	return 0, errDiffers
}
