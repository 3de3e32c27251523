package node

import (
	"slices"
	"sync"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// Bounds of an outbox, in bytes.
const (
	outboxMessages = 256 << 10 // beyond this, messages of the room are left to the log
	outboxAnswers  = 512 << 10 // beyond this, the session reads no further command
)

// outbox is what waits to be written to one session. The room's owner and the
// registrar append and go on; the session's writer takes everything at once.
//
// A session's place in its room is a cursor: next is the first message that it
// has not been given. Messages from the room's owner are taken as long as they
// continue the cursor and fit; otherwise the session lags, and the writer reads
// from the log, until the cursor has caught up and messages are taken again.
// Joining, resuming and lagging are one and the same.
type outbox struct {
	wake    chan struct{} // something waits
	drained chan struct{} // something was taken

	mu       sync.Mutex // guards the fields below
	waiting  []byte
	unheard  []receipt // of lines that the session itself is still to be given
	room     *room     // nil: in no room
	coming   *room     // the room that is about to be entered
	visit    int       // counts entries into rooms, to tell an old page from a new one
	next     rooms.Seq // the next message to be given
	head     rooms.Seq // the room's last message known here
	replayTo rooms.Seq // messages up to here were said before the session came
	closed   bool
	last     bool // close the connection once everything waiting is written
}

func newOutbox() *outbox {
	return &outbox{wake: make(chan struct{}, 1), drained: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// push appends a frame that must not be left out: an answer, or something that
// happened to this session.
func (o *outbox) push(ref uint64, e rooms.Event) {
	o.mu.Lock()
	if !o.closed {
		o.waiting = wire.AppendEvent(o.waiting, ref, e)
	}
	o.mu.Unlock()
	signal(o.wake)
}

// receipt tells a session that the host has the line that it said.
type receipt struct {
	ref uint64
	seq rooms.Seq
}

// receiptSize is more than a receipt needs on the stream, in bytes.
const receiptSize = 32

// confirm appends the answer to a line said in a room, behind the line itself: who has
// the answer has seen it. A session that lags gets it when it has caught up so far.
func (o *outbox) confirm(r *room, ref uint64, seq rooms.Seq) {
	o.mu.Lock()
	switch {
	case o.closed:
	case o.room == r && o.next <= seq:
		o.unheard = append(o.unheard, receipt{ref, seq})
	default:
		o.waiting = wire.AppendEvent(o.waiting, ref, rooms.Said{Seq: seq})
	}
	o.mu.Unlock()
	signal(o.wake)
}

// heard appends the receipts of the lines before the cursor; of all lines, once the
// session is in no room and will not be given them.
func (o *outbox) heard() {
	n := 0
	for ; n < len(o.unheard) && (o.room == nil || o.unheard[n].seq < o.next); n++ {
		o.waiting = wire.AppendEvent(o.waiting, o.unheard[n].ref, rooms.Said{Seq: o.unheard[n].seq})
	}
	o.unheard = slices.Delete(o.unheard, 0, n)
}

// offer appends frames about a room that a lagging session can do without.
func (o *outbox) offer(from *room, frame []byte) {
	o.mu.Lock()
	if o.room == from && !o.closed && len(o.waiting)+len(frame) <= outboxMessages {
		o.waiting = append(o.waiting, frame...)
	}
	o.mu.Unlock()
	signal(o.wake)
}

// post hands over the messages first to last of a room, encoded in frames.
func (o *outbox) post(from *room, first, last rooms.Seq, frames []byte) {
	o.mu.Lock()
	if o.room == from && !o.closed {
		if o.next == first && len(o.waiting)+len(frames) <= outboxMessages {
			o.waiting = append(o.waiting, frames...)
			o.next = last + 1
		}
		o.head = max(o.head, last)
	}
	o.mu.Unlock()
	signal(o.wake)
}

// expect says that a room is about to be entered.
func (o *outbox) expect(r *room) {
	o.mu.Lock()
	o.coming = r
	o.mu.Unlock()
}

// enter places the cursor in a room behind answer.From and appends the answer. A
// session that was put out meanwhile is told that instead.
func (o *outbox) enter(r *room, ref uint64, answer rooms.Entered) {
	o.mu.Lock()
	switch {
	case o.closed:
	case o.coming != r:
		o.waiting = wire.AppendEvent(o.waiting, ref, notInRoom())
	default:
		o.waiting = wire.AppendEvent(o.waiting, ref, answer)
		o.room = r
		o.visit++
		o.next, o.head, o.replayTo = answer.From.Seq+1, answer.Head, answer.Head
	}
	o.mu.Unlock()
	signal(o.wake)
}

// leave takes the cursor out of a room.
func (o *outbox) leave(r *room) {
	o.mu.Lock()
	if o.room == r {
		o.room = nil
		o.visit++
		o.heard()
	}
	if o.coming == r {
		o.coming = nil
	}
	o.mu.Unlock()
}

// finish lets the writer close the connection after what waits, and takes no more.
func (o *outbox) finish() {
	o.mu.Lock()
	o.closed, o.last, o.room = true, true, nil
	o.heard()
	o.mu.Unlock()
	signal(o.wake)
}

// gap is a part of a room's log that is to be read for a lagging session.
type gap struct {
	room     *room
	visit    int
	after    rooms.Seq
	replayTo rooms.Seq
}

// take returns what waits, or if nothing does, the gap to be read. done: nothing
// waits and nothing will. spare is used again for what comes next.
func (o *outbox) take(spare []byte) (frames []byte, lag *gap, done bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard()
	if len(o.waiting) > 0 {
		frames, o.waiting = o.waiting, spare[:0]
		signal(o.drained)
		return frames, nil, false
	}
	if o.room != nil && o.next <= o.head {
		return nil, &gap{o.room, o.visit, o.next - 1, o.replayTo}, false
	}
	return nil, nil, o.last
}

// stands tells whether a gap is still to be filled.
func (o *outbox) stands(g *gap) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.room == g.room && o.visit == g.visit
}

// filled moves the cursor behind a page read for a gap. It is false when the
// session has left the room meanwhile, and the page must not be sent.
func (o *outbox) filled(g *gap, last rooms.Seq) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.room != g.room || o.visit != g.visit {
		return false
	}
	o.next = last + 1
	return true
}

// skip gives up on a gap that can't be read: the session goes on with the message next,
// or where that is 0, behind all that are there.
func (o *outbox) skip(g *gap, next rooms.Seq) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.room != g.room || o.visit != g.visit {
		return
	}
	if next <= o.next {
		next = o.head + 1
	}
	o.next = next
}

// full tells whether the session has to read its answers before it may ask more.
func (o *outbox) full() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting)+receiptSize*len(o.unheard) > outboxAnswers && !o.closed
}
