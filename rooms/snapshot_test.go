package rooms_test

import (
	"reflect"
	"testing"
	"time"

	"p2pchat/rooms"
)

// restart is a host that starts from changes.
func restart(h *host, changes []rooms.Change) *host {
	h.Helper()
	again := newHost(h.TB)
	again.now, again.last = h.now, h.last
	for _, c := range changes {
		again.reg.Apply(c)
	}
	return again
}

// busy is a host on which everything that is stored has happened.
func busy(t *testing.T) (h *host, c rooms.Capability) {
	h = newHost(t)
	all := h.connectAll("alice", "bob", "carol", "dave", "owner")
	alice, bob, boss := all[0], all[1], all[4]
	alice.create(rooms.Create{Room: "Lair", Private: true, NoHistory: true, Limit: 5, Topic: "tea"})
	c = alice.invite(rooms.Invite{Uses: 3})
	bob.must(rooms.Join{Invite: c})
	all[2].must(rooms.Join{Invite: c})
	alice.must(rooms.Op{Nick: "bob", Op: true})
	bob.must(rooms.Op{Nick: "alice"})
	bob.must(rooms.Mute{Nick: "carol", Muted: true})
	bob.must(rooms.Ban{Who: "dave", Life: time.Hour, Reason: "spam"})
	bob.must(rooms.Topic{Text: "coffee"})
	bob.must(rooms.SetLimit{Limit: 4})
	bob.must(rooms.Revoke{ID: bob.must(rooms.Invite{}).(rooms.Invited).Invite.ID})
	bob.must(rooms.Rename{Nick: "robert"})
	boss.must(rooms.Ban{Who: "dave", Reason: "spam"})
	boss.create(rooms.Create{Room: "gone"})
	boss.must(rooms.Close{})
	boss.create(rooms.Create{Room: "open"})
	return h, c
}

// TestRestart: the changes and the snapshot lead to the same host.
func TestRestart(t *testing.T) {
	h, c := busy(t)
	want := h.reg.Snapshot(h.now)
	if again := h.reg.Snapshot(h.now); !reflect.DeepEqual(again, want) {
		t.Errorf("two snapshots:\n%v\n%v", want, again)
	}
	for what, changes := range map[string][]rooms.Change{"changes": h.stored, "snapshot": want} {
		again := restart(h, changes)
		if got := again.reg.Snapshot(h.now); !reflect.DeepEqual(got, want) {
			t.Errorf("from the %s:\n got %v\nwant %v", what, got, want)
		}
		if got := again.reg.Rooms(); !reflect.DeepEqual(got, h.reg.Rooms()) {
			t.Errorf("from the %s: rooms %v", what, got)
		}
		bob := again.dial("bob")
		if w := bob.must(rooms.Connect{Peer: bob.peer}).(rooms.Welcome); w.Nick != "robert" {
			t.Errorf("from the %s: bob is %q", what, w.Nick)
		}
		again.dial("dave").refused(rooms.Banned, rooms.Connect{Peer: "peer-dave"})
		e := bob.must(rooms.Join{Invite: c}).(rooms.Entered)
		info := rooms.RoomInfo{Room: e.Room.Room, Members: 1, Limit: 4, Topic: "coffee", Private: true, NoHistory: true}
		if e.Room != info || e.Role != rooms.Operator {
			t.Errorf("from the %s: entered %+v", what, e)
		}
		if live := bob.must(rooms.Invites{}).(rooms.InviteList).Invites; len(live) != 1 || live[0].Uses != 2 {
			t.Errorf("from the %s: invites %+v", what, live)
		}
		alice := again.connect("alice")
		enters(e.Room.Room, alice)
		alice.refused(rooms.Denied, rooms.Topic{Text: "mine"})
	}
}

// TestSnapshotForgets: what has run out is left behind.
func TestSnapshotForgets(t *testing.T) {
	h := newHost(t)
	alice, bob, eve := h.connect("alice"), h.connect("bob"), h.connect("eve")
	alice.create(rooms.Create{Room: "dev"})
	alice.must(rooms.Ban{Who: "eve", Life: time.Hour})
	alice.must(rooms.Invite{Life: time.Hour})
	used := alice.invite(rooms.Invite{Life: time.Hour})
	bob.must(rooms.Join{Invite: used})
	eve.must(rooms.Disconnect{})
	count := func(want ...rooms.ChangeKind) {
		t.Helper()
		var got []rooms.ChangeKind
		for _, c := range h.reg.Snapshot(h.now) {
			got = append(got, c.Kind)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("snapshot of %v, want %v", got, want)
		}
	}
	const nick, room, role, in, invite, use = rooms.NickClaimed, rooms.RoomCreated, rooms.RoleSet, rooms.Admitted, rooms.InviteMade, rooms.InviteUsed
	h.wait(time.Hour - time.Millisecond)
	got := h.reg.Snapshot(h.now)
	if len(got) != 11 {
		t.Errorf("%d changes: %v", len(got), got)
	}
	h.wait(time.Millisecond)
	count(nick, nick, nick, room, role, in, in, invite, use)
	h.wait(90*24*time.Hour - time.Hour)
	count(nick, nick, nick, room, role, in, in, invite, use)
	h.wait(time.Millisecond)
	count(nick, nick, room, role, in, in, invite, use)
}

// TestApplyStray: changes of a room that is no more do nothing.
func TestApplyStray(t *testing.T) {
	h, _ := busy(t)
	want := h.reg.Snapshot(h.now)
	stray := rooms.RoomKey{1, 2, 3}
	for kind := range rooms.Admitted + 5 {
		if kind == rooms.RoomCreated || kind == rooms.NickClaimed {
			continue
		}
		h.reg.Apply(rooms.Change{Kind: kind, Room: stray, ID: "none", Peer: "peer-alice", N: 1, Name: "x"})
	}
	key, _ := h.reg.Lookup("open")
	h.reg.Apply(rooms.Change{Kind: rooms.Admitted + 9, Room: key, Peer: "peer-alice"})
	if got := h.reg.Snapshot(h.now); !reflect.DeepEqual(got, want) {
		t.Errorf("stray changes:\n got %v\nwant %v", got, want)
	}
	h.reg.Apply(rooms.Change{Kind: rooms.InviteUsed, Room: key, ID: "none", Peer: "peer-alice"})
	h.reg.Apply(rooms.Change{Kind: rooms.NickClaimed, Peer: "peer-alice"})
	h.connect("zoe").must(rooms.Rename{Nick: "alice"})
}
