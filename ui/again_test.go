package ui

import (
	"strings"
	"testing"

	"p2pchat/rooms"
)

// Whoever enters the room it is in gets a replay of what it has seen.

func TestChatEntersTheSameRoomAgain(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.tell(replayed(posted(2, bob, "bob", "old")), posted(3, bob, "bob", "new"))
		s.forget()
		s.say("/join p2pchat:good")
		again := dev(2)
		again.Head = 4
		s.enter(again, member(alice, "alice"), member(bob, "bob"))
		s.tell(replayed(posted(2, bob, "bob", "old")), replayed(posted(3, bob, "bob", "new")), replayed(posted(4, bob, "bob", "meanwhile")))
		s.tell(posted(5, bob, "bob", "next"))
		s.want("-- you are in #dev already", "-- earlier --", "00:04 bob meanwhile", "-- now --", "00:05 bob next")
		// A host that has lost its newest messages counts them anew.
		s.tell(rooms.Connection{What: rooms.ConnectionLost}, rooms.Connection{What: rooms.ConnectionRestored})
		s.forget()
		s.tell(posted(4, bob, "bob", "another fourth"))
		s.want("00:04 bob another fourth")
	})
}

func TestPipeEntersTheSameRoomAgain(t *testing.T) {
	playPipe(t, func(o *Options) { o.Commands = true }, func(p *program) {
		p.tell(posted(3, bob, "bob", "three"))
		p.out.Reset()
		p.write("/join dev\n")
		p.settle(t, dev(2))
		p.tell(replayed(posted(3, bob, "bob", "three")), posted(4, bob, "bob", "four"))
		p.wantNotices("-- you are in #dev already")
		p.want("2000-01-01T00:04:00Z\t#dev\tbob\tfour")
	})
}

func TestJSONEntersTheSameRoomAgain(t *testing.T) {
	playJSON(t, func(o *Options) { o.Room = "dev" }, func(p *program) {
		p.settle(t, dev(2))
		p.tell(replayed(posted(1, bob, "bob", "one")), posted(3, bob, "bob", "three"))
		p.out.Reset()
		p.write(`{"do":"join","room":"dev","ref":1}` + "\n")
		p.settle(t, dev(2))
		p.tell(replayed(posted(1, bob, "bob", "one")), replayed(posted(3, bob, "bob", "three")))
		p.want(`{"v":1,"type":"ok","ref":1,"room":"dev","members":2,"limit":10,"topic":"what we build","head":2,"role":"member"}`)
		p.tell(posted(4, bob, "bob", "four"))
		if n := strings.Count(p.out.String(), `"text":"four"`); n != 1 {
			t.Errorf("the next message is written %d times", n)
		}
	})
}
