package rooms

import "time"

// PeerID is a member's unique identifier on a host: the text form of the libp2p
// peer ID of its key (52 characters for ed25519). This package only compares it.
type PeerID string

// Seq numbers the messages of one room: 1, 2, 3, … without a gap. Zero stands
// before the first message.
type Seq uint64

// Kind says what a message is. Kinds are append-only: they are stored.
type Kind uint8

// The kinds.
const (
	Text   Kind = 1 // what somebody said
	Action Kind = 2 // what somebody does: "/me waves"
	FileUp Kind = 3 // somebody shared a file

	Redaction Kind = 4 // the text of message Target was taken out
	Lost      Kind = 5 // what stood here was lost on the host's disk
)

// String returns the kind's name in the JSON output.
func (k Kind) String() string {
	switch k {
	case Text:
		return "text"
	case Action:
		return "action"
	case FileUp:
		return "file"
	case Redaction:
		return "redaction"
	case Lost:
		return "lost"
	}
	return "unknown"
}

// Author is who said something, as known when it was said.
type Author struct {
	Peer PeerID
	Nick string
}

// Origin names a line on its way to the host: the client that sent it and the
// client's own count. The host accepts an origin once, so a line that is sent
// again after a lost connection does not appear twice.
type Origin struct {
	Client uint64 // random, one per client; another program of the same member has another
	Count  uint64 // 1, 2, 3, … per room; zero: the line has no origin and is never matched
}

// Message is one entry of a room's history.
type Message struct {
	Room   RoomID
	Seq    Seq
	Time   time.Time // the host's clock, to the millisecond, never before the previous message's
	Kind   Kind
	From   Author
	Text   string // as sent: not sanitised
	File   *File  // with FileUp
	Origin Origin

	Target   Seq  // with Redaction: the message whose text was taken out
	Redacted bool // its text, or its file, was taken out
	Mark     Mark // of the history up to here; 0: not known
}

// Mark tells one history from another: it is made of the hashes of all messages up
// to some place. Two copies of a room that went different ways since have different
// marks there.
type Mark uint64

// Cursor is a place in a room's history: everything up to and including Seq is
// known. Epoch identifies the history itself and changes when an older copy was
// restored, so that a cursor of one never points into the other. Mark is the one of
// Seq, and finds a copy that was put back without that.
type Cursor struct {
	Epoch uint64
	Seq   Seq
	Mark  Mark // 0: not known
}

// Retention says how much of its history a room keeps; a zero field sets no bound.
// What is over a bound is removed in larger pieces: up to an eighth more may be kept.
type Retention struct {
	Age      time.Duration
	Bytes    int64 // on disk
	Messages int64
}
