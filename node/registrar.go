package node

import (
	"crypto/rand"
	"errors"
	"time"

	"p2pchat/rooms"
)

// registrar is the owner of the host's rooms.Registry. Sessions ask it; it stores
// what changes, then carries out what follows.
type registrar struct {
	host  *Host
	asks  chan ask
	done  chan struct{}
	store Store

	// Owned by run.
	registry *rooms.Registry
	sessions map[rooms.SessionID]*session
	rooms    map[rooms.RoomKey]*room
	failed   error     // of the last Record
	tried    time.Time // when that failed, or the store was revived last
	recorded int       // changes since the last Compact
}

// compactAfter is how many changes are recorded before they are made shorter.
const compactAfter = 20_000

// ask is a command for the registrar.
type ask struct {
	session *session
	ref     uint64
	cmd     rooms.Command
	reply   chan<- reply // capacity 1

	tell func() rooms.Event // instead of all that: for every session
	look func(*registrar)   // instead of all that: looks, and changes nothing
}

// reply tells the asker how it went. The answer itself went to the session's
// outbox, in order with everything else, unless it is a refusal.
type reply struct {
	refusal *rooms.Refusal
	room    *room           // where the session is now, if entered
	entered <-chan struct{} // closed once the session is in its new room; nil: it entered none
}

func newRegistrar(h *Host, store Store) (*registrar, error) {
	g := &registrar{
		host: h, store: store,
		asks:     make(chan ask, 256),
		done:     make(chan struct{}),
		registry: rooms.NewRegistry(h.limits, h.peer),
		sessions: map[rooms.SessionID]*session{},
		rooms:    map[rooms.RoomKey]*room{},
	}
	changes, err := store.Changes()
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		g.registry.Apply(c)
	}
	g.recorded = len(changes)
	return g, nil
}

func env() rooms.Env { return rooms.Env{Now: time.Now(), Random: rand.Reader} }

// start opens every room, and the lobby if it is not there yet.
func (g *registrar) start(lobby string) error {
	if lobby != "" {
		d, refusal := g.registry.CreateAtStart(env(), lobby)
		if refusal != nil {
			return refusal
		}
		if err := g.record(d.Changes); err != nil {
			return err
		}
		g.registry.Commit(0, env(), rooms.Ping{}, d)
	}
	g.openAll(g.registry.Rooms())
	return nil
}

func (g *registrar) record(changes []rooms.Change) error {
	if len(changes) == 0 {
		return nil
	}
	if g.failed != nil && time.Since(g.tried) > reviveTime {
		g.tried = time.Now()
		_ = g.store.Revive() // if it is not, Record says so
	}
	if g.failed = g.store.Record(changes...); g.failed != nil {
		g.tried = time.Now()
		return g.failed
	}
	g.recorded += len(changes)
	return nil
}

// run owns the registry until asks is closed.
func (g *registrar) run() {
	defer close(g.done)
	care := time.NewTicker(tendTime)
	defer care.Stop()
	for open := true; open; {
		select {
		case <-care.C:
			for _, r := range g.rooms {
				r.ask(tend{})
			}
		case a, more := <-g.asks:
			if open = more; more {
				g.serve(a)
			}
		}
	}
	g.compact()
	for _, r := range g.rooms {
		g.end(r)
	}
}

// look lets f look at the registrar's own, while nothing changes.
func (g *registrar) look(f func(*registrar)) {
	done := make(chan struct{})
	g.asks <- ask{look: func(g *registrar) { f(g); close(done) }}
	<-done
}

func (g *registrar) serve(a ask) {
	if a.look != nil {
		a.look(g)
		return
	}
	if a.tell == nil {
		a.reply <- g.answer(a)
		return
	}
	e := a.tell()
	for _, s := range g.sessions {
		s.out.push(0, e)
	}
}

// answer decides a command, stores what changes, and carries it out.
func (g *registrar) answer(a ask) reply {
	now := env()
	d, refusal := g.registry.Decide(now, a.session.id, a.cmd)
	if refusal != nil {
		return reply{refusal: refusal}
	}
	made, refusal := g.prepare(d)
	if refusal != nil {
		return reply{refusal: refusal}
	}
	err := g.record(d.Changes)
	if err != nil && g.registry.Dispensable(d.Changes) {
		d.Changes, err = nil, nil
	}
	if err != nil {
		log.Errorf("state: %v", err)
		if made != nil {
			_ = errors.Join(made.log.Close(), g.store.Discard(made.key))
		}
		return reply{refusal: rooms.Refuse(rooms.Storage, "nothing was changed; tell the owner of this host",
			"the host's disk is full or failing")}
	}
	if _, ok := a.cmd.(rooms.Connect); ok {
		g.sessions[a.session.id] = a.session
		defer g.host.orient(a.session)
	}
	g.registry.Commit(a.session.id, now, a.cmd, d)
	g.noteAway(a)
	if made != nil {
		g.begin(made)
	}
	switch a.cmd.(type) {
	case rooms.Spoke:
		d.Answer = nil // nobody has asked
	case rooms.Whisper:
		g.host.files.courtesy.talk()
	}
	var rep reply
	last := g.carrier(a, d)
	if d.Answer != nil && last < 0 {
		a.session.out.push(a.ref, g.host.complete(d.Answer))
	}
	for i, e := range d.Effects {
		if b, ok := e.(rooms.Broadcast); ok {
			g.broadcast(a, b, d.Answer, i == last)
		} else {
			g.carryOut(a, e, &rep)
		}
	}
	if _, ok := a.cmd.(rooms.Disconnect); ok {
		delete(g.sessions, a.session.id)
	}
	if g.recorded > compactAfter {
		g.compact()
	}
	return rep
}

// noteAway lets the sessions of a member know whether it is away now, so that they
// need not ask at every line.
func (g *registrar) noteAway(a ask) {
	switch a.cmd.(type) {
	case rooms.Connect, rooms.Away, rooms.Spoke:
	default:
		return
	}
	away := g.registry.Away(a.session.peer) != ""
	for _, s := range g.sessions {
		if s.peer == a.session.peer {
			s.away.Store(away)
		}
	}
}

// carrier finds the last broadcast into the asker's own room: the answer goes
// behind it, so that who has it has seen what it did. -1: there is none.
func (g *registrar) carrier(a ask, d rooms.Decision) int {
	last := -1
	if key, ok := g.registry.Room(a.session.id); ok && d.Answer != nil {
		for i, e := range d.Effects {
			if b, ok := e.(rooms.Broadcast); ok && b.Key == key {
				last = i
			}
		}
	}
	return last
}

// broadcast tells a room, and where it carries the answer, the asker.
func (g *registrar) broadcast(a ask, e rooms.Broadcast, answer rooms.Event, carries bool) {
	if m, ok := e.Event.(rooms.MemberChanged); ok {
		g.host.observe(m)
	}
	r := g.rooms[e.Key]
	if r == nil { // it can't be opened now
		if carries {
			a.session.out.push(a.ref, g.host.complete(answer))
		}
		return
	}
	b := broadcast{event: e.Event}
	if carries {
		b.session, b.ref, b.answer = a.session, a.ref, g.host.complete(answer)
	}
	r.ask(b)
}

// carryOut does what follows from a decision, but for broadcasts.
func (g *registrar) carryOut(a ask, e rooms.Effect, rep *reply) {
	switch e := e.(type) {
	case rooms.Ended:
		if r := g.rooms[e.Key]; r != nil {
			delete(g.rooms, e.Key)
			g.end(r)
		}
	case rooms.Attach:
		r := g.rooms[e.Key]
		done := make(chan struct{})
		g.sessions[e.Session].out.expect(r)
		r.ask(attach{g.sessions[e.Session], a.ref, e, done})
		rep.room, rep.entered = r, done
	case rooms.Detach:
		if r, s := g.rooms[e.Key], g.sessions[e.Session]; r != nil && s != nil {
			s.out.leave(r) // at once: what it is told next comes behind the room's last message
			r.ask(detach{s})
		}
	case rooms.Tell:
		if s := g.sessions[e.Session]; s != nil {
			s.out.push(0, e.Event)
		}
	case rooms.Drop:
		if s := g.sessions[e.Session]; s != nil {
			delete(g.sessions, e.Session)
			s.drop(e.Why)
		}
	}
}

func (g *registrar) compact() {
	g.recorded = 0
	if g.failed != nil {
		return
	}
	if err := g.store.Compact(g.registry.Snapshot(time.Now())); err != nil {
		log.Errorf("state: %v", err)
	}
}
