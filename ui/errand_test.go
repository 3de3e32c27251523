package ui

import (
	"slices"
	"testing"
	"time"

	"p2pchat/rooms"
)

func TestChatSaysWhatItWaitsFor(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.pass(slow)
		if got := s.special(); got != "entering #dev, Ctrl-C stops" {
			t.Errorf("status %q", got)
		}
		s.pass(time.Second)
		s.pass(time.Second)
		if got := s.special(); got != "entering #dev, 3s, Ctrl-C stops" && got != "entering #dev, 2s, Ctrl-C stops" {
			t.Errorf("status %q", got)
		}
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.forget()
		s.say("/search tide")
		if got := s.special(); got != "" {
			t.Errorf("status %q at once", got)
		}
		s.interrupt() // nothing is shown yet that it could be meant for
		s.pass(slow)
		if got := s.special(); got != "searching, Ctrl-C stops" {
			t.Errorf("status %q", got)
		}
		s.interrupt()
		s.settle(t, rooms.Found{Messages: []rooms.Message{posted(1, bob, "bob", "tide").Message}})
		s.want("-- stopped searching")
		if got := s.special(); got != "" {
			t.Errorf("status %q", got)
		}
		s.say("/search tide")
		s.settle(t, rooms.Found{Messages: []rooms.Message{posted(1, bob, "bob", "tide").Message}})
		s.want("-- 1 message found --", "-- Saturday, 1 January 2000 --", "1  00:01 bob tide", "-- now --")
	})
}

// Where the host has done it all the same, the person is told, and is where the prompt says.
func TestChatStopsEntering(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.pass(slow)
		s.forget()
		s.interrupt()
		s.want("-- stopped entering #dev", "-- list shows the rooms, an ID joins one, /quit leaves")
		s.say("hello there") // it is said nowhere
		s.wantAsked(t)
		s.forget()
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.wantAsked(t)
		s.want("-- you are in #dev as alice · 1 here: bob · /help", "-- topic: what we build")
		if s.term.prompt != "#dev> " {
			t.Errorf("prompt %q", s.term.prompt)
		}
	})
}

// Who goes on to another room meanwhile ends there, or where the host has it.
func TestChatEntersAnotherMeanwhile(t *testing.T) {
	for _, refused := range []bool{false, true} {
		sit(t, inDev, func(s *seat) {
			s.pass(slow)
			s.interrupt()
			s.say("lobby")
			s.enter(dev(1), member(alice, "alice"))
			lobby, want := dev(1), "#lobby> "
			lobby.Room.Room = "lobby"
			if refused {
				want = "#dev> "
				s.settle(t, rooms.Refuse(rooms.RoomFull, "later", "full"))
			} else {
				s.enter(lobby, member(alice, "alice"))
			}
			if s.term.prompt != want {
				t.Errorf("prompt %q, want %q", s.term.prompt, want)
			}
		})
	}
}

// What changes something can't be stopped: the answer is news.
func TestChatStopsQuestionsOnly(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		for _, line := range []string{"/leave", "/nick ann", "/kick bob"} {
			s.say(line)
		}
		s.pass(slow)
		if got := s.special(); got != "asking the host" {
			t.Errorf("status %q", got)
		}
		s.forget()
		s.interrupt()
		s.want()
		s.settle(t, rooms.Done{})
		s.settle(t, rooms.Done{})
		s.settle(t, rooms.Refuse(rooms.Denied, "", "no"))
		s.want("-- you left #dev", "-- you are ann now", "!! no")
		s.settle(t, rooms.Listing{})
	})
}

// A refusal of what was given up ends nothing.
func TestChatStopsEnteringAndIsRefused(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.pass(slow)
		s.interrupt()
		s.forget()
		s.settle(t, rooms.Refuse(rooms.RoomFull, "later", "full"))
		s.want("!! full; later")
		s.say("lobby")
		s.wantAsked(t, rooms.Join{Room: "lobby", Recent: 10})
		s.settle(t, rooms.Refuse(rooms.Busy, "later", "no"))
	})
}

func TestStatusRow(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.tell(rooms.Path{Path: "punched", Transport: "quic", RTT: 23 * time.Millisecond})
		if got := s.term.status; got != "alice · punched 25 ms" {
			t.Errorf("status %q", got)
		}
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberJoined, Member: member(host, "carol")})
		if got := s.term.status; got != "alice · punched 25 ms · 3 members" {
			t.Errorf("status %q", got)
		}
		gone := member(alice, "alice")
		gone.Away = "lunch"
		s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberAway, Member: gone})
		if got := s.term.status; got != "alice · punched 25 ms · you are away · 3 members" {
			t.Errorf("status %q", got)
		}
		s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberBack, Member: member(alice, "alice")})
		s.tell(rooms.Connection{What: rooms.ConnectionLost})
		if got := s.term.status; got != "connection lost, trying again · alice · 3 members" {
			t.Errorf("status %q", got)
		}
	})
}

func TestEmptyHostSuggestsCreate(t *testing.T) {
	sit(t, nil, func(s *seat) {
		s.forget()
		s.settle(t, rooms.Listing{})
		s.want("-- no public room is open", "-- type create and an ID to make the first one, for example: create kitchen")
	})
}

// Own lines stand above the prompt until the host has them, once that takes a while.
func TestLinesThatWaitAreShown(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.say("hello\x1b[2J\nthere")
		s.say("/me waves")
		if s.term.waiting != nil {
			t.Errorf("%q at once", s.term.waiting)
		}
		s.pass(overdue)
		if want := []string{"… 00:00 alice hello^[[2J there", "… 00:00 * alice waves"}; !slices.Equal(s.term.waiting, want) {
			t.Errorf("%q, want %q", s.term.waiting, want)
		}
		s.settle(t, rooms.Said{Seq: 3})
		if want := []string{"… 00:00 * alice waves"}; !slices.Equal(s.term.waiting, want) {
			t.Errorf("%q, want %q", s.term.waiting, want)
		}
		s.settle(t, rooms.Said{Seq: 4})
		if s.term.waiting != nil {
			t.Errorf("%q when all is said", s.term.waiting)
		}
	})
}

// The owner who leaves takes everybody along, and is asked first.
func TestOwnerIsAskedBeforeTheHostStops(t *testing.T) {
	owner := func(o *Options, _ *fakeHost) { o.Room, o.Owner = "dev", true }
	sit(t, owner, func(s *seat) {
		s.enter(dev(3), member(alice, "alice"), member(bob, "bob"), member(host, "carol"))
		s.forget()
		s.say("/quit")
		s.want("-- that stops the host, and puts out who is on it, 2 others in this room among", "    │ them; /quit again does it")
		s.pass(quitTime)
		s.pass(1)
		s.say("/quit")
		if s.closed {
			t.Fatal("an old /quit counts")
		}
		s.say("/quit")
		if err := s.ended(); err != nil {
			t.Error(err)
		}
	})
	sit(t, owner, func(s *seat) {
		s.enter(dev(1), member(alice, "alice")) // nobody to be asked for
	})
}

func TestRedactAloneAsks(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.tell(posted(3, alice, "alice", "my secret"), posted(4, bob, "bob", "what?"))
		s.forget()
		s.say("/redact")
		s.wantAsked(t)
		s.want(`-- your last message is "my secret"; /redact 3 removes it, for good`)
		s.say("/redact 3")
		s.wantAsked(t, rooms.Redact{Seq: 3})
		s.settle(t, rooms.Done{})
		gone := posted(5, alice, "alice", "")
		gone.Kind, gone.Target = rooms.Redaction, 3
		s.tell(gone)
		s.want("-- you removed message 3")
		s.say("/redact")
		s.wantAsked(t, rooms.Redact{})
		s.settle(t, rooms.Refuse(rooms.BadRequest, "", "there is none"))
	})
}

// A command is one line; pasted lines that begin with one are not run by accident.
func TestCommandsTakeOneLine(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.forget()
		s.say("/quit\n/nick evil")
		s.wantAsked(t)
		s.want("!! /quit takes one line, and this has several; put a second / in front to say it", "    │ as it is")
		s.say("/me says\nmore")
		s.wantAsked(t, rooms.Say{Kind: rooms.Action, Text: "says\nmore"})
		s.settle(t, rooms.Said{})
	})
}

func TestAwayHostTakesNoWhispers(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.tell(rooms.Connection{What: rooms.ConnectionLost})
		s.forget()
		s.say("/msg bob psst")
		s.wantAsked(t)
		s.want("!! not whispered: the host can't be reached now; whispers are not kept: the Up", "    │ key brings it back")
	})
}
