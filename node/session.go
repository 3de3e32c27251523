package node

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// conn is what a session needs of a connection. A libp2p stream, a unix socket
// and one end of a pipe in memory all do.
type conn interface {
	io.ReadWriteCloser
	CloseWrite() error // the other side reads to the end and then sees io.EOF
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// readAgain is when a page of history is read again that could not be read.
var readAgain = [...]time.Duration{100 * time.Millisecond, time.Second, 3 * time.Second}

// Timing of a session.
const (
	helloTime   = 5 * time.Second  // for a new connection to say who it is
	silentTime  = 60 * time.Second // a client that says nothing for so long is gone; it pings more often
	writeTime   = 10 * time.Second // for one write to make progress
	graceTime   = 3 * time.Second  // a member whose connection broke keeps its seat so long
	farewell    = 2 * time.Second  // for the last frames to be written
	writePart   = 64 << 10         // bytes that count as progress
	requestRate = 32               // requests a second after requestPool
	requestPool = 64
)

// session is one connection of a member, on the host's side.
type session struct {
	id   rooms.SessionID
	peer rooms.PeerID
	host *Host
	conn conn
	out  *outbox
	path string

	gone    chan struct{} // closed when the registrar has dropped it
	written chan struct{} // closed when the writer has ended

	// Owned by the reader.
	room   *room
	spoke  bool // since the last command of another kind
	tokens float64
	filled time.Time
}

// serve runs a session from its hello, when it calls greeted, to its end.
func (h *Host) serve(c conn, peer rooms.PeerID, path string, greeted func()) {
	defer c.Close()
	defer context.AfterFunc(h.ctx, func() {
		_ = c.SetReadDeadline(time.Now())
		_ = c.SetWriteDeadline(time.Now().Add(farewell))
	})()
	r := wire.NewReader(c)
	_ = c.SetReadDeadline(time.Now().Add(helloTime))
	hello, err := r.Hello()
	greeted()
	if err != nil {
		h.refuse(c, err)
		return
	}
	s := &session{
		id: rooms.SessionID(h.sessionIDs.Add(1)), peer: peer, host: h, conn: c, out: newOutbox(), path: path,
		gone: make(chan struct{}), written: make(chan struct{}),
		tokens: requestPool, filled: time.Now(),
	}
	rep := s.ask(0, rooms.Connect{Peer: peer, Instance: hello.Instance, Nick: hello.Nick, Fixed: hello.NickFixed, Path: path})
	if rep.refusal != nil {
		s.out.push(0, rep.refusal)
		s.out.finish()
	}
	go s.write()
	if rep.refusal == nil {
		s.read(r)
		s.end()
	}
	<-s.written
}

// refuse answers a connection that did not begin with a proper hello.
func (h *Host) refuse(c conn, err error) {
	if errors.Is(err, io.EOF) || h.closing() {
		return
	}
	why := rooms.Refuse(rooms.BadRequest, "", "this is not a p2pchat hello")
	if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		why = rooms.Refuse(rooms.Unreachable, "", "no hello came within %v", helloTime)
	}
	_ = c.SetWriteDeadline(time.Now().Add(farewell))
	_, _ = c.Write(wire.AppendEvent(nil, 0, why))
	_ = c.CloseWrite()
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// read handles commands until the connection ends.
func (s *session) read(r *wire.Reader) {
	for {
		_ = s.conn.SetReadDeadline(time.Now().Add(silentTime))
		if s.host.closing() { // looked at behind the deadline, which stopping cuts short
			return
		}
		ref, cmd, err := r.Command()
		switch {
		case errors.Is(err, wire.ErrUnknown):
			s.out.push(ref, rooms.Refuse(rooms.BadRequest, "the host runs an older p2pchat", "the host doesn't know this command"))
		case err != nil:
			if !s.excuse(err) {
				return
			}
		default:
			s.handle(ref, cmd)
		}
		if !s.breathe() {
			return
		}
	}
}

// excuse answers a command that can't be read. It is true when the session can
// go on: the frame was whole, only what was in it makes no sense.
func (s *session) excuse(err error) bool {
	var bad *wire.MalformedError
	if !errors.As(err, &bad) && !errors.Is(err, wire.ErrTooLarge) {
		return false
	}
	var ref uint64
	if bad != nil {
		ref = bad.Ref
	}
	s.out.push(ref, rooms.Refuse(rooms.BadRequest, "", "the host can't read this command: %v", err))
	return ref != 0
}

// breathe waits until the member has read enough of its answers. It is false when
// the connection ends instead.
func (s *session) breathe() bool {
	for s.out.full() {
		select {
		case <-s.out.drained:
		case <-s.written:
			return false
		}
	}
	return true
}

// handle carries out one command. Commands of a session are handled one after
// the other, so their effects come in the order in which they were sent.
func (s *session) handle(ref uint64, cmd rooms.Command) {
	s.pace(cmd)
	switch c := cmd.(type) {
	case rooms.Say:
		s.say(ref, c)
		return
	case rooms.Ping:
		s.out.push(ref, rooms.Done{})
		return
	}
	if s.spoke {
		s.inside() // what was said before takes effect before
		s.spoke = false
	}
	switch c := cmd.(type) {
	case rooms.History:
		s.history(ref, c)
	default:
		rep := s.ask(ref, cmd)
		if rep.entered != nil {
			s.room = rep.room
			<-rep.entered
		}
		if rep.refusal != nil {
			s.hesitate(rep.refusal)
			s.out.push(ref, rep.refusal)
		}
	}
}

// ask hands a command to the registrar and waits until it is carried out.
func (s *session) ask(ref uint64, cmd rooms.Command) reply {
	answer := make(chan reply, 1)
	s.host.registrar.asks <- ask{s, ref, cmd, answer}
	return <-answer
}

func (s *session) say(ref uint64, c rooms.Say) {
	s.spoke = true
	if s.room == nil {
		s.out.push(ref, notInRoom())
		return
	}
	s.room.ask(say{s, ref, c})
}

// history answers from the log. The room's owner says first whether the member
// is still inside.
func (s *session) history(ref uint64, c rooms.History) {
	if !s.inside() {
		s.out.push(ref, notInRoom())
		return
	}
	page, err := s.room.page(c, s.host.limits.PageMessages)
	if err != nil {
		log.Errorf("room %s: %v", s.room.id, err)
		page = rooms.Refuse(rooms.Storage, "tell the owner of this host", "this part of the history of room %q can't be read", s.room.id)
	}
	s.out.push(ref, page)
}

// inside asks the room's owner whether the session is still in it. What the
// session said before has taken effect then.
func (s *session) inside() bool {
	if s.room == nil {
		return false
	}
	answer := make(chan bool, 1)
	s.room.ask(inside{s, answer})
	return <-answer
}

// hesitate makes refusals that must not tell why take about equally long.
func (s *session) hesitate(r *rooms.Refusal) {
	if r.Code != rooms.NoSuchRoom && r.Code != rooms.InviteInvalid {
		return
	}
	s.wait(50*time.Millisecond + rand.N(50*time.Millisecond))
}

// pace lets a member ask at a bounded rate; whoever asks faster waits. Lines have
// a limit of their own, so pacing them is only for those who ignore it. A whisper
// counts as much as a line does there.
func (s *session) pace(cmd rooms.Command) {
	rate := s.host.limits.Rate
	cost := 1.0
	switch cmd.(type) {
	case rooms.Say:
		if rate == 0 {
			return
		}
	case rooms.Whisper:
		if rate > 0 {
			cost = max(1, requestRate/rate)
		}
	}
	if s.peer == s.host.peer {
		return
	}
	perSecond := max(requestRate, 4*rate)
	now := time.Now()
	s.tokens = min(requestPool+4*float64(s.host.limits.Burst), s.tokens+now.Sub(s.filled).Seconds()*perSecond)
	s.filled = now
	if s.tokens -= cost; s.tokens < 0 {
		s.wait(time.Duration(-s.tokens / perSecond * float64(time.Second)))
	}
}

// pause is wait for the writer.
func (s *session) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.host.stopping:
	}
}

func (s *session) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.written:
	}
}

// end takes a session out of the host. Its member did not say goodbye, so the
// connection broke, and the seat is kept for a moment: the member is most likely
// on its way back.
func (s *session) end() {
	select {
	case <-s.gone: // dropped: the registrar knows
		return
	default:
	}
	s.out.finish()
	if !s.host.closing() {
		t := time.NewTimer(graceTime)
		defer t.Stop()
		select {
		case <-t.C:
		case <-s.gone:
			return
		case <-s.host.stopping:
		}
	}
	s.ask(0, rooms.Disconnect{})
}

// drop ends a session from the registrar's side, telling why.
func (s *session) drop(why *rooms.Refusal) {
	if why != nil {
		s.out.push(0, why)
	}
	close(s.gone)
	s.out.finish()
}

// write sends what waits, everything in one Write, until there is nothing more
// to come. A connection that takes nothing for writeTime is cut; its member
// resumes where it was.
func (s *session) write() {
	defer close(s.written)
	defer s.conn.Close()
	var spare []byte
	for {
		frames, lag, done := s.out.take(spare)
		spare = nil
		switch {
		case len(frames) > 0:
			if s.send(frames) != nil {
				return
			}
			spare = reuse(frames)
		case lag != nil:
			if s.catchUp(lag) != nil {
				return
			}
		case done:
			_ = s.conn.CloseWrite()
			return
		default:
			<-s.out.wake
		}
	}
}

// reuse keeps a buffer for later, but not one that a flood has made huge.
func reuse(b []byte) []byte {
	if cap(b) > outboxMessages {
		return nil
	}
	return b
}

func (s *session) send(frames []byte) error {
	for len(frames) > 0 {
		limit := writeTime
		if s.host.closing() {
			limit = farewell
		}
		part := frames[:min(len(frames), writePart)]
		_ = s.conn.SetWriteDeadline(time.Now().Add(limit))
		if _, err := s.conn.Write(part); err != nil {
			return err
		}
		frames = frames[len(part):]
	}
	return nil
}

// catchUp sends the next page of the log to a session that lags.
func (s *session) catchUp(g *gap) error {
	page, err := g.room.log.After(g.after, s.host.limits.PageMessages)
	for n := 0; err != nil && n < len(readAgain) && s.out.stands(g); n++ {
		s.pause(readAgain[n]) // out of file handles, say: that passes
		page, err = g.room.log.After(g.after, s.host.limits.PageMessages)
	}
	if !s.out.stands(g) {
		return nil
	}
	if err != nil || len(page) == 0 {
		log.Errorf("room %s: reading behind %d: %v", g.room.id, g.after, err)
		s.out.push(0, rooms.Notice{Text: "a part of this room's history can't be read from the host's disk"})
		s.out.skip(g)
		return nil
	}
	if !s.out.filled(g, page[len(page)-1].Seq) {
		return nil
	}
	return s.send(appendPage(nil, g.room.id, page, g.replayTo))
}
