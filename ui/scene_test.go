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
	in := func(members ...rooms.Member) rooms.Entered {
		return rooms.Entered{Room: rooms.RoomInfo{Room: "dev", Members: len(members)}, Members: members}
	}
	change := func(what rooms.MemberChange, m rooms.Member) bool {
		return s.member(rooms.MemberChanged{Room: "dev", What: what, Member: m})
	}
	want := func(count int, news, is bool) {
		t.Helper()
		if s.room.Members != count || news != is {
			t.Errorf("%d members, news %v; want %d, %v", s.room.Members, news, count, is)
		}
	}
	s.enter(in(a, b))
	s.resume(in(a)) // she is the first to come back
	want(1, false, false)
	want(2, change(rooms.MemberJoined, b), false)
	want(1, change(rooms.MemberLeft, b), true)
	want(2, change(rooms.MemberJoined, b), true)
	s.resume(in(a, b))
	want(2, change(rooms.MemberJoined, b), false)
}
