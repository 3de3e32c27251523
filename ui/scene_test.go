package ui

import (
	"testing"

	"p2pchat/rooms"
)

// TestMembersAfterARestart: whoever comes back is counted again, and is no news.
func TestMembersAfterARestart(t *testing.T) {
	var s scene
	s.peer = alice
	a, b := rooms.Member{Peer: alice, Nick: "alice"}, rooms.Member{Peer: bob, Nick: "bob"}
	change := func(what rooms.MemberChange, m rooms.Member) bool {
		return s.member(rooms.MemberChanged{Room: "dev", What: what, Member: m})
	}
	want := func(count int, news, is bool) {
		t.Helper()
		if s.room.Members != count || news != is {
			t.Errorf("%d members, news %v; want %d, %v", s.room.Members, news, count, is)
		}
	}
	s.enter(rooms.Entered{Room: rooms.RoomInfo{Room: "dev", Members: 2}, Members: []rooms.Member{a, b}})
	s.resume(rooms.Entered{Room: rooms.RoomInfo{Room: "dev", Members: 1}}) // she is the first to come back
	want(1, false, false)
	want(2, change(rooms.MemberJoined, b), false)
	want(1, change(rooms.MemberLeft, b), true)
	want(2, change(rooms.MemberJoined, b), true)
	want(2, change(rooms.MemberJoined, a), false) // her own
	s.resume(rooms.Entered{Room: rooms.RoomInfo{Room: "dev", Members: 2}})
	want(1, change(rooms.MemberLeft, b), true)
}

// TestShelfForgets: where numbers begin anew, none leads to a file from before.
func TestShelfForgets(t *testing.T) {
	s := newShelf()
	s.enter("dev", 7)
	s.put(shared(1, "old.png").Message)
	s.put(shared(2, "kept.png").Message)
	s.put(shared(1, "new.png").Message) // without a word, as from a room that keeps nothing
	if s.byID("id-old.png") != nil || s.byID("id-new.png") == nil {
		t.Error("the old file has the place of the new one")
	}
	s.enter("dev", 7)
	s.enter("ops", 9)
	if s.byID("id-kept.png") == nil {
		t.Error("a file is forgotten")
	}
	s.enter("dev", 8)
	if s.byID("id-kept.png") != nil || len(s.files)+len(s.order) > 0 {
		t.Error("a file of another history is remembered")
	}
}
