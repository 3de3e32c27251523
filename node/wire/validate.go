package wire

import (
	"fmt"
	"math"
	"strings"
	"time"

	"p2pchat/rooms"
)

// TextLimit is the longest text of a message, in bytes. It must be above every
// limit that a host sets itself, so that the host is who refuses a long text.
const TextLimit = 32 << 10

// The limits of the other strings, in bytes. They bound what a frame may carry,
// not what a host accepts: that is less, and its refusal says more.
const (
	peerLimit     = 64      // a peer ID
	nameLimit     = 512     // a nick, a room, a pattern, a host's name
	noteLimit     = 4 << 10 // a topic, a reason, a hint, a link
	idLimit       = 128     // an identifier made by a host
	fileLimit     = 1 << 10 // a file's name
	mimeLimit     = 256
	versionLimit  = 64
	codeLimit     = 48
	pathLimit     = 64
	awayLimit     = 512 // why a member is away: an Entered has many, and comes in one part
	addrLimit     = 512
	pathNameLimit = 32

	HostAddrs    = 16 // addresses that a host tells its members
	addrCount    = 64 // in a HostStatus
	featureLimit = 32
	featureCount = 32 // in a Hello
)

// The times that can be sent, in milliseconds since 1970: the years 1 to 9999.
const (
	firstMilli = -62135596800000
	lastMilli  = 253402300799999
)

// lastLife is the longest duration that can be sent, in milliseconds: what a
// time.Duration holds, 292 years.
const lastLife = math.MaxInt64 / int64(time.Millisecond)

// A check remembers the first fault of a frame. Its methods return the value
// that they check, so that no field is translated without one.
type check struct {
	reason string
	newer  bool // a value that only a later version knows
}

// err returns what the checks found.
func (c *check) err(ref uint64) error {
	switch {
	case c.reason != "":
		return &MalformedError{Ref: ref, Reason: c.reason}
	case c.newer:
		return ErrUnknown
	}
	return nil
}

func (c *check) fail(field, reason string) {
	if c.reason == "" {
		c.reason = field + ": " + reason
	}
}

// text is a string of at most limit bytes. That it is UTF-8, the protobuf
// decoder has seen to.
func (c *check) text(field, s string, limit int) string {
	if len(s) > limit {
		c.fail(field, fmt.Sprintf("%d bytes, at most %d", len(s), limit))
	}
	return s
}

// need is a text that may not be empty.
func (c *check) need(field, s string, limit int) string {
	if s == "" {
		c.fail(field, "missing")
	}
	return c.text(field, s, limit)
}

// ascii is a text, not empty, of visible ASCII characters only.
func (c *check) ascii(field, s string, limit int) string {
	if !isPrintable(s) {
		c.fail(field, "not visible ASCII")
	}
	return c.text(field, s, limit)
}

func (c *check) name(field, s string) string { return c.text(field, s, nameLimit) }

func (c *check) note(field, s string) string { return c.text(field, s, noteLimit) }

func (c *check) room(field, s string) rooms.RoomID { return rooms.RoomID(c.name(field, s)) }

func (c *check) peer(field, s string) rooms.PeerID {
	return rooms.PeerID(c.ascii(field, s, peerLimit))
}

// peerOrNone is a peer ID that may be empty.
func (c *check) peerOrNone(field, s string) rooms.PeerID {
	if s == "" {
		return ""
	}
	return c.peer(field, s)
}

func (c *check) code(field, s string) rooms.Code {
	if s == "" || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		c.fail(field, "not a code")
	}
	return rooms.Code(c.text(field, s, codeLimit))
}

func (c *check) count(field string, n int32) int {
	if n < 0 {
		c.fail(field, "negative")
	}
	return int(n)
}

func (c *check) size(field string, n int64) int64 {
	if n < 0 {
		c.fail(field, "negative")
	}
	return n
}

// enum is a value from first to last. Zero, where it stands for nothing, and
// negative ones are wrong in every version, higher ones belong to a later one.
func (c *check) enum(field string, value int32, first, last uint8) uint8 {
	switch {
	case value < int32(first):
		c.fail(field, "no such value")
		return first
	case value > int32(last):
		c.newer = true
		return last
	}
	return uint8(value)
}

func (c *check) time(field string, milli int64) time.Time {
	switch {
	case milli == 0:
		return time.Time{}
	case milli < firstMilli || milli > lastMilli:
		c.fail(field, "not within the years 1 to 9999")
		return time.Time{}
	}
	return time.UnixMilli(milli).UTC()
}

func (c *check) life(field string, milli int64) time.Duration {
	if milli < -lastLife || milli > lastLife {
		c.fail(field, "longer than 292 years")
		return 0
	}
	return time.Duration(milli) * time.Millisecond
}

func (c *check) key(field string, key []byte) [16]byte {
	if len(key) != 16 {
		c.fail(field, "not 16 bytes")
		return [16]byte{}
	}
	return [16]byte(key)
}

// must says that a part of a message has to be there.
func (c *check) must(field string, there bool) {
	if !there {
		c.fail(field, "missing")
	}
}

// isPrintable reports whether s is at least one visible ASCII character and no other.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}
