package node

import (
	"errors"
	"sync/atomic"
	"time"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// room is the owner of one room: the only goroutine that touches the room's
// rooms.Room and writes its log. Everybody else sends it calls.
type room struct {
	key    rooms.RoomKey
	id     rooms.RoomID
	log    Log
	kept   bool         // the log keeps what it is given
	notice func(string) // tells the operator
	recent int          // most messages that are replayed to somebody who enters
	calls  chan call

	toldDamage atomic.Bool // the operator knows that a part of the history is damaged

	done chan struct{} // closed when the owner has ended

	// Owned by run.
	state     *rooms.Room
	members   map[rooms.SessionID]*session
	batch     batch
	retention rooms.Retention
	failing   bool
	revived   time.Time // when writing was tried again last
}

// Sizes of a room's queue and of one write to its log, in calls.
const (
	roomQueue = 1024
	roomBatch = 256
)

// call is something asked of a room's owner. The set is closed. missed is called
// instead of do when the room has ended before.
type call interface {
	do(r *room)
	missed()
}

// The calls.
type (
	say struct {
		session *session
		ref     uint64
		cmd     rooms.Say
	}
	attach struct {
		session *session
		ref     uint64
		effect  rooms.Attach
		done    chan<- struct{} // closed when it is done
	}
	// detach takes a session out of the room, whose outbox has left it already.
	detach struct {
		session *session
	}
	// broadcast tells everybody in the room, and behind that answers whoever
	// asked for it.
	broadcast struct {
		event   rooms.Event
		session *session // nil: nobody in this room asked
		ref     uint64
		answer  rooms.Event
	}

	// inside asks whether a session is in the room, behind all that was said.
	inside struct {
		session *session
		answer  chan<- bool
	}
	stop struct{}
)

// answered hands the answer to a command to the one who asked.
func (b broadcast) answered() {
	if b.session != nil {
		b.session.out.push(b.ref, b.answer)
	}
}

func (s say) missed()       { s.session.out.push(s.ref, notInRoom()) }
func (a attach) missed()    { a.session.out.push(a.ref, notInRoom()); close(a.done) }
func (b broadcast) missed() { b.answered() }
func (i inside) missed()    { i.answer <- false }
func (detach) missed()      {}
func (stop) missed()        {}

func notInRoom() *rooms.Refusal {
	return rooms.Refuse(rooms.NotInRoom, "/list shows the rooms, /join ID enters one", "you are in no room")
}

// batch is the lines that go to disk in one write, and who waits for that.
type batch struct {
	messages []rooms.Message
	waiting  []say
	frames   []byte // the same messages, encoded once for all members; only while they are delivered
}

// openRoom makes the owner of a room with this log; run it to start.
func openRoom(h *Host, o rooms.Opened, log Log) (*room, error) {
	r := &room{
		key: o.Key, id: o.Room, log: log, kept: !o.NoHistory, retention: o.Retention,
		notice: h.notice, recent: h.limits.PageMessages,
		calls:   make(chan call, roomQueue),
		done:    make(chan struct{}),
		state:   rooms.NewRoom(h.limits, h.peer),
		members: map[rooms.SessionID]*session{},
	}
	if err := r.recall(); err != nil && log.Damage() == nil {
		return nil, err
	}
	r.state.Head = log.Head()
	for _, c := range log.Claims() {
		r.state.Offer(c)
	}
	return r, nil
}

// recall lets the room know its latest messages.
func (r *room) recall() error {
	head := r.log.Head()
	for seq := head - min(head, recallMessages); seq < head; {
		messages, err := r.log.After(seq, recallMessages)
		var damage damaged
		if errors.As(err, &damage) {
			r.tellDamage(err)
			if _, beyond := damage.Bounds(); beyond > seq+1 {
				seq = beyond - 1
				continue
			}
			return nil
		}
		if err != nil || len(messages) == 0 {
			return err
		}
		for _, m := range messages {
			r.state.Recall(m)
		}
		seq = messages[len(messages)-1].Seq
	}
	return nil
}

// recallMessages is how far back a room looks, when it is opened, for lines that
// a client may send again.
const recallMessages = 1024

// ask hands a call to the owner, who does it, or misses it when the room ends.
func (r *room) ask(c call) {
	select {
	case <-r.done:
		c.missed()
		return
	case r.calls <- c:
	}
	select {
	case <-r.done:
		r.sweep() // the owner may have looked for the last time before c came
	default:
	}
}

// sweep misses all calls that wait. Nobody does them once done is closed.
func (r *room) sweep() {
	for c, more := r.waiting(); more; c, more = r.waiting() {
		c.missed()
	}
}

// run owns the room until it is told to stop. It takes all calls that wait, puts
// their lines on disk in one write, and only then answers and delivers; meanwhile
// the next calls gather.
func (r *room) run() {
	defer r.sweep()
	defer close(r.done)
	for {
		c := <-r.calls
		for more, n := true, 0; more; n++ {
			if _, ends := c.(stop); ends {
				r.commit()
				return
			}
			c.do(r)
			if n == roomBatch {
				break
			}
			c, more = r.waiting()
		}
		r.commit()
	}
}

// waiting returns the next call if there is one already.
func (r *room) waiting() (call, bool) {
	select {
	case c := <-r.calls:
		return c, true
	default:
		return nil, false
	}
}

func (s say) do(r *room) {
	m, again, refusal := r.state.Say(time.Now(), s.session.id, s.cmd)
	if refusal != nil && refusal.Code == rooms.Storage && r.revive() {
		m, again, refusal = r.state.Say(time.Now(), s.session.id, s.cmd)
	}
	switch {
	case refusal != nil && refusal.Code == rooms.Storage:
		s.session.out.push(s.ref, r.storageRefusal())
	case refusal != nil:
		s.session.out.push(s.ref, refusal)
	case again && m.Seq > r.log.Head():
		// The same line twice in one batch: the first one's fate is this one's.
		r.commit()
		if m.Seq > r.log.Head() {
			s.session.out.push(s.ref, r.storageRefusal())
			return
		}
		s.session.out.confirm(r, s.ref, m.Seq)
	case again:
		s.session.out.confirm(r, s.ref, m.Seq)
	default:
		if s.cmd.Kind != rooms.FileUp {
			s.session.host.files.courtesy.talk()
		}
		m.Room = r.id
		r.batch.messages = append(r.batch.messages, m)
		r.batch.waiting = append(r.batch.waiting, s)
	}
}

// commit puts the batch on disk, then delivers it and acknowledges it.
func (r *room) commit() {
	b := &r.batch
	if len(b.messages) == 0 {
		return
	}
	if err := r.log.Append(b.messages); err != nil {
		r.fail(err)
		for _, s := range b.waiting {
			s.session.out.push(s.ref, r.storageRefusal())
		}
	} else {
		r.deliver(b.messages)
		for i, s := range b.waiting {
			s.session.out.confirm(r, s.ref, b.messages[i].Seq)
		}
	}
	clear(b.messages)
	clear(b.waiting)
	b.messages, b.waiting = b.messages[:0], b.waiting[:0]
}

// deliver gives messages that are on disk to everybody in the room.
func (r *room) deliver(messages []rooms.Message) {
	frames := r.batch.frames[:0]
	for _, m := range messages {
		frames = wire.AppendEvent(frames, 0, rooms.Posted{Message: m})
	}
	first, last := messages[0].Seq, messages[len(messages)-1].Seq
	for _, member := range r.members {
		member.out.post(r, first, last, frames)
	}
	r.batch.frames = frames
}

func (a attach) do(r *room) {
	defer close(a.done)
	r.commit()
	e := a.effect
	r.members[a.session.id] = a.session
	r.state.Enter(a.session.id, e.Member)
	answer := e.Answer
	answer.Head = r.log.Head()
	answer.From, answer.Diverged = r.from(e)
	a.session.out.enter(r, a.ref, answer)
	if err := r.log.Damage(); err != nil {
		a.session.out.push(0, rooms.Notice{Text: "this room can only be read: a part of its history on the host's disk is damaged"})
	}
}

func (d detach) do(r *room) {
	r.commit()
	delete(r.members, d.session.id)
	r.state.Exit(d.session.id)
}

func (b broadcast) do(r *room) {
	r.commit()
	if e, ok := b.event.(rooms.MemberChanged); ok {
		r.state.Observe(e)
	}
	if e, ok := b.event.(rooms.RoomChanged); ok && e.What == rooms.RoomUpdated {
		r.retention = e.Room.Retention
		r.retain()
	}
	frame := wire.AppendEvent(nil, 0, b.event)
	for _, member := range r.members {
		member.out.offer(r, frame)
	}
	b.answered()
}

func (i inside) do(r *room) {
	r.commit()
	_, ok := r.members[i.session.id]
	i.answer <- ok
}

func (stop) do(*room) {}
