package node

import (
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// command is one that waits to be handled.
type command struct {
	ref uint64
	cmd rooms.Command
}

// waitingCommands is how many may wait for the one that is being handled.
const waitingCommands = 16

// read takes commands until the connection ends. It answers pings itself: a disk that
// holds up a command must not look like a host that is gone.
func (s *session) read(r *wire.Reader) {
	waiting, handled := make(chan command, waitingCommands), make(chan struct{})
	go func() {
		defer close(handled)
		s.handleAll(waiting)
	}()
	defer func() { <-handled }()
	defer close(waiting)
	defer s.cancel() // nobody waits for a search any more
	for {
		_ = s.conn.SetReadDeadline(time.Now().Add(silentTime))
		if s.host.closing() { // looked at behind the deadline, which stopping cuts short
			return
		}
		ref, cmd, err := r.Command()
		_, ping := cmd.(rooms.Ping)
		switch {
		case errors.Is(err, wire.ErrUnknown):
			s.out.push(ref, rooms.Refuse(rooms.BadRequest, "the host runs an older p2pchat", "the host doesn't know this command"))
		case err != nil:
			if !s.excuse(err) {
				return
			}
		case ping && !s.out.full():
			s.out.push(ref, rooms.Done{})
		default:
			select {
			case waiting <- command{ref, cmd}:
			case <-handled:
				return
			}
		}
		if !s.breathe() {
			return
		}
	}
}

// handleAll handles commands one after the other, until there are no more or the
// connection has ended.
func (s *session) handleAll(waiting <-chan command) {
	for c := range waiting {
		s.handle(c.ref, c.cmd)
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
	signal(s.out.drained) // the reader and the handler may both wait, and one of them is woken
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
		s.history(ref, func(r *room) (rooms.Event, error) { return r.page(c, s.host.limits.PageMessages) })
	case rooms.Search:
		s.search(ref, c)
	case rooms.Files:
		s.history(ref, func(r *room) (rooms.Event, error) { return r.shared(c, s.host.limits.PageMessages) })
	case rooms.Redact:
		if s.room == nil {
			s.out.push(ref, notInRoom())
			return
		}
		s.room.ask(redact{s, ref, c.Seq})
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
	s.host.registrar.asks <- ask{session: s, ref: ref, cmd: cmd, reply: answer}
	return <-answer
}

func (s *session) say(ref uint64, c rooms.Say) {
	s.spoke = true
	if s.room == nil {
		s.out.push(ref, notInRoom())
		return
	}
	if s.away.Load() {
		s.ask(0, rooms.Spoke{}) // the room is told before it reads the line
	}
	s.room.ask(say{s, ref, c})
}

// history answers from the log. The room's owner says first whether the member
// is still inside.
func (s *session) history(ref uint64, read func(*room) (rooms.Event, error)) {
	if !s.inside() {
		s.out.push(ref, notInRoom())
		return
	}
	answer, err := read(s.room)
	if err != nil {
		var damage damaged
		if errors.As(err, &damage) {
			s.room.tellDamage(err)
		} else {
			log.Errorf("room %s: %v", s.room.id, err)
		}
		answer = s.room.unreadable()
	}
	s.out.push(ref, answer)
}

// search answers from the log, too. It may take a second of a processor, so the host
// does only some at a time.
func (s *session) search(ref uint64, c rooms.Search) {
	if strings.TrimSpace(c.Text) == "" {
		s.out.push(ref, rooms.Refuse(rooms.BadRequest, "/search TEXT", "there is nothing to search for"))
		return
	}
	select {
	case s.host.searches <- struct{}{}:
		defer func() { <-s.host.searches }()
	case <-s.ctx.Done():
		return
	}
	s.history(ref, func(r *room) (rooms.Event, error) { return r.search(s.ctx, c, s.host.limits.PageMessages) })
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
	s.wait(hesitation())
}

// hesitation is how long a refusal waits that must not tell why.
func hesitation() time.Duration { return 50*time.Millisecond + rand.N(50*time.Millisecond) }

// pace lets a member ask at a bounded rate; whoever asks faster waits. Lines have
// a limit of their own, so pacing them is only for those who ignore it. A whisper,
// or a word of being away, counts as much as a line does there.
func (s *session) pace(cmd rooms.Command) {
	rate := s.host.limits.Rate
	cost := 1.0
	switch cmd.(type) {
	case rooms.Say:
		if rate == 0 {
			return
		}
	case rooms.Whisper, rooms.Away:
		if rate > 0 {
			cost = max(1, requestRate/rate)
		}
	case rooms.Join, rooms.Redact, rooms.Search, rooms.Files:
		cost = 4 // they read the disk
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

func (s *session) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.written:
	}
}
