package history

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
)

// The places of record's fields in its gob, which never change: fields are only
// added behind the last one.
const (
	fieldTime = iota
	fieldKind
	fieldPeer
	fieldNick
	fieldClient
	fieldCount
	fieldBody
	fieldBodyHash
	fieldPrev
	fieldFile
	fieldFileID
	fieldFileName
)

// gobBytes reads what gob has written, as far as it is needed to find a record's
// text without decoding it: see "Encoding Details" in the documentation of gob.
type gobBytes struct {
	b   []byte
	bad bool // the bytes are something else
}

// uint reads a number: one byte below 128, or its negated length and its bytes.
func (g *gobBytes) uint() uint64 {
	if len(g.b) == 0 {
		g.bad = true
		return 0
	}
	first := g.b[0]
	if first < 0x80 {
		g.b = g.b[1:]
		return uint64(first)
	}
	n := -int(int8(first))
	if n < 1 || n > 8 || 1+n > len(g.b) {
		g.bad = true
		return 0
	}
	var wide [8]byte
	copy(wide[8-n:], g.b[1:1+n])
	g.b = g.b[1+n:]
	return binary.BigEndian.Uint64(wide[:])
}

// bytes reads a string behind its length.
func (g *gobBytes) bytes() []byte {
	n := g.uint()
	if g.bad || n > uint64(len(g.b)) {
		g.bad = true
		return nil
	}
	s := g.b[:n]
	g.b = g.b[n:]
	return s
}

// splitPayload splits a payload into the definitions of types that the first frame of a
// block carries, and the message with the value. It is false for other bytes.
func splitPayload(payload []byte) (types, value []byte, ok bool) {
	g := gobBytes{b: payload}
	for len(g.b) > 0 {
		start := len(payload) - len(g.b)
		message := gobBytes{b: g.bytes()}
		// A type's number is signed, in the lowest bit; a definition has a negative one.
		if isValue := message.uint()&1 == 0; isValue && !g.bad && !message.bad {
			return payload[:start], payload[start:], len(g.b) == 0
		}
		if g.bad || message.bad {
			break
		}
	}
	return nil, nil, false
}

// wordsOf finds in a payload what is searched of the record: its text, and the name of the
// file that it shares. It is false where the payload does not look like a record: then
// only decoding it will tell.
func wordsOf(payload []byte) (body, name []byte, ok bool) {
	_, value, ok := splitPayload(payload)
	if !ok {
		return nil, nil, false
	}
	outer := gobBytes{b: value}
	g := gobBytes{b: outer.bytes()}
	g.uint() // its type
	for field := -1; !g.bad; {
		step := g.uint()
		if step == 0 { // the end
			break
		}
		switch field += int(min(step, 256)); field {
		case fieldBody:
			body = g.bytes()
		case fieldFileName:
			name = g.bytes()
		case fieldPeer, fieldNick, fieldBodyHash, fieldPrev, fieldFileID:
			g.bytes()
		case fieldTime, fieldKind, fieldClient, fieldCount, fieldFile:
			g.uint()
		default: // nothing behind it is searched
			return body, name, !g.bad
		}
	}
	return body, name, !g.bad
}

// definitions are what the first payload of a block says of the type of its records: every
// process gives it a number of its own, but the fields are the same.
type definitions struct {
	types  string
	number string // of the type, as gob writes it
}

// definitionsIn finds the definitions in the first payload of a block.
func definitionsIn(payload []byte) (definitions, bool) {
	types, value, ok := splitPayload(payload)
	if !ok || len(types) == 0 {
		return definitions{}, false
	}
	number, _ := splitValue(value)
	return definitions{string(types), string(number)}, true
}

// splitValue splits a message with a value into the number of its type and the fields.
func splitValue(value []byte) (number, fields []byte) {
	outer := gobBytes{b: value}
	inner := gobBytes{b: outer.bytes()}
	whole := inner.b
	inner.uint()
	return whole[:len(whole)-len(inner.b)], inner.b
}

var errForeign = errors.New("it is no record")

// decode decodes a payload that has lost the beginning of its block into rec, a pointer to
// a zero flat struct.
func (d definitions) decode(payload []byte, rec any) error {
	types, value, ok := splitPayload(payload)
	if !ok || len(types) > 0 {
		return errForeign
	}
	_, fields := splitValue(value)
	b := appendGobUint([]byte(d.types), uint64(len(d.number)+len(fields)))
	b = append(append(b, d.number...), fields...)
	in := bytes.NewReader(b)
	err := gob.NewDecoder(in).Decode(rec)
	if err == nil && in.Len() != 0 {
		err = errSurplus
	}
	return err
}

// appendGobUint adds a number as gob writes it.
func appendGobUint(b []byte, n uint64) []byte {
	if n < 0x80 {
		return append(b, byte(n))
	}
	var wide [8]byte
	binary.BigEndian.PutUint64(wide[:], n)
	short := bytes.TrimLeft(wide[:], "\x00")
	return append(append(b, byte(-len(short))), short...)
}

// ownDefinitions are those that this program makes for a record.
func ownDefinitions(rec any) definitions {
	var w blockWriter
	if _, err := w.add(0, 0, 1, rec); err != nil {
		return definitions{}
	}
	d, _ := definitionsIn(w.buf[frameHead:])
	return d
}
