package ui

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

func TestChatOffersTheChoices(t *testing.T) {
	sit(t, nil, func(s *seat) {
		s.wantAsked(t, rooms.List{})
		s.settle(t, rooms.Listing{Rooms: []rooms.RoomInfo{
			{Room: "dev", Members: 3, Limit: 10, Topic: "what we build"}, {Room: "lobby", Members: 12},
		}})
		s.want(
			"-- connected to Ada's box (…Host0003) as alice",
			"-- 2 public rooms",
			"    1  lobby  12 here",
			"    2  dev    3 of 10  what we build",
			"-- you can",
			"   join    a room: type its number or its ID",
			"   create  a room: type create and an ID",
			"   list    the rooms again: type list")
		for line, want := range map[string]rooms.Command{
			"2":              rooms.Join{Room: "dev", Recent: 10},
			" DEV ":          rooms.Join{Room: "dev", Recent: 10},
			"#lobby":         rooms.Join{Room: "lobby", Recent: 10},
			"made-since":     rooms.Join{Room: "made-since", Recent: 10},
			"join 2":         rooms.Join{Room: "dev", Recent: 10},
			"/join 2":        rooms.Join{Room: "dev", Recent: 10},
			"#2":             rooms.Join{Room: "2", Recent: 10},
			"list":           rooms.List{},
			"create x":       rooms.Create{Room: "x"},
			"join elsewhere": rooms.Join{Room: "elsewhere", Recent: 10},
			"p2pchat:good":   rooms.Join{Invite: rooms.Capability{Secret: [16]byte{1}}, Recent: 10},
		} {
			s.forget()
			s.say(line)
			s.wantAsked(t, want)
			s.settle(t, rooms.Refuse(rooms.Busy, "later", "no"))
		}
		for _, line := range []string{"hello?", "hello there", "quit now", "list them", "help me"} {
			s.forget()
			s.say(line)
			s.wantAsked(t)
			s.want("!! you are in no room; type a room's number or ID to join it, create ID for a", "    │ new one, or list")
		}
		s.forget()
		s.say("3")
		s.wantAsked(t)
		s.want("!! there is no number 3: the list ends at 2; list shows the rooms")
		s.say("join lobyb")
		s.settle(t, rooms.Refuse(rooms.NoSuchRoom, "/list shows the rooms", "there is no room %q", "lobyb"))
		s.want("!! there is no room \"lobyb\"; did you mean lobby? /list shows the rooms")
		s.forget()
		s.say("list")
		s.settle(t, rooms.Listing{Rooms: []rooms.RoomInfo{{Room: "dev"}, {Room: "1"}}})
		for line, room := range map[string]string{"1": "1", "/join 1": "1", "2": "1", "join #1": "1"} {
			s.forget()
			s.say(line)
			s.wantAsked(t, rooms.Join{Room: room, Recent: 10})
			s.settle(t, rooms.Refuse(rooms.Busy, "later", "no"))
		}
	})
}

func TestChatMakesAPrivateRoom(t *testing.T) {
	sit(t, nil, func(s *seat) {
		s.settle(t, rooms.Listing{})
		s.say("create dev --private")
		s.forget()
		made := dev(1)
		made.Room.Room, made.Room.Private = "dev~abcdefgh", true
		s.enter(made, member(alice, "alice"))
		s.want("-- you are in #dev~abcdefgh as alice · nobody else here yet · /help", "-- topic: what we build",
			"-- this room is private: its ID is dev~abcdefgh and it is in no list; /invite", "    │ lets others in")
	})
}

func TestChatEntersAndReplays(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.wantAsked(t, rooms.Join{Room: "dev", Recent: 10})
		s.tell(rooms.Path{Path: "direct", Transport: "tcp", RTT: 12 * time.Millisecond})
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.tell(replayed(posted(1, bob, "bob", "first")))
		s.tell(replayed(posted(2, alice, "alice", "second")), posted(3, bob, "bob", "third"))
		s.wantAsked(t)
		s.want(
			"-- connected to Ada's box (…Host0003) as alice",
			"-- connected directly over tcp, 12 ms",
			"-- you are in #dev as alice · 1 here: bob · /help",
			"-- topic: what we build",
			"-- earlier --",
			"00:01 bob first",
			"00:02 alice second",
			"-- now --",
			"00:03 bob third")
		if s.term.prompt != "#dev> " {
			t.Errorf("prompt %q", s.term.prompt)
		}
		next := posted(4, bob, "bob", "tomorrow")
		next.Time = next.Time.AddDate(0, 0, 1)
		s.tell(next)
		s.want("-- Sunday, 2 January 2000 --", "00:04 bob tomorrow")
	})
}

func TestChatSpeaks(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		s.forget()
		s.say("hello")
		s.say("//x")
		s.say("   ")
		s.wantAsked(t, rooms.Say{Kind: rooms.Text, Text: "hello"})
		if s.special() != "" {
			t.Errorf("status %q at once", s.special())
		}
		s.pass(overdue)
		if s.special() != "2 lines waiting" {
			t.Errorf("status %q", s.special())
		}
		s.tell(posted(3, alice, "alice", "hello"))
		s.settle(t, rooms.Said{Seq: 3})
		s.wantAsked(t, rooms.Say{Kind: rooms.Text, Text: "/x"})
		s.settle(t, rooms.Refuse(rooms.Denied, "ask", "you are muted"))
		s.want("00:03 alice hello", "!! you are muted; ask")
		if s.special() != "" {
			t.Errorf("status %q after the answers", s.special())
		}
	})
}

func TestChatMentionRingsOnceInAWhile(t *testing.T) {
	sit(t, func(o *Options, h *fakeHost) { o.Room, o.Color = "dev", 256 }, func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.forget()
		bell := func() int { return strings.Count(strings.Join(s.term.printed, ""), "\a") }
		s.tell(posted(3, bob, "bob", "malice"), posted(4, alice, "alice", "alice speaking"))
		if bell() != 0 {
			t.Error("rang for nothing")
		}
		s.tell(posted(5, bob, "bob", "hi Alice!"), posted(6, bob, "bob", "alice?"), rooms.Whispered{From: rooms.Author{Peer: bob, Nick: "bob"}, Text: "psst"})
		if bell() != 1 {
			t.Errorf("rang %d times", bell())
		}
		if !strings.Contains(strings.Join(s.term.printed, ""), "\x1b[1;7mAlice\x1b[0m") {
			t.Errorf("no mention in %q", s.term.printed)
		}
		s.pass(bellPause)
		s.tell(posted(7, bob, "bob", "@alice"))
		if bell() != 2 {
			t.Errorf("rang %d times after the pause", bell())
		}
	})
}

func TestChatFollowsTheRoom(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.forget()
		for _, c := range []struct {
			ev   rooms.Event
			rows []string
		}{
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberJoined, Member: member(host, "carol")}, []string{"-- carol joined"}},
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberAway, Member: rooms.Member{Peer: bob, Nick: "bob", Away: "lunch"}}, []string{"-- bob is away: lunch"}},
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberAway, Member: rooms.Member{Peer: bob, Nick: "bob", Away: "away"}}, []string{"-- bob is away"}},
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberBack, Member: member(bob, "bob"), Reason: "spoke"}, nil},
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberBack, Member: member(bob, "bob")}, []string{"-- bob is back"}},
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberBack, Member: member(alice, "alice")}, nil}, // told at the answer
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberBack, Member: member(alice, "alice"), Reason: "spoke"}, []string{"-- you are back"}},
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberRenamed, Member: member(bob, "rob"), Old: "bob"}, []string{"-- bob is rob now"}},
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberRole, Member: rooms.Member{Peer: alice, Nick: "alice", Role: rooms.Operator}, By: "rob"}, []string{"-- you were made operator by rob"}},
			{rooms.MemberChanged{Room: "dev", What: rooms.MemberKicked, Member: member(host, "carol"), By: "rob", Reason: "loud"}, []string{"-- carol was put out by rob: loud"}},
			{rooms.MemberChanged{Room: "else", What: rooms.MemberJoined, Member: member(host, "carol")}, nil},
			{rooms.RoomChanged{What: rooms.RoomUpdated, Room: rooms.RoomInfo{Room: "dev", Limit: 3, Topic: "t"}}, []string{"-- topic: t", "-- the room takes 3 members now"}},
			{rooms.RoomChanged{What: rooms.RoomUpdated, Room: rooms.RoomInfo{Room: "dev", Limit: 1, Topic: "t"}}, []string{"-- the room takes 1 member now"}},
			{rooms.Whispered{From: rooms.Author{Peer: bob, Nick: "rob"}, Text: "psst"}, []string{"\a00:00 rob → you: psst"}},
			{rooms.Whispered{To: rooms.Author{Peer: bob, Nick: "rob"}, Text: "yes", Own: true}, []string{"00:00 you → rob: yes"}},
			{rooms.Notice{Text: "the host\nrestarts"}, []string{"-- the host says: the host restarts"}},
			{rooms.Path{Path: "relayed", Transport: "quic", Why: "no hole"}, []string{"-- connected through a relay over quic · no hole"}},
			{rooms.Path{Path: "relayed", Transport: "quic", RTT: time.Second}, nil},
			{rooms.Path{Path: "punched", Transport: "quic"}, []string{"-- now connected directly, through a punched hole, over quic"}},
			{rooms.RoomChanged{What: rooms.RoomLeft, Room: rooms.RoomInfo{Room: "dev"}, Reason: "kicked by rob: bye"}, []string{
				"-- you are out of #dev: kicked by rob: bye",
			}},
			{posted(9, bob, "rob", "not for you"), nil},
		} {
			s.tell(c.ev)
			s.want(c.rows...)
		}
		if s.term.prompt != "p2pchat> " {
			t.Errorf("prompt %q", s.term.prompt)
		}
		s.settle(t, rooms.Listing{Rooms: []rooms.RoomInfo{{Room: "lobby", Members: 2}}})
		s.want("-- 1 public room", "    1  lobby  2 here", "-- a number or an ID joins one, create ID makes one, /quit leaves")
	})
}

func TestChatLeavesAndComesBack(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		s.forget()
		s.say("/leave")
		s.say("/join dev")
		// The room tells of the leaving while the second answer is open.
		s.tell(rooms.RoomChanged{What: rooms.RoomLeft, Room: rooms.RoomInfo{Room: "dev"}})
		s.settle(t, rooms.Done{})
		s.enter(dev(1), member(alice, "alice"))
		s.want("-- you left #dev",
			"-- you are in #dev as alice · nobody else here yet · /help", "-- topic: what we build")
		if s.term.prompt != "#dev> " {
			t.Errorf("prompt %q", s.term.prompt)
		}
	})
}

func TestChatConnection(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		s.forget()
		s.tell(rooms.Connection{What: rooms.ConnectionLost, Why: "timeout"})
		s.say("anyone?")
		s.want("-- connection lost (timeout); trying again, what you type is sent then")
		if s.special() != "connection lost, trying again · 1 line waiting" {
			t.Errorf("status %q", s.special())
		}
		s.tell(rooms.Connection{What: rooms.ConnectionRestored})
		s.settle(t, rooms.Said{Seq: 3})
		s.want("-- connected again")
		if s.special() != "" {
			t.Errorf("status %q", s.special())
		}
	})
}

func TestChatEnds(t *testing.T) {
	var no *rooms.Refusal
	t.Run("the host says why", func(t *testing.T) {
		sit(t, inDev, func(s *seat) {
			s.enter(dev(1), member(alice, "alice"))
			s.forget()
			s.tell(rooms.Refuse(rooms.Busy, "close one", "a newer connection took your place"), rooms.Connection{What: rooms.ConnectionGone})
			s.Close()
			if err := s.ended(); !errors.As(err, &no) || no.Code != rooms.Busy {
				t.Errorf("ended with %v", err)
			}
			s.want("!! a newer connection took your place; close one")
		})
	})
	t.Run("refused at the start", func(t *testing.T) {
		sit(t, inDev, func(s *seat) {
			s.settle(t, rooms.Refuse(rooms.RoomFull, "/list for others", "room %q is full (3/3)", "dev"))
			if err := s.ended(); !errors.As(err, &no) || no.Code != rooms.RoomFull {
				t.Errorf("ended with %v", err)
			}
			s.want("-- connected to Ada's box (…Host0003) as alice", `!! room "dev" is full (3/3); /list for others`)
		})
	})
	t.Run("end of input finishes", func(t *testing.T) {
		sit(t, inDev, func(s *seat) {
			s.enter(dev(1), member(alice, "alice"))
			s.say("last words")
			s.forget()
			s.put(input{err: io.EOF})
			s.settle(t, rooms.Said{Seq: 3})
			if err := s.ended(); err != nil {
				t.Errorf("ended with %v", err)
			}
		})
	})
	t.Run("nobody waits for a lost connection", func(t *testing.T) {
		sit(t, inDev, func(s *seat) {
			s.enter(dev(1), member(alice, "alice"))
			s.say("last words")
			s.tell(rooms.Connection{What: rooms.ConnectionLost})
			s.forget()
			s.put(input{err: io.EOF})
			if err := s.ended(); !errors.As(err, &no) || no.Code != rooms.Unreachable {
				t.Errorf("ended with %v", err)
			}
			s.want(`!! the host has not confirmed 1 line, "last words"; say it again once the host`, "    │ answers")
		})
	})
	t.Run("nobody waits for ever", func(t *testing.T) {
		sit(t, inDev, func(s *seat) {
			s.enter(dev(1), member(alice, "alice"))
			s.say("last words")
			s.put(input{err: io.EOF})
			s.pass(DefaultLinger)
			if err := s.ended(); !errors.As(err, &no) || no.Code != rooms.Unreachable {
				t.Errorf("ended with %v", err)
			}
		})
	})
	t.Run("the host is gone", func(t *testing.T) {
		sit(t, inDev, func(s *seat) {
			s.enter(dev(1), member(alice, "alice"))
			s.forget()
			s.tell(rooms.Connection{What: rooms.ConnectionGone, Why: "it was stopped"})
			s.Close()
			if err := s.ended(); !errors.As(err, &no) || no.Code != rooms.Unreachable {
				t.Errorf("ended with %v", err)
			}
			s.want("!! the connection to the host is gone: it was stopped; join again once the host", "    │ answers")
		})
	})
}
