package node

import (
	"time"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// Store keeps what has to outlive the host. A method that returns nil has put its
// argument on disk.
type Store interface {
	// Changes returns every change recorded, in order.
	Changes() ([]rooms.Change, error)
	Record(changes ...rooms.Change) error
	// Compact replaces all changes by a shorter list that means the same.
	Compact(snapshot []rooms.Change) error
	// Log opens a room's log, or makes it.
	Log(key rooms.RoomKey) (Log, error)
	// Size is the number of bytes on disk.
	Size() (int64, error)
}

// Log is one room's history. Append is called by one goroutine; the others may
// be called from any at the same time, and see only what is on disk.
type Log interface {
	Epoch() uint64
	Head() rooms.Seq
	Append(messages []rooms.Message) error
	// After returns messages behind seq, oldest first, at most limit.
	After(seq rooms.Seq, limit int) ([]rooms.Message, error)
	Last(n int) ([]rooms.Message, error)
	Since(t time.Time, limit int) ([]rooms.Message, error)
	// Repaired tells what was mended when the log was opened; Damage what
	// could not be, so that the room can only be read.
	Repaired() string
	Damage() error
	Close() error
}

// passing is the log of a room that keeps no history: the latest messages, in
// memory, for sessions that lag or come back.
type passing struct {
	epoch uint64
	ring  *ring
}

// passingMessages bounds what a room without history remembers.
const passingMessages = 512

func newPassing(epoch uint64) Log { return &passing{epoch: epoch, ring: newRing(passingMessages)} }

func (p *passing) Epoch() uint64                         { return p.epoch }
func (p *passing) Head() rooms.Seq                       { return p.ring.head() }
func (p *passing) Append(messages []rooms.Message) error { p.ring.add(messages); return nil }
func (p *passing) After(seq rooms.Seq, limit int) ([]rooms.Message, error) {
	return p.ring.after(seq, limit), nil
}
func (p *passing) Last(int) ([]rooms.Message, error)             { return nil, nil }
func (p *passing) Since(time.Time, int) ([]rooms.Message, error) { return nil, nil }
func (p *passing) Repaired() string                              { return "" }
func (p *passing) Damage() error                                 { return nil }
func (p *passing) Close() error                                  { return nil }

// appendPage encodes messages for a session that reads them from the log.
func appendPage(buf []byte, room rooms.RoomID, messages []rooms.Message, replayTo rooms.Seq) []byte {
	for _, m := range messages {
		m.Room = room
		buf = wire.AppendEvent(buf, 0, rooms.Posted{Message: m, Replayed: m.Seq <= replayTo})
	}
	return buf
}
