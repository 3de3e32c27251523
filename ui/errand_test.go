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

// A room that the person gave up to enter is left again, and nothing is said there.
func TestChatStopsEntering(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.pass(slow)
		s.forget()
		s.interrupt()
		s.want("-- stopped entering #dev", "-- list shows the rooms, an ID joins one, /quit leaves")
		s.say("hello there")
		s.wantAsked(t)
		s.forget()
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.wantAsked(t, rooms.Leave{})
		s.settle(t, rooms.Done{})
		s.want()
		if s.term.prompt != "p2pchat> " {
			t.Errorf("prompt %q", s.term.prompt)
		}
		s.say("lobby")
		s.wantAsked(t, rooms.Join{Room: "lobby", Recent: 10})
		s.settle(t, rooms.Refuse(rooms.Busy, "later", "no"))
	})
}

// Who goes on to another room meanwhile is not taken out of that one.
func TestChatEntersAnotherMeanwhile(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.pass(slow)
		s.interrupt()
		s.say("lobby")
		s.enter(dev(2), member(alice, "alice"))
		s.forget()
		lobby := dev(1)
		lobby.Room.Room = "lobby"
		s.enter(lobby, member(alice, "alice"))
		s.wantAsked(t)
		if s.term.prompt != "#lobby> " {
			t.Errorf("prompt %q", s.term.prompt)
		}
	})
}

// A refusal of what was given up ends nothing.
func TestChatStopsEnteringAndIsRefused(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.pass(slow)
		s.interrupt()
		s.forget()
		s.settle(t, rooms.Refuse(rooms.RoomFull, "later", "full"))
		s.want()
		s.say("lobby")
		s.wantAsked(t, rooms.Join{Room: "lobby", Recent: 10})
		s.settle(t, rooms.Refuse(rooms.Busy, "later", "no"))
	})
}

func TestStatusRow(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.tell(rooms.Path{Path: "punched", Transport: "quic", RTT: 23 * time.Millisecond})
		if got := s.term.status; got != "punched 25 ms" {
			t.Errorf("status %q", got)
		}
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberJoined, Member: member(host, "carol")})
		if got := s.term.status; got != "punched 25 ms · 3 members" {
			t.Errorf("status %q", got)
		}
		gone := member(alice, "alice")
		gone.Away = "lunch"
		s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberAway, Member: gone})
		if got := s.term.status; got != "punched 25 ms · you are away · 3 members" {
			t.Errorf("status %q", got)
		}
		s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberBack, Member: member(alice, "alice")})
		s.tell(rooms.Connection{What: rooms.ConnectionLost})
		if got := s.term.status; got != "connection lost, trying again · 3 members" {
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
		if want := []string{"… 00:00 alice hello^[[2J there", "… 00:00 alice /me waves"}; !slices.Equal(s.term.waiting, want) {
			t.Errorf("%q, want %q", s.term.waiting, want)
		}
		s.settle(t, rooms.Said{Seq: 3})
		if want := []string{"… 00:00 alice /me waves"}; !slices.Equal(s.term.waiting, want) {
			t.Errorf("%q, want %q", s.term.waiting, want)
		}
		s.settle(t, rooms.Said{Seq: 4})
		if s.term.waiting != nil {
			t.Errorf("%q when all is said", s.term.waiting)
		}
	})
}
