package node

import (
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/libp2p/go-libp2p/core/crypto"

	"p2pchat/history"
	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// house is a host without a network. Members reach it through pipes in memory.
type house struct {
	testing.TB
	key       crypto.PrivKey
	dir       string
	clock     atomic.Int64 // when things are asked and answered
	moves     atomic.Int64 // made in this wave
	restartAt int64        // the move behind which the host is started again
	abrupt    atomic.Bool  // it leaves its changes as they were recorded, as one that is killed does

	mu    sync.RWMutex // held while there is no host
	host  *Host
	store *history.Store
}

func newHouse(t testing.TB) *house {
	h := &house{TB: t, key: newKey(t), dir: t.TempDir()}
	h.start(func(s Store) Store { return abrupt{s, h} })
	t.Cleanup(h.stop)
	return h
}

func (h *house) start(wrap func(Store) Store) {
	h.Helper()
	limits := rooms.DefaultLimits()
	limits.Rate, limits.Rooms, limits.Sessions = 0, 0, 0
	var err error
	if h.store, err = history.Open(h.dir); err != nil {
		h.Fatal(err)
	}
	if h.host, err = NewHost(HostConfig{Key: h.key, Limits: limits, Store: wrap(logs{h.store, &world{}})}); err != nil {
		h.Fatal(err)
	}
}

func (h *house) stop() {
	if err := errors.Join(h.host.Close(), h.store.Close()); err != nil {
		h.Error(err)
	}
}

// moved counts a move. One of them has the host started again.
func (h *house) moved() {
	if h.moves.Add(1) == h.restartAt {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.abrupt.Store(!h.abrupt.Load())
		h.stop()
		h.start(func(s Store) Store { return abrupt{s, h} })
	}
}

// abrupt is a store that makes nothing shorter when told so.
type abrupt struct {
	Store
	house *house
}

func (a abrupt) Compact(snapshot []rooms.Change) error {
	if a.house.abrupt.Load() {
		return nil
	}
	return a.Store.Compact(snapshot)
}

// dial opens a session, and returns the host's answer to the hello. It is nil when
// the host stopped meanwhile.
func (h *house) dial(peer rooms.PeerID, hello wire.Hello) (*line, rooms.Event) {
	h.mu.RLock()
	host := h.host
	open := host.begin()
	h.mu.RUnlock()
	if !open {
		h.Error("the host is closed")
		return nil, nil
	}
	mine, theirs := net.Pipe()
	go func() {
		defer host.sessions.Done()
		host.serve(pipe{theirs}, peer, "memory", func() {})
	}()
	_ = mine.SetDeadline(time.Now().Add(patience))
	l := &line{TB: h.TB, Conn: mine, answers: make(chan rooms.Event, 8)}
	go l.read()
	hello.Version = "1"
	_, _ = mine.Write(wire.AppendHello(nil, hello))
	e := <-l.answers
	if _, ok := e.(rooms.Welcome); !ok {
		l.close()
		return nil, e
	}
	return l, e
}

// line is a member's end of a session.
type line struct {
	testing.TB
	net.Conn
	ref     uint64
	answers chan rooms.Event // closed when the session has ended
}

// read keeps the answers, and nothing of what else happens.
func (l *line) read() {
	defer close(l.answers)
	frames := wire.NewReader(l.Conn)
	greeted := false
	for {
		ref, e, err := frames.Event()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			l.Error("a session got no answer and did not end")
		}
		if err != nil {
			return
		}
		if ref != 0 || !greeted {
			l.answers <- e
		}
		greeted = true
	}
}

func (l *line) send(cmd rooms.Command) {
	if l == nil {
		return
	}
	l.ref++
	_, _ = l.Write(wire.AppendCommand(nil, l.ref, cmd))
}

// ask returns the answer to a command, nil when the session ended instead.
func (l *line) ask(cmd rooms.Command) rooms.Event {
	if l == nil {
		return nil
	}
	l.send(cmd)
	return <-l.answers
}

func (l *line) close() {
	_ = l.Close()
	for range l.answers {
	}
}

// player is somebody with one session, and what came of it.
type player struct {
	*table
	id       int
	peer     rooms.PeerID
	instance uint64
	rand     *rand.Rand
	line     *line // nil: the session has ended
	moves    []porcupine.Operation
	admitted bool // it may enter the private room
}

// never is when something is answered that was not.
const never = math.MaxInt64

// note writes down what was asked, and what was told. Without an answer it is open
// whether anything was done, and when. A question without one says nothing.
func (p *player) note(call int64, a asked, answer *told) {
	if answer == nil && questions[a.what] {
		return
	}
	op := porcupine.Operation{ClientId: p.id, Input: a, Call: call, Return: never}
	if answer != nil {
		op.Output, op.Return = answer, p.clock.Add(1)
	}
	p.moves = append(p.moves, op)
}

// unsettled tells whether the last move got no answer.
func (p *player) unsettled() bool {
	return len(p.moves) > 0 && p.moves[len(p.moves)-1].Output == nil
}

// settle says whether the move before the last was done after all, if it got no
// answer: the last one shows it, and that it can't be done any more.
func (p *player) settle(done bool) {
	i := len(p.moves) - 2
	switch {
	case i < 0 || p.moves[i].Output != nil:
	case done:
		p.moves[i].Output, p.moves[i].Return, p.moves[i].Metadata = &told{}, p.clock.Add(1), "late"
	default:
		p.moves = slices.Delete(p.moves, i, i+1)
	}
}

// ask asks something, and writes it down. read makes an answer of what is not a
// refusal; nil: that it was done is all there is to it.
func (p *player) ask(a asked, cmd rooms.Command, read func(rooms.Event) told) rooms.Event {
	call := p.clock.Add(1)
	e := p.line.ask(cmd)
	if e == nil {
		p.hangUp()
	}
	p.note(call, a, answerOf(e, read))
	return e
}

// answerOf is nil when there was none.
func answerOf(e rooms.Event, read func(rooms.Event) told) *told {
	switch e := e.(type) {
	case nil:
		return nil
	case *rooms.Refusal:
		return &told{code: e.Code}
	}
	if read == nil {
		return &told{}
	}
	t := read(e)
	return &t
}

// cut asks something and is gone before the answer comes.
func (p *player) cut(a asked, cmd rooms.Command) {
	call := p.clock.Add(1)
	p.line.send(cmd)
	p.hangUp()
	p.note(call, a, nil)
}

// dial opens a session, or takes the one over that there is.
func (p *player) dial(nick string, fixed bool) rooms.Event {
	l, e := p.house.dial(p.peer, wire.Hello{Instance: p.instance, Nick: nick, NickFixed: fixed})
	if l != nil || e == nil {
		p.hangUp()
		p.line = l
	}
	return e
}

// come opens a session of which is known that it is welcome.
func (p *player) come(nick string) {
	p.Helper()
	for p.line == nil && !p.Failed() {
		if e := p.dial(nick, nick != ""); e != nil && p.line == nil {
			p.Errorf("%s can't connect: %v", p.peer, e)
		}
	}
}

func (p *player) hangUp() {
	if p.line != nil {
		p.line.close()
		p.line = nil
	}
}

// quit says goodbye, so that the seat is free at once.
func (p *player) quit() {
	if p.line != nil {
		p.line.ask(rooms.Quit{})
		p.hangUp()
	}
}
