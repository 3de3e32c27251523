package ui

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

// slowHost takes a burst, then one line a pace, as a host does.
type slowHost struct {
	burst int
	pace  time.Duration
	now   func() time.Time
	free  time.Time // when the bucket is full again
	heard []string
}

func (h *slowHost) answer(cmd rooms.Command) rooms.Event {
	say, ok := cmd.(rooms.Say)
	if !ok {
		return nil
	}
	if h.free.Before(h.now()) {
		h.free = h.now()
	}
	full := h.now().Add(time.Duration(h.burst-1) * h.pace)
	if h.free.After(full) {
		return &rooms.Refusal{Code: rooms.RateLimited, Message: "too fast", Retry: h.free.Sub(full)}
	}
	h.free = h.free.Add(h.pace)
	h.heard = append(h.heard, say.Text)
	return rooms.Said{Seq: rooms.Seq(len(h.heard))}
}

// inSlowDev is a chat in the room dev of a slow host.
func inSlowDev(t *testing.T, play func(*seat, *slowHost)) {
	t.Helper()
	sit(t, inDev, func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		h := &slowHost{burst: 10, pace: 500 * time.Millisecond, now: s.Now}
		s.answer = h.answer
		s.forget()
		play(s, h)
	})
}

func lineNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint("line ", i)
	}
	return names
}

func (h *slowHost) want(t *testing.T, lines []string) {
	t.Helper()
	if got, want := strings.Join(h.heard, "\n"), strings.Join(lines, "\n"); got != want {
		t.Errorf("the host heard:\n%s\nwant:\n%s", got, want)
	}
}

func TestChatHoldsWhatIsTooFast(t *testing.T) {
	inSlowDev(t, func(s *seat, h *slowHost) {
		names := lineNames(101)
		for _, name := range names[:100] {
			s.say(name)
		}
		h.want(t, names[:10])
		if want := "90 lines waiting (the host takes 2 a second), Ctrl-C drops what waits"; s.special() != want {
			t.Errorf("status %q, want %q", s.special(), want)
		}
		s.pass(h.pace)
		s.say(names[100])
		h.want(t, names[:11])
		for range 90 {
			s.pass(h.pace)
		}
		h.want(t, names)
		s.want()
		if s.special() != "" {
			t.Errorf("status %q", s.special())
		}
	})
}

// No line overtakes one that the host refuses as too fast: one is on its way at a time.
func TestChatSendsOneAtATime(t *testing.T) {
	inSlowDev(t, func(s *seat, h *slowHost) {
		s.answer = func(rooms.Command) rooms.Event { return nil }
		for _, name := range lineNames(4) {
			s.say(name)
		}
		s.wantAsked(t, said("line 0"))
		s.settle(t, rooms.Said{Seq: 3})
		s.wantAsked(t, said("line 1"))
		slow := &rooms.Refusal{Code: rooms.RateLimited, Message: "too fast", Retry: h.pace}
		s.settle(t, slow)
		s.wantAsked(t)
		s.pass(h.pace)
		s.wantAsked(t, said("line 1"))
		s.settle(t, rooms.Refuse(rooms.Denied, "ask", "you are muted"))
		s.wantAsked(t, said("line 2"))
		s.settle(t, rooms.Said{})
		s.wantAsked(t, said("line 3"))
		s.settle(t, rooms.Said{})
	})
}

// A line that the host can't store now waits until it can.
func TestChatWaitsForAFullDisk(t *testing.T) {
	inSlowDev(t, func(s *seat, _ *slowHost) {
		s.answer = func(rooms.Command) rooms.Event { return nil }
		s.say("one")
		s.say("two")
		full := rooms.Refuse(rooms.Storage, "tell the owner", "the disk is full")
		full.Retry = time.Second
		s.settle(t, full)
		s.want("!! the disk is full; tell the owner", "-- it is tried again by itself; Ctrl-C drops it")
		if want := "2 lines waiting (the host can't store it now), Ctrl-C drops what waits"; s.special() != want {
			t.Errorf("status %q, want %q", s.special(), want)
		}
		s.pass(storagePause)
		s.wantAsked(t, said("one"), said("one"))
		s.settle(t, full)
		s.want()
		s.pass(storagePause)
		s.wantAsked(t, said("one"))
		s.settle(t, rooms.Said{Seq: 3})
		s.wantAsked(t, said("two"))
		s.settle(t, rooms.Said{Seq: 4})
		s.want("-- 2 lines that waited are said now")
	})
}

func TestChatDropsWhatWaits(t *testing.T) {
	inSlowDev(t, func(s *seat, h *slowHost) {
		for _, name := range lineNames(12) {
			s.say(name)
		}
		s.say("/leave")
		s.want("!! 2 lines still to be said in #dev; wait, or drop them with Ctrl-C")
		s.put(input{text: "half", err: ErrInterrupt})
		s.want()
		s.put(input{err: ErrInterrupt})
		s.want(`-- 2 lines were not said, the first "line 10"`)
		s.pass(time.Hour)
		h.want(t, lineNames(10))
		s.say("again")
		h.want(t, append(lineNames(10), "again"))
		if s.special() != "" {
			t.Errorf("status %q", s.special())
		}
		for _, name := range lineNames(10) {
			s.say(name)
		}
		s.forget()
		s.tell(rooms.RoomChanged{What: rooms.RoomClosed, Room: rooms.RoomInfo{Room: "dev"}, Reason: "closed by anna"})
		s.want("-- #dev was closed by anna", `-- 1 line was not said, "line 9"`)
		s.settle(t, rooms.Refuse(rooms.Busy, "later", "no"))
		s.pass(time.Hour)
		if n := len(h.heard); n != 20 {
			t.Errorf("%d lines heard", n)
		}
	})
}

// A command that leaves the room waits behind what is said there, and what is
// asked next behind that.
func TestChatLeavesBehindItsLines(t *testing.T) {
	inSlowDev(t, func(s *seat, h *slowHost) {
		s.answer = func(rooms.Command) rooms.Event { return nil }
		for _, line := range []string{"here", "/join else", "there", "/who"} {
			s.say(line)
		}
		s.wantAsked(t, said("here"))
		slow := &rooms.Refusal{Code: rooms.RateLimited, Message: "too fast", Retry: h.pace}
		s.settle(t, slow)
		s.pass(h.pace)
		s.wantAsked(t, said("here"))
		s.settle(t, rooms.Said{})
		s.wantAsked(t, rooms.Join{Room: "else", Recent: 10})
		s.enter(rooms.Entered{Room: rooms.RoomInfo{Room: "else", Members: 1}}, member(alice, "alice"))
		s.wantAsked(t, said("there"))
		s.settle(t, slow)
		s.pass(h.pace)
		s.wantAsked(t, said("there"))
		s.settle(t, rooms.Said{})
		s.wantAsked(t, rooms.Who{})
		s.want("-- you are in #else as alice · nobody else here yet · /help")
		s.settle(t, rooms.Roster{Room: "else"})
	})
}

func TestChatEndsWithLinesThatWait(t *testing.T) {
	var no *rooms.Refusal
	inSlowDev(t, func(s *seat, h *slowHost) {
		names := lineNames(14)
		for _, name := range names {
			s.say(name)
		}
		s.put(input{err: io.EOF})
		for range 4 {
			s.pass(h.pace)
		}
		if err := s.ended(); err != nil {
			t.Errorf("ended with %v", err)
		}
		h.want(t, names)
	})
	inSlowDev(t, func(s *seat, h *slowHost) {
		h.pace = time.Hour
		for i := range 100 {
			s.say(fmt.Sprint("line ", i, " ", strings.Repeat("x\x1b", 100)))
		}
		s.put(input{err: io.EOF})
		s.pass(DefaultLinger)
		if err := s.ended(); !errors.As(err, &no) || !strings.Contains(no.Message, `confirmed 90 lines, the first "line 10 x^[x`) || len(no.Message) > 120 {
			t.Errorf("ended with %v", err)
		}
	})
}

// Where nobody waits at the prompt, nothing is read while a line waits.
func TestPlainChatWaitsItsTurn(t *testing.T) {
	sit(t, func(o *Options, _ *fakeHost) {
		o.Room = "dev"
		o.Terminal.(*fakeTerm).width = 0
	}, func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		s.forget()
		s.say("fast")
		s.settle(t, &rooms.Refusal{Code: rooms.RateLimited, Message: "too fast", Retry: time.Second})
		go func() { s.term.lines <- input{text: "/leave"} }()
		s.tell()
		s.wantAsked(t, said("fast"))
		s.pass(time.Second)
		s.wantAsked(t, said("fast"))
		s.settle(t, rooms.Said{})
		s.wantAsked(t, rooms.Leave{})
		s.settle(t, rooms.Done{})
		s.settle(t, rooms.Listing{})
	})
}

func TestPerSecond(t *testing.T) {
	for pace, want := range map[time.Duration]string{
		500 * time.Millisecond: "2 a second", 493 * time.Millisecond: "2 a second", time.Second: "1 a second", 5 * time.Second: "one in 5s",
	} {
		if got := perSecond(pace); got != want {
			t.Errorf("%v: %q, want %q", pace, got, want)
		}
	}
}

// What is typed behind a way into another room is said in that room, or nowhere.
func TestLinesBehindAMove(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.forget()
		s.say("one")
		s.say("/join lobby")
		s.say("two for lobby")
		s.enter(dev(1), member(alice, "alice"))
		s.settle(t, rooms.Said{Seq: 3})
		s.wantAsked(t, said("one"), rooms.Join{Room: "lobby", Recent: 10})
		lobby := dev(1)
		lobby.Room.Room = "lobby"
		s.enter(lobby, member(alice, "alice"))
		s.wantAsked(t, said("two for lobby"))
		s.settle(t, rooms.Said{Seq: 3})
	})
	sit(t, inDev, func(s *seat) {
		s.say("one")
		s.say("/join lobby")
		s.say("/leave")
		s.enter(dev(1), member(alice, "alice"))
		s.say("for nobody")
		s.settle(t, rooms.Said{Seq: 3})
		lobby := dev(1)
		lobby.Room.Room = "lobby"
		s.enter(lobby, member(alice, "alice"))
		s.forget()
		s.settle(t, rooms.Done{}) // the /leave
		for _, cmd := range s.asked {
			if say, ok := cmd.(rooms.Say); ok {
				s.settle(t, rooms.Refuse(rooms.NotInRoom, "", "you are in no room"))
				if say.Text != "for nobody" {
					t.Errorf("said %q", say.Text)
				}
			}
		}
		for len(s.open) > 0 {
			s.settle(t, rooms.Listing{})
		}
	})
}

// A host that says nothing keeps nobody: Ctrl-C leaves, or a few seconds do.
func TestQuitFromAHostThatHangs(t *testing.T) {
	for _, impatient := range []bool{true, false} {
		sit(t, inDev, func(s *seat) {
			s.enter(dev(1), member(alice, "alice"))
			s.say("hello")
			s.say("/quit")
			s.pass(slow)
			if got := s.special(); !strings.HasPrefix(got, "leaving, the host has not answered yet") {
				t.Errorf("status %q", got)
			}
			if impatient {
				s.interrupt()
			} else {
				s.pass(hastyLinger)
			}
			if err := s.ended(); err == nil {
				t.Error("the line was not confirmed, and nobody says so")
			}
		})
	}
}

// What was refused is in the line again, to be mended.
func TestRefusedTextComesBack(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		s.say("far too long")
		s.settle(t, rooms.Refuse(rooms.TooLong, "send it in parts", "too long"))
		if got := strings.Join(s.term.returned, "|"); got != "far too long" {
			t.Errorf("in the line: %q", got)
		}
		s.say("/leave")
		s.settle(t, rooms.Done{})
		s.settle(t, rooms.Listing{})
		s.say("a long draft: what do you think?")
		if got := s.term.returned[len(s.term.returned)-1]; got != "a long draft: what do you think?" {
			t.Errorf("in the line: %q", got)
		}
	})
}
