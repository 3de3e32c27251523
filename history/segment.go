package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"p2pchat/rooms"
)

// The format. These never change within a version.
const (
	version    = 1
	logMagic   = "P2PCLOG1"
	stateMagic = "P2PCSTA1"

	headerSize = 64
	frameHead  = 18
	frameMagic = 0xA7
	maxPayload = 256 << 10 // bytes

	flagRestart = 1 << 0 // first frame of a block: a new gob stream begins
	flagBegin   = 1 << 1 // first frame of a write
	flagEnd     = 1 << 2 // last frame of a write
	flagRedacts = 1 << 3 // a redaction
	flagsKnown  = flagRestart | flagBegin | flagEnd | flagRedacts
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errHeader says that the first 64 bytes of a file are no header.
var errHeader = errors.New("its header is broken")

// header is the beginning of a file.
type header struct {
	salt    uint32
	room    rooms.RoomKey
	first   rooms.Seq
	epoch   uint64 // state: frames in the snapshot
	created int64  // Unix milliseconds

	rewrites uint32 // how often the file was replaced by one with less in it
}

func (h header) encode(magic string) []byte {
	b := make([]byte, headerSize)
	copy(b, magic)
	binary.LittleEndian.PutUint16(b[8:], version)
	binary.LittleEndian.PutUint32(b[12:], h.salt)
	copy(b[16:32], h.room[:])
	binary.LittleEndian.PutUint64(b[32:], uint64(h.first))
	binary.LittleEndian.PutUint64(b[40:], h.epoch)
	binary.LittleEndian.PutUint64(b[48:], uint64(h.created))
	binary.LittleEndian.PutUint32(b[56:], h.rewrites)
	binary.LittleEndian.PutUint32(b[60:], crc32.Checksum(b[:60], castagnoli))
	return b
}

// decodeHeader reads the header of the file called name. The error is errHeader
// or a *VersionError.
func decodeHeader(b []byte, magic, name string) (header, error) {
	if len(b) != headerSize || string(b[:8]) != magic ||
		binary.LittleEndian.Uint32(b[60:]) != crc32.Checksum(b[:60], castagnoli) {
		return header{}, errHeader
	}
	if v := binary.LittleEndian.Uint16(b[8:]); v > version {
		return header{}, &VersionError{File: name, Version: int(v)}
	} else if v == 0 {
		return header{}, errHeader
	}
	h := header{
		salt:    binary.LittleEndian.Uint32(b[12:]),
		room:    rooms.RoomKey(b[16:32]),
		first:   rooms.Seq(binary.LittleEndian.Uint64(b[32:])),
		epoch:   binary.LittleEndian.Uint64(b[40:]),
		created: int64(binary.LittleEndian.Uint64(b[48:])),

		rewrites: binary.LittleEndian.Uint32(b[56:]),
	}
	return h, nil
}

// readHeader reads the header of f, a file called name with size bytes.
func readHeader(f file, name, magic string, size int64) (header, error) {
	if size < headerSize {
		return header{}, errHeader
	}
	b := make([]byte, headerSize)
	if _, err := f.ReadAt(b, 0); err != nil {
		return header{}, err
	}
	return decodeHeader(b, magic, name)
}

// frame is one record as it lies in a file.
type frame struct {
	off     int64 // where it starts
	flags   byte
	seq     rooms.Seq
	payload []byte
}

// next is the offset behind the frame.
func (fr frame) next() int64 { return fr.off + frameHead + int64(len(fr.payload)) }

// appendFrame adds a frame to b.
func appendFrame(b []byte, salt uint32, flags byte, seq rooms.Seq, payload []byte) []byte {
	at := len(b)
	b = append(b, frameMagic, flags)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.LittleEndian.AppendUint64(b, uint64(seq))
	b = binary.LittleEndian.AppendUint32(b, checksum(salt, b[at+1:at+14], payload))
	return append(b, payload...)
}

// checksum covers a frame's head, without magic and sum, and its payload.
func checksum(salt uint32, head, payload []byte) uint32 {
	return crc32.Update(crc32.Update(salt, castagnoli, head), castagnoli, payload)
}

// segmentName is the name of the segment that starts with first.
func segmentName(first rooms.Seq) string { return fmt.Sprintf("seg-%016x.log", uint64(first)) }

// stateName is the name of the state's n-th generation.
func stateName(n uint64) string { return fmt.Sprintf("state-%016x.log", n) }

// numberIn returns the number in a file name: prefix, 16 hex digits, ".log".
// It is false for every other name.
func numberIn(name, prefix string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	digits, ok = strings.CutSuffix(digits, ".log")
	if !ok || len(digits) != 16 || strings.ToLower(digits) != digits {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	return n, err == nil && n > 0
}
