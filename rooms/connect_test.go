package rooms_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

func TestConnect(t *testing.T) {
	h := newHost(t)
	g := h.dial("alice")
	got := g.must(rooms.Connect{Peer: g.peer, Nick: "Alice"})
	if got != rooms.Event(rooms.Welcome{Peer: g.peer, Host: owner, Nick: "Alice"}) || len(g.effects) != 0 {
		t.Errorf("got %+v, effects %+v", got, g.effects)
	}
	g.must(rooms.Ping{})
	g.must(rooms.Disconnect{})
	g.refused(rooms.BadRequest, rooms.Ping{})
}

// TestGrantedNicks: a wish that can't be granted is varied, unless it is fixed.
func TestGrantedNicks(t *testing.T) {
	h := newHost(t)
	h.connect("alice")
	h.connect("ب٣")
	for i, tt := range []struct{ wish, granted string }{
		{"bob", "bob"},
		{"alice", "alice-2"},
		{"ALICE", "ALICE-3"},
		{"", "guest-2"},
		{"host", "guest-3"},
		{"two words", "guest-4"},
		{"\xff", "guest-5"},
		{strings.Repeat("x", 25), "guest-6"},
		{"ب٣", "guest-7"}, // digits of two kinds in one name
	} {
		g := h.dial(strings.Repeat("i", i))
		if w := g.must(rooms.Connect{Peer: g.peer, Nick: tt.wish}).(rooms.Welcome); w.Nick != tt.granted {
			t.Errorf("the wish %q got %q, want %q", tt.wish, w.Nick, tt.granted)
		}
		fixed := h.dial("fixed")
		if i > 0 {
			_, refusal := fixed.ask(rooms.Connect{Peer: fixed.peer, Nick: tt.wish, Fixed: true})
			if refusal == nil || refusal.Code != rooms.NameTaken && refusal.Code != rooms.BadName {
				t.Errorf("the fixed wish %q: %v", tt.wish, refusal)
			}
		}
	}
	for i := range 200 {
		g := h.dial("crowd" + strings.Repeat("i", i))
		clean(t, g.must(rooms.Connect{Peer: g.peer, Nick: "alice"}).(rooms.Welcome).Nick, 24)
	}
}

// TestNoNickLeft: with names this short there is soon none left to make up.
func TestNoNickLeft(t *testing.T) {
	h := newHost(t, func(l *rooms.Limits) { l.Nick = 6 })
	h.connect("al")
	g := h.dial("other")
	says(t, g.refused(rooms.NameTaken, rooms.Connect{Peer: g.peer, Nick: "al"}), `nick "guest" is taken; choose one with --nick`)
}

// TestNickComesBack: a nick belongs to its key, until it was unused for 90 days.
func TestNickComesBack(t *testing.T) {
	const life = 90 * 24 * time.Hour
	h := newHost(t)
	alice, bob := h.connect("alice"), h.connect("bob")
	alice.must(rooms.Disconnect{})
	bob.refused(rooms.NameTaken, rooms.Rename{Nick: "al1ce"})
	back := h.dial("alice")
	if w := back.must(rooms.Connect{Peer: alice.peer, Nick: "zoe"}).(rooms.Welcome); w.Nick != "alice" {
		t.Errorf("back as %q", w.Nick)
	}
	h.wait(life + time.Hour)
	bob.refused(rooms.NameTaken, rooms.Rename{Nick: "al1ce"}) // she is here
	back.must(rooms.Disconnect{})
	back.must(rooms.Connect{Peer: alice.peer}) // touches the nick
	back.must(rooms.Disconnect{})

	h.wait(life)
	bob.refused(rooms.NameTaken, rooms.Rename{Nick: "al1ce"})
	h.wait(time.Millisecond)
	bob.must(rooms.Rename{Nick: "al1ce"})
	if w := back.must(rooms.Connect{Peer: alice.peer, Nick: "alice"}).(rooms.Welcome); w.Nick != "alice-2" {
		t.Errorf("after losing it, back as %q", w.Nick)
	}
}

// TestNickIsTouched: coming again renews the claim, but not more than once a day.
func TestNickIsTouched(t *testing.T) {
	h := newHost(t)
	for _, tt := range []struct {
		wait    time.Duration
		changes int
	}{{0, 1}, {24*time.Hour - time.Millisecond, 0}, {time.Millisecond, 1}} {
		h.wait(tt.wait)
		h.stored = nil
		h.connect("alice").must(rooms.Disconnect{})
		if len(h.stored) != tt.changes {
			t.Errorf("%v later: changes %+v", tt.wait, h.stored)
		}
	}
}

func TestRename(t *testing.T) {
	h, alice, bob, _, _ := dev(t)
	second := h.connect("bob")
	second.create(rooms.Create{Room: "two"})
	bob.must(rooms.Rename{Nick: "robert"})
	got := broadcasts[rooms.MemberChanged](bob)
	want := []rooms.MemberChanged{
		{Room: "dev", What: rooms.MemberRenamed, Member: rooms.Member{Peer: bob.peer, Nick: "robert"}, Old: "bob"},
		{Room: "two", What: rooms.MemberRenamed, Member: rooms.Member{Peer: bob.peer, Nick: "robert", Role: rooms.Operator}, Old: "bob"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("rooms are told\n got %+v\nwant %+v", got, want)
	}
	if got := alice.nicks(); got != "alice carol owner robert" {
		t.Errorf("inside: %s", got)
	}
	alice.must(rooms.Rename{Nick: "bob"})
	bob.refused(rooms.BadName, rooms.Rename{Nick: ""})
	bob.refused(rooms.NameTaken, rooms.Rename{Nick: "admin"})
	bob.must(rooms.Rename{Nick: "robert"})
	if len(bob.effects) != 0 {
		t.Errorf("the same nick again: %+v", bob.effects)
	}
}

// TestQuit: whoever quits says why, if that is short enough.
func TestQuit(t *testing.T) {
	for reason, want := range map[string]string{
		"": "", "dinner": "dinner", strings.Repeat("x", 300): strings.Repeat("x", 300), strings.Repeat("x", 301): "", "\xff": "",
	} {
		h, alice, bob, _, _ := dev(t)
		key, _ := h.reg.Room(bob.id)
		bob.must(rooms.Quit{Reason: reason})
		left := rooms.MemberChanged{Room: "dev", What: rooms.MemberLeft, Member: rooms.Member{Peer: bob.peer, Nick: "bob"}, Reason: want}
		effects := []rooms.Effect{rooms.Detach{Session: bob.id, Key: key}, rooms.Broadcast{Key: key, Event: left}, rooms.Drop{Session: bob.id}}
		if !reflect.DeepEqual(bob.effects, effects) {
			t.Errorf("effects\n got %+v\nwant %+v", bob.effects, effects)
		}
		bob.refused(rooms.BadRequest, rooms.Disconnect{})
		if got := alice.nicks(); got != "alice carol owner" {
			t.Errorf("inside: %s", got)
		}
	}
}

// TestMutedQuits: a muted member says nothing to its room by leaving the host.
func TestMutedQuits(t *testing.T) {
	_, alice, bob, _, _ := dev(t)
	alice.must(rooms.Mute{Nick: "bob", Muted: true})
	bob.must(rooms.Quit{Reason: "buy my boots"})
	got := broadcasts[rooms.MemberChanged](bob)
	if len(got) != 1 || got[0].What != rooms.MemberLeft || got[0].Reason != "" {
		t.Errorf("the room is told %+v", got)
	}
}

// TestTakeover: a session of the same instance takes the older one's place.
func TestTakeover(t *testing.T) {
	h := newHost(t, func(l *rooms.Limits) { l.Sessions = 1 })
	all := h.connectAll("alice", "bob")
	alice, bob := all[0], all[1]
	enters(alice.create(rooms.Create{Room: "dev", Limit: 2}), bob)
	key, _ := h.reg.Room(bob.id)

	twin := h.dial("bob")
	twin.must(rooms.Connect{Peer: bob.peer, Instance: uint64(bob.id), Nick: "robert", Fixed: true})
	want := []rooms.Effect{
		rooms.Detach{Session: bob.id, Key: key},
		rooms.Drop{Session: bob.id},
		rooms.Broadcast{Key: key, Event: rooms.MemberChanged{
			Room: "dev", What: rooms.MemberRenamed, Member: rooms.Member{Peer: bob.peer, Nick: "robert"}, Old: "bob",
		}},
	}
	if !reflect.DeepEqual(twin.effects, want) {
		t.Errorf("effects\n got %+v\nwant %+v", twin.effects, want)
	}
	bob.refused(rooms.BadRequest, rooms.Leave{})
	twin.is("dev")
	twin.must(rooms.Join{Room: "dev", After: &rooms.Cursor{Epoch: 1, Seq: 2}})
	if len(twin.effects) != 1 {
		t.Errorf("coming back was announced: %+v", twin.effects)
	}
	if got := alice.nicks(); got != "alice robert" {
		t.Errorf("inside: %s", got)
	}
	// What the lost session still does, when its end is noticed, hits nobody.
	bob.refused(rooms.BadRequest, rooms.Disconnect{})
	twin.must(rooms.Leave{})
	if got := alice.nicks(); got != "alice" {
		t.Errorf("inside: %s", got)
	}
}

// TestReplaced: one connection too many ends the member's oldest.
func TestReplaced(t *testing.T) {
	h := newHost(t, func(l *rooms.Limits) { l.Sessions = 2 })
	alice := h.connect("alice")
	alice.create(rooms.Create{Room: "dev"})
	second := h.connect("alice")
	third := h.connect("alice")
	var why *rooms.Refusal
	for _, e := range third.effects {
		if d, ok := e.(rooms.Drop); ok && d.Session == alice.id {
			why = d.Why
		}
	}
	if why == nil {
		t.Fatalf("effects %+v", third.effects)
	}
	says(t, why, "a newer connection of your key took the place of this one (2 at a time); close one of the others first")
	if all := broadcasts[rooms.MemberChanged](third); len(all) != 1 || all[0].What != rooms.MemberLeft {
		t.Errorf("the room is told %+v", all)
	}
	alice.refused(rooms.BadRequest, rooms.Ping{})
	second.must(rooms.Ping{})
	third.must(rooms.Ping{})
}

// TestNoRandomness: without it there are no secrets, so nothing goes on.
func TestNoRandomness(t *testing.T) {
	h := newHost(t)
	alice := h.connect("alice")
	defer func() {
		if recover() == nil {
			t.Error("a room was made without randomness")
		}
	}()
	_, _ = h.reg.Decide(rooms.Env{Now: h.now, Random: strings.NewReader("short")}, alice.id, rooms.Create{Room: "dev"})
}
