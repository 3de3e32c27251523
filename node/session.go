package node

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
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

	sent, hold int64 // bytes written, and after how many the writer waits for the member to leave; owned by the writer

	ctx    context.Context // ends with the reader or the writer, or when the host stops
	cancel context.CancelFunc

	away atomic.Bool // its member is away; set by the registrar

	gone    chan struct{} // closed when the registrar has dropped it
	written chan struct{} // closed when the writer has ended

	// Owned by handleAll.
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
		id: rooms.SessionID(h.sessionIDs.Add(1)), peer: peer, host: h, conn: c, out: newOutbox(), path: path, hold: holdAt(c),
		gone: make(chan struct{}), written: make(chan struct{}),
		tokens: requestPool, filled: time.Now(),
	}
	s.ctx, s.cancel = context.WithCancel(h.ctx)
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

// end takes a session out of the host. Its member did not say goodbye, so the
// connection broke, and the seat is kept for a moment: the member is most likely
// on its way back.
func (s *session) end() {
	select {
	case <-s.gone: // dropped: the registrar knows
		return
	default:
	}
	if s.host.closing() {
		s.out.push(0, rooms.Refuse(rooms.Unreachable, "", "the host was stopped"))
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
