package rooms_test

import (
	"reflect"
	"testing"
	"time"

	"p2pchat/rooms"
)

func TestBan(t *testing.T) {
	h, alice, bob, carol, _ := dev(t)
	alice.must(rooms.Ban{Who: "bob", Life: time.Hour, Reason: "spam"})
	bob.is("")
	if got := told[rooms.RoomChanged](alice, bob); len(got) != 1 || got[0].Reason != "banned by alice: spam" {
		t.Errorf("bob is told %+v", got)
	}
	if got := broadcasts[rooms.MemberChanged](alice); len(got) != 1 || got[0].What != rooms.MemberKicked || got[0].By != "alice" {
		t.Errorf("the room is told %+v", got)
	}
	says(t, bob.refused(rooms.Banned, rooms.Join{Room: "dev"}),
		`you are banned from room "dev" until 2025-03-01 13:00 UTC: spam; ask its operators to /unban you`)
	bob.create(rooms.Create{Room: "else"})

	h.wait(time.Minute)
	alice.must(rooms.Ban{Who: string(carol.peer)})
	want := rooms.BanList{Bans: []rooms.BanInfo{
		{Peer: bob.peer, Nick: "bob", Room: "dev", By: "alice", Reason: "spam", Expires: h.now.Add(59 * time.Minute)},
		{Peer: carol.peer, Nick: "carol", Room: "dev", By: "alice"},
	}}
	if got := alice.must(rooms.Bans{}); !reflect.DeepEqual(got, want) {
		t.Errorf("bans\n got %+v\nwant %+v", got, want)
	}
	h.wait(59*time.Minute - time.Nanosecond)
	bob.refused(rooms.Banned, rooms.Join{Room: "dev"})
	h.wait(time.Nanosecond)
	enters("dev", bob)
	carol.refused(rooms.Banned, rooms.Join{Room: "dev"})
	says(t, alice.refused(rooms.NoSuchMember, rooms.Unban{Who: "bob"}), `"bob" is not banned here; /bans shows who is`)
	alice.must(rooms.Unban{Who: "CAROL"})
	enters("dev", carol)
	if got := alice.must(rooms.Bans{}).(rooms.BanList).Bans; len(got) != 0 {
		t.Errorf("bans: %+v", got)
	}
	alice.refused(rooms.BadRequest, rooms.Ban{Who: "alice"})
	alice.refused(rooms.NoSuchMember, rooms.Ban{Who: "nobody"})
}

// TestBanAbsent: a ban also holds for who is not in the room, or not here.
func TestBanAbsent(t *testing.T) {
	_, alice, bob, carol, _ := dev(t)
	bob.must(rooms.Leave{})
	carol.must(rooms.Disconnect{})
	alice.must(rooms.Ban{Who: "bob"})
	alice.must(rooms.Ban{Who: "carol"})
	if len(alice.effects) != 0 {
		t.Errorf("effects: %+v", alice.effects)
	}
	bob.refused(rooms.Banned, rooms.Join{Room: "dev"})
	alice.connect("carol").refused(rooms.Banned, rooms.Join{Room: "dev"})
}

func TestHostBan(t *testing.T) {
	h, alice, bob, _, boss := dev(t)
	second := h.connect("bob")
	enters("dev", second)
	boss.must(rooms.Leave{})
	boss.must(rooms.Ban{Who: "bob", Reason: "spam", Life: time.Hour})
	drops := 0
	for _, e := range boss.effects {
		if d, ok := e.(rooms.Drop); ok {
			drops++
			says(t, d.Why, "you are banned from this host until 2025-03-01 13:00 UTC: spam; ask its operators to /unban you")
		}
	}
	if drops != 2 {
		t.Errorf("%d sessions were ended", drops)
	}
	// Both were in the room, which is told once.
	if got := broadcasts[rooms.MemberChanged](boss); len(got) != 1 || got[0].What != rooms.MemberLeft || got[0].Reason != "banned" {
		t.Errorf("the room is told %+v", got)
	}
	if got := alice.nicks(); got != "alice carol" {
		t.Errorf("inside: %s", got)
	}
	says(t, bob.refused(rooms.BadRequest, rooms.Ping{}), "this session has ended")
	second.refused(rooms.BadRequest, rooms.Join{Room: "dev"})

	back := h.dial("bob")
	back.refused(rooms.Banned, rooms.Connect{Peer: bob.peer, Nick: "bob"})
	if got := boss.must(rooms.Bans{}).(rooms.BanList).Bans; len(got) != 1 || got[0].Room != "" {
		t.Errorf("bans of the host: %+v", got)
	}
	boss.must(rooms.Unban{Who: "bob"})
	back.must(rooms.Connect{Peer: bob.peer, Nick: "bob"})
	boss.must(rooms.Ban{Who: "bob", Life: time.Minute})
	h.wait(time.Minute)
	h.connect("bob")
}

// TestBannedOperator: whoever is kept out of a room has no say in it.
func TestBannedOperator(t *testing.T) {
	h := newHost(t)
	alice, bob := h.connect("alice"), h.connect("bob")
	enters(alice.create(rooms.Create{Room: "dev"}), bob)
	alice.must(rooms.Op{Nick: "bob", Op: true})
	id := alice.must(rooms.Invite{}).(rooms.Invited).Invite.ID
	alice.must(rooms.Ban{Who: "bob", Life: time.Hour})
	for _, cmd := range []rooms.Command{rooms.Close{Room: "dev"}, rooms.Invite{Room: "dev"}, rooms.Invites{Room: "dev"}} {
		bob.refused(rooms.Banned, cmd)
	}
	bob.refused(rooms.InviteInvalid, rooms.Revoke{ID: id})
	h.wait(time.Hour)
	bob.must(rooms.Revoke{ID: id})
	bob.must(rooms.Close{Room: "dev"})
}

// TestUnbanOneNick: of two bans under one nick, the one that holds is lifted.
func TestUnbanOneNick(t *testing.T) {
	for range 8 {
		h, alice, bob, carol, _ := dev(t)
		alice.must(rooms.Ban{Who: "bob", Life: time.Minute})
		bob.must(rooms.Rename{Nick: "robert"})
		carol.must(rooms.Rename{Nick: "bob"})
		alice.must(rooms.Ban{Who: "bob"})
		h.wait(time.Minute)
		alice.must(rooms.Unban{Who: "bob"})
		enters("dev", bob, carol)
	}
}
