package node

import (
	"context"
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
	// Revive lets the store record again after it has failed, if the disk lets it.
	Revive() error
	// Log opens a room's log, or makes it.
	Log(key rooms.RoomKey) (Log, error)
	// Discard removes the log of a room that was not made after all.
	Discard(key rooms.RoomKey) error
	// Size is the number of bytes on disk.
	Size() (int64, error)

	// Upload begins to take a file for a room, or goes on with one that was cut off, if
	// allow does not refuse the bytes that it needs. A *rooms.Refusal among the errors
	// is for the member.
	Upload(room rooms.RoomKey, peer rooms.PeerID, f rooms.File, allow func(u rooms.Usage, size int64) *rooms.Refusal) (Upload, error)
	// Content opens a file that a message of the room has shared, or os.ErrNotExist.
	Content(room rooms.RoomKey, id string) (Content, error)
	// TendFiles removes uploads that nobody went on with or posted.
	TendFiles(now time.Time) error
}

// Upload is a file on its way to the disk.
type Upload interface {
	// Offset is how much of it is there.
	Offset() int64
	// Write adds to that.
	Write(b []byte) (int, error)
	// Sync puts on disk what is there. After an error nothing more is taken.
	Sync() error
	// Finish puts all of it on disk and returns the claim on it.
	Finish() (rooms.Claim, error)
	// Close ends it; what is there stays, to go on with.
	Close() error
}

// Content is a file that is being read.
type Content interface {
	// ReadAt fails once the file was taken out of the room.
	ReadAt(b []byte, off int64) (int, error)
	Info() (size int64, hash rooms.Hash)
	Close() error
}

// Log is one room's history. The first six methods are called by one goroutine; the
// others may be called from any at the same time, and see only what is on disk.
type Log interface {
	// Append stores messages, and sets the mark of each.
	Append(messages []rooms.Message) error
	// Redact stores a message of the kind Redaction and takes its target's text out.
	Redact(m rooms.Message) error
	// Retain removes what is over a bound, and returns the last message that it removed;
	// 0: none. It works on a log that has failed, too, to make room.
	Retain(r rooms.Retention, now time.Time) (removed rooms.Seq, err error)
	// Failed is why the log takes no messages any more; nil: it does.
	Failed() error
	// Revive lets the log take messages again after it has failed, if the disk lets it.
	Revive() error
	Close() error

	Epoch() uint64
	Head() rooms.Seq
	// First is the first message that is kept; Head+1: there is none.
	First() rooms.Seq
	// Mark is the mark of the history up to seq; 0: not known.
	Mark(seq rooms.Seq) (rooms.Mark, error)
	// After returns messages behind seq, oldest first, at most limit.
	After(seq rooms.Seq, limit int) ([]rooms.Message, error)
	Last(n int) ([]rooms.Message, error)
	// Search returns the newest messages before a number (0: all) that contain text,
	// oldest first, and before which number to go on; 0: there are no older ones.
	Search(ctx context.Context, text string, before rooms.Seq, limit int) (found []rooms.Message, next rooms.Seq, err error)
	// Files returns the newest messages before a number (0: all) that shared a file which
	// is there, oldest first, and before which number to go on; 0: there are no older ones.
	Files(before rooms.Seq, limit int) (found []rooms.Message, next rooms.Seq, err error)
	// Claims are the uploads to the room that were not posted yet.
	Claims() []rooms.Claim
	// Repaired tells what was mended when the log was opened; Damage what
	// could not be, so that the room can only be read.
	Repaired() string
	Damage() error
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

func (p *passing) Append(messages []rooms.Message) error { p.ring.add(messages); return nil }
func (p *passing) Redact(m rooms.Message) error          { p.ring.redact(m); return nil }
func (p *passing) Failed() error                         { return nil }
func (p *passing) Revive() error                         { return nil }
func (p *passing) Retain(rooms.Retention, time.Time) (rooms.Seq, error) {
	return 0, nil
}
func (p *passing) Epoch() uint64                      { return p.epoch }
func (p *passing) Head() rooms.Seq                    { return p.ring.head() }
func (p *passing) First() rooms.Seq                   { return 1 }
func (p *passing) Mark(rooms.Seq) (rooms.Mark, error) { return 0, nil }
func (p *passing) Search(context.Context, string, rooms.Seq, int) ([]rooms.Message, rooms.Seq, error) {
	return nil, 0, nil
}
func (p *passing) Files(rooms.Seq, int) ([]rooms.Message, rooms.Seq, error) { return nil, 0, nil }
func (p *passing) Claims() []rooms.Claim                                    { return nil }
func (p *passing) After(seq rooms.Seq, limit int) ([]rooms.Message, error) {
	return p.ring.after(seq, limit), nil
}
func (p *passing) Last(n int) ([]rooms.Message, error) {
	head := p.ring.head()
	return p.ring.after(head-min(head, rooms.Seq(n)), n), nil
}
func (p *passing) Repaired() string { return "" }
func (p *passing) Damage() error    { return nil }
func (p *passing) Close() error     { return nil }

// appendPage encodes messages for a session that reads them from the log.
func appendPage(buf []byte, room rooms.RoomID, messages []rooms.Message, replayTo rooms.Seq) []byte {
	for _, m := range messages {
		m.Room = room
		buf = wire.AppendEvent(buf, 0, rooms.Posted{Message: m, Replayed: m.Seq <= replayTo})
	}
	return buf
}
