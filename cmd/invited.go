package cmd

import (
	"context"
	"errors"
	"strings"
	"sync"

	"p2pchat/node"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// Where --room and an invite come together, the room that was named is entered. The
// invite is used only if there is no such room without it, and only for that room: it
// does not say which one it is to, so one that leads elsewhere is noticed when it has,
// and that room is left before anything is said.

// isNamed tells whether a room is the one that was named, with or without the suffix of
// a private one.
func isNamed(id rooms.RoomID, name string) bool {
	wanted, refusal := rooms.DefaultLimits().ParseRoomID(name)
	base, _, _ := strings.Cut(string(id), "~")
	return refusal == nil && (strings.EqualFold(string(wanted), string(id)) || strings.EqualFold(string(wanted), base))
}

// elsewhere says that an invite is to another room than the one that was named.
func elsewhere(name string) *rooms.Refusal {
	return rooms.Refuse(rooms.NoSuchRoom, "without --room you enter the room of the invite", "there is no room %q here, and the invite is to another", name)
}

func isNoSuchRoom(err error) bool {
	var refusal *rooms.Refusal
	return errors.As(err, &refusal) && refusal.Code == rooms.NoSuchRoom
}

// enterNamed enters a room, for a command that asks one thing after the other.
func enterNamed(ctx context.Context, c *node.Client, room string, invite rooms.Capability) (rooms.RoomID, error) {
	if room == "" {
		return enter(ctx, c, rooms.Join{Invite: invite})
	}
	id, err := enter(ctx, c, rooms.Join{Room: room})
	if invite == (rooms.Capability{}) || !isNoSuchRoom(err) {
		return id, err
	}
	if id, err = enter(ctx, c, rooms.Join{Invite: invite}); err != nil || isNamed(id, room) {
		return id, err
	}
	_, _ = c.Do(ctx, rooms.Leave{})
	return "", elsewhere(room)
}

func enter(ctx context.Context, c *node.Client, join rooms.Join) (rooms.RoomID, error) {
	e, err := c.Do(ctx, join)
	if err != nil {
		return "", err
	}
	return e.(rooms.Entered).Room.Room, nil
}

// invitedSession is a session whose first Join of a room may need an invite. What is
// asked meanwhile waits: it is meant for that room.
type invitedSession struct {
	ui.Session
	room   string
	invite rooms.Capability
	events chan rooms.Event

	mu      sync.Mutex        // guards the fields below
	last    uint64            // what Send returned last
	refs    map[uint64]uint64 // ours by the session's, of what has no answer yet
	entry   rooms.Join        // the first one
	ref     uint64            // of it
	step    entering
	waiting []waitingCommand
}

// entering is how far the first Join has come.
type entering int

const (
	notYet  entering = iota
	byName           // asked for the room
	byLink           // asked to be let in by the invite
	leaving          // it led elsewhere
	entered          // or refused
)

type waitingCommand struct {
	ref uint64
	cmd rooms.Command
}

// invited lets a session enter a room that was named by an invite, if there are both.
func invited(ctx context.Context, session ui.Session, room string, invite rooms.Capability) ui.Session {
	if room == "" || invite == (rooms.Capability{}) {
		return session
	}
	s := &invitedSession{Session: session, room: room, invite: invite, events: make(chan rooms.Event), refs: map[uint64]uint64{}}
	go func() {
		defer close(s.events)
		for e := range session.Events() {
			if e = s.translate(e); e == nil {
				continue
			}
			select {
			case s.events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return s
}

// Events are those of the session, with one answer to the first Join.
func (s *invitedSession) Events() <-chan rooms.Event { return s.events }

// Send hands a command over, or keeps it until the room is entered.
func (s *invitedSession) Send(cmd rooms.Command) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	join, ok := cmd.(rooms.Join)
	switch {
	case s.step != notYet && s.step != entered:
		s.waiting = append(s.waiting, waitingCommand{s.last, cmd})
		return s.last
	case s.step == notYet && ok:
		s.entry, s.ref, s.step = join, s.last, byName
	}
	s.pass(s.last, cmd)
	return s.last
}

// pass sends a command whose answer will have this ref.
func (s *invitedSession) pass(ref uint64, cmd rooms.Command) { s.refs[s.Session.Send(cmd)] = ref }

// translate makes the event of a session ours; nil: nobody is to see it.
func (s *invitedSession) translate(e rooms.Event) rooms.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := e.(type) {
	case rooms.Answered:
		return s.answered(e)
	case rooms.Connection, rooms.Path:
		return e
	}
	if s.step == leaving {
		return nil
	}
	return e
}

func (s *invitedSession) answered(a rooms.Answered) rooms.Event {
	ref := s.refs[a.Ref]
	delete(s.refs, a.Ref)
	if ref == s.ref && s.step != entered {
		if a.Answer = s.next(a.Answer); a.Answer == nil {
			return nil
		}
		s.step = entered
		for _, w := range s.waiting {
			s.pass(w.ref, w.cmd)
		}
		s.waiting = nil
	}
	return rooms.Answered{Ref: ref, Answer: a.Answer}
}

// next takes the answer to a step. It returns the one to the first Join, or nil when
// there is another step to take.
func (s *invitedSession) next(answer rooms.Event) rooms.Event {
	refusal, refused := answer.(*rooms.Refusal)
	switch room, ok := answer.(rooms.Entered); {
	case s.step == leaving:
		return elsewhere(s.room)
	case s.step == byName && refused && refusal.Code == rooms.NoSuchRoom:
		s.step = byLink
		s.pass(s.ref, rooms.Join{Invite: s.invite, After: s.entry.After, Recent: s.entry.Recent})
		return nil
	case s.step == byLink && ok && !isNamed(room.Room.Room, s.room):
		s.step = leaving
		s.pass(s.ref, rooms.Leave{})
		return nil
	}
	return answer
}
