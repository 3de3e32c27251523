package rooms_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

// dev is a public room with alice, its operator, bob, carol and the owner inside.
func dev(t *testing.T) (h *host, alice, bob, carol, boss *guest) {
	h = newHost(t)
	all := h.connectAll("alice", "bob", "carol", "owner")
	enters(all[0].create(rooms.Create{Room: "dev"}), all[1:]...)
	return h, all[0], all[1], all[2], all[3]
}

func TestTopicAndLimit(t *testing.T) {
	h, alice, _, _, _ := dev(t)
	key, _ := h.reg.Room(alice.id)
	alice.must(rooms.Topic{Text: "work"})
	alice.must(rooms.SetLimit{Limit: 7})
	info := rooms.RoomInfo{Room: "dev", Members: 4, Limit: 7, Topic: "work"}
	want := []rooms.Effect{rooms.Broadcast{Key: key, Event: rooms.RoomChanged{What: rooms.RoomUpdated, Room: info, By: "alice"}}}
	if !reflect.DeepEqual(alice.effects, want) {
		t.Errorf("effects\n got %+v\nwant %+v", alice.effects, want)
	}
	if got := alice.must(rooms.List{}); !reflect.DeepEqual(got, rooms.Listing{Rooms: []rooms.RoomInfo{info}}) {
		t.Errorf("listing: %+v", got)
	}
	alice.must(rooms.Topic{})
	alice.must(rooms.SetLimit{})
	alice.refused(rooms.BadRequest, rooms.SetLimit{Limit: -1})
	alice.refused(rooms.BadRequest, rooms.Topic{Text: "a\xff"})
}

// TestLowerLimit: nobody is put out by a new limit, and nobody new gets in.
func TestLowerLimit(t *testing.T) {
	h, alice, bob, _, _ := dev(t)
	alice.must(rooms.SetLimit{Limit: 2})
	if got := alice.nicks(); got != "alice bob carol owner" {
		t.Errorf("inside: %s", got)
	}
	bob.must(rooms.Leave{})
	bob.refused(rooms.RoomFull, rooms.Join{Room: "dev"})
	enters("dev", h.connect("carol"))
}

func TestKick(t *testing.T) {
	h, alice, bob, carol, _ := dev(t)
	second := h.connect("bob")
	enters("dev", second)
	alice.must(rooms.Kick{Nick: "BOB", Reason: "spam"})
	for _, g := range []*guest{bob, second} {
		g.is("")
		want := []rooms.RoomChanged{{What: rooms.RoomLeft, Room: rooms.RoomInfo{Room: "dev"}, Reason: "kicked by alice: spam"}}
		if got := told[rooms.RoomChanged](alice, g); !reflect.DeepEqual(got, want) {
			t.Errorf("session %d is told %+v", g.id, got)
		}
	}
	want := []rooms.MemberChanged{{
		Room: "dev", What: rooms.MemberKicked, Member: rooms.Member{Peer: bob.peer, Nick: "bob"}, By: "alice", Reason: "spam",
	}}
	if got := broadcasts[rooms.MemberChanged](alice); !reflect.DeepEqual(got, want) {
		t.Errorf("the room is told %+v", got)
	}
	says(t, alice.refused(rooms.NoSuchMember, rooms.Kick{Nick: "bob"}), `there is no "bob" in room "dev"; /who shows who is here`)
	alice.refused(rooms.NoSuchMember, rooms.Kick{Nick: "nobody"})
	says(t, alice.refused(rooms.BadRequest, rooms.Kick{Nick: "alice"}), "you can't kick yourself; /leave leaves the room")
	says(t, carol.refused(rooms.Denied, rooms.Kick{Nick: "alice"}), `only an operator of room "dev" may do that; ask one: /who shows them`)
	says(t, alice.refused(rooms.Denied, rooms.Kick{Nick: "owner"}), `"owner" is the owner of this host`)
	enters("dev", bob)
	alice.must(rooms.Kick{Nick: "carol"})
	if got := told[rooms.RoomChanged](alice, carol); len(got) != 1 || got[0].Reason != "kicked by alice" {
		t.Errorf("carol is told %+v", got)
	}
}

func TestMute(t *testing.T) {
	_, alice, bob, _, _ := dev(t)
	for _, tt := range []struct {
		muted bool
		what  rooms.MemberChange
	}{{true, rooms.MemberMuted}, {false, rooms.MemberUnmuted}} {
		alice.must(rooms.Mute{Nick: "bob", Muted: tt.muted})
		want := []rooms.MemberChanged{{
			Room: "dev", What: tt.what, Member: rooms.Member{Peer: bob.peer, Nick: "bob", Muted: tt.muted}, By: "alice",
		}}
		if got := broadcasts[rooms.MemberChanged](alice); !reflect.DeepEqual(got, want) {
			t.Errorf("the room is told %+v", got)
		}
	}
	alice.must(rooms.Mute{Nick: "bob", Muted: true})
	bob.must(rooms.Leave{})
	enters("dev", bob)
	for _, e := range bob.effects {
		if a, ok := e.(rooms.Attach); ok && !a.Member.Muted {
			t.Error("leaving ended the muting")
		}
	}
}

func TestOp(t *testing.T) {
	_, alice, bob, _, boss := dev(t)
	alice.must(rooms.Op{Nick: "bob", Op: true})
	want := []rooms.MemberChanged{{
		Room: "dev", What: rooms.MemberRole, Member: rooms.Member{Peer: bob.peer, Nick: "bob", Role: rooms.Operator}, By: "alice",
	}}
	if got := broadcasts[rooms.MemberChanged](alice); !reflect.DeepEqual(got, want) {
		t.Errorf("the room is told %+v", got)
	}
	bob.must(rooms.Op{Nick: "alice"})
	alice.refused(rooms.Denied, rooms.Topic{Text: "mine"})
	boss.must(rooms.Op{Nick: "owner"})
	if got := broadcasts[rooms.MemberChanged](boss); got[0].Member.Role != rooms.Owner {
		t.Errorf("the owner became %v", got[0].Member.Role)
	}
	boss.must(rooms.Topic{Text: "still"})
}

func TestWhisper(t *testing.T) {
	h, alice, bob, carol, _ := dev(t)
	second := h.connect("bob")
	alice.must(rooms.Whisper{Nick: "Bob", Text: "psst"})
	w := rooms.Whispered{From: rooms.Author{Peer: alice.peer, Nick: "alice"}, To: rooms.Author{Peer: bob.peer, Nick: "bob"}, Text: "psst"}
	own := w
	own.Own = true
	want := []rooms.Effect{
		rooms.Tell{Session: bob.id, Event: w}, rooms.Tell{Session: second.id, Event: w}, rooms.Tell{Session: alice.id, Event: own},
	}
	if !reflect.DeepEqual(alice.effects, want) {
		t.Errorf("effects\n got %+v\nwant %+v", alice.effects, want)
	}
	alice.must(rooms.Whisper{Nick: "alice", Text: "note"})
	if got := told[rooms.Whispered](alice, alice); len(got) != 1 || got[0].Own {
		t.Errorf("to oneself: %+v", got)
	}
	carol.must(rooms.Disconnect{})
	says(t, alice.refused(rooms.NoSuchMember, rooms.Whisper{Nick: "carol", Text: "hi"}),
		`there is no "carol" connected to this host; /who shows who is here`)
	alice.refused(rooms.NoSuchMember, rooms.Whisper{Nick: "\xff\xfe", Text: "hi"})
	alice.refused(rooms.BadRequest, rooms.Whisper{Nick: "bob", Text: " \n"})
}

func TestWhois(t *testing.T) {
	h, alice, bob, carol, boss := dev(t)
	want := rooms.Member{Peer: bob.peer, Nick: "bob", Room: "dev", Since: h.now}
	h.wait(time.Hour)
	if got := alice.must(rooms.Whois{Nick: "bob"}); got != rooms.Event(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	want.Path = "direct"
	if got := boss.must(rooms.Whois{Nick: "bob"}); got != rooms.Event(want) {
		t.Errorf("the owner gets %+v, want %+v", got, want)
	}
	carol.must(rooms.Disconnect{})
	alice.refused(rooms.NoSuchMember, rooms.Whois{Nick: "carol"})
	alice.refused(rooms.NoSuchMember, rooms.Whois{})
}

func TestClose(t *testing.T) {
	h, alice, bob, carol, boss := dev(t)
	key, _ := h.reg.Room(alice.id)
	enters("dev", h.connect("bob"))
	alice.must(rooms.Close{})
	info := rooms.RoomInfo{Room: "dev", Members: 4}
	closed := rooms.RoomChanged{What: rooms.RoomClosed, Room: info, Reason: "closed by alice"}
	var want []rooms.Effect
	for id := alice.id; id <= h.last; id++ { // out first, then told: nothing can be said in between
		want = append(want, rooms.Detach{Session: id, Key: key}, rooms.Tell{Session: id, Event: closed})
	}
	want = append(want, rooms.Ended{Key: key})
	if !reflect.DeepEqual(alice.effects, want) {
		t.Errorf("effects\n got %+v\nwant %+v", alice.effects, want)
	}
	for _, g := range []*guest{alice, bob, carol, boss} {
		g.is("")
		g.refused(rooms.NoSuchRoom, rooms.Join{Room: "dev"})
	}
	carol.create(rooms.Create{Room: "dev"})
	alice.refused(rooms.Denied, rooms.Close{Room: "dev"})
}

func TestStatus(t *testing.T) {
	h, alice, bob, _, boss := dev(t)
	alice.create(rooms.Create{Room: "Attic", Private: true})
	bob.must(rooms.Leave{})
	got := boss.must(rooms.Status{}).(rooms.HostStatus)
	m := func(g *guest, nick string, role rooms.Role, room rooms.RoomID) rooms.Member {
		return rooms.Member{Peer: g.peer, Nick: nick, Role: role, Room: room, Since: h.now, Path: "direct"}
	}
	want := []rooms.Member{m(alice, "alice", rooms.Operator, alice.room()), m(bob, "bob", 0, ""), m(h.dial("carol"), "carol", 0, "dev")}
	if !reflect.DeepEqual(got.Members, want) || got.Peer != owner {
		t.Errorf("got %+v, want %+v", got.Members, want)
	}
	if len(got.Rooms) != 2 || got.Rooms[0].Room != alice.room() || got.Rooms[1].Room != "dev" {
		t.Errorf("rooms: %+v", got.Rooms)
	}
}

// TestReasons: a reason is short, and so is what is said about a long nick.
func TestReasons(t *testing.T) {
	_, alice, bob, _, boss := dev(t)
	for _, reason := range []string{strings.Repeat("x", 301), "\xff"} {
		alice.refused(rooms.TooLong, rooms.Kick{Nick: "bob", Reason: reason})
		alice.refused(rooms.TooLong, rooms.Ban{Who: "bob", Reason: reason})
	}
	long := strings.Repeat("\x01é", 20_000)
	for _, cmd := range []rooms.Command{
		rooms.Kick{Nick: long}, rooms.Ban{Who: long}, rooms.Unban{Who: long}, rooms.Whois{Nick: long}, rooms.Whisper{Nick: long, Text: "x"},
	} {
		if refusal := alice.refused(rooms.NoSuchMember, cmd); len(refusal.Error()) > 600 {
			t.Errorf("%T: the refusal has %d bytes", cmd, len(refusal.Error()))
		}
	}
	alice.must(rooms.Kick{Nick: "bob", Reason: strings.Repeat("x", 300)})
	bob.is("")
	boss.must(rooms.Leave{})
}
