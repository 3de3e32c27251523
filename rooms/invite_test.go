package rooms_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

func TestInvite(t *testing.T) {
	p := newPrivate(t)
	key, _ := p.reg.Room(p.alice.id)
	for _, tt := range []struct {
		ask     rooms.Invite
		uses    int
		expires time.Time
	}{
		{rooms.Invite{}, 1, p.now.Add(24 * time.Hour)},
		{rooms.Invite{Uses: 5, Life: time.Minute}, 5, p.now.Add(time.Minute)},
		{rooms.Invite{Life: -1, Room: string(p.id)}, 1, time.Time{}},
	} {
		got := p.alice.must(tt.ask).(rooms.Invited)
		want := rooms.InviteInfo{ID: got.Invite.ID, Room: p.id, By: "alice", MaxUses: tt.uses, Expires: tt.expires}
		if got.Invite != want || len(got.Invite.ID) != 16 || got.Link != "" {
			t.Errorf("%+v: got %+v", tt.ask, got)
		}
		if got.Capability.Room != key || got.Capability.Secret == [16]byte{} {
			t.Errorf("capability %x", got.Capability)
		}
		for _, c := range p.stored {
			if strings.Contains(string(c.Hash), string(got.Capability.Secret[:])) || strings.Contains(c.ID, string(got.Capability.Secret[:])) {
				t.Errorf("the secret is stored: %+v", c)
			}
		}
	}
}

// TestInvalidInvites: everything that can be wrong with an invite has one answer.
func TestInvalidInvites(t *testing.T) {
	p := newPrivate(t)
	eve, carol := p.connect("eve"), p.connect("carol")
	usedUp := p.alice.invite(rooms.Invite{})
	carol.must(rooms.Join{Invite: usedUp})
	revoked := p.alice.must(rooms.Invite{}).(rooms.Invited)
	p.alice.must(rooms.Revoke{ID: revoked.Invite.ID})
	expired := p.alice.invite(rooms.Invite{Life: time.Minute})
	otherRoom := p.alice.invite(rooms.Invite{})
	otherRoom.Room[0]++
	closed := func() rooms.Capability {
		carol.create(rooms.Create{Room: "other", Private: true})
		c := carol.invite(rooms.Invite{})
		carol.must(rooms.Close{})
		return c
	}()
	unknown := p.alice.invite(rooms.Invite{})
	unknown.Secret[15]++
	p.wait(time.Minute)

	want := &rooms.Refusal{Code: rooms.InviteInvalid, Message: "this invite is not valid", Hint: "ask for a new one"}
	for what, c := range map[string]rooms.Capability{
		"unknown": unknown, "expired": expired, "used up": usedUp, "revoked": revoked.Capability,
		"other room": otherRoom, "closed room": closed, "no secret": {Room: usedUp.Room}, "no room": {Secret: usedUp.Secret},
	} {
		if got := eve.refused(rooms.InviteInvalid, rooms.Join{Invite: c, Room: "lair"}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", what, got)
		}
		eve.is("")
	}
}

// TestInviteWithARoom: with the name of a room, an invite lets into that one, or into none,
// and is not used up in vain.
func TestInviteWithARoom(t *testing.T) {
	p := newPrivate(t)
	id := string(p.alice.must(rooms.Who{}).(rooms.Roster).Room)
	base, _, _ := strings.Cut(id, "~")
	eve := p.connect("eve")
	eve.create(rooms.Create{Room: "dev"})
	eve.must(rooms.Leave{})
	once := p.alice.invite(rooms.Invite{})
	if got := eve.must(rooms.Join{Room: "dev", Invite: once}).(rooms.Entered); got.Room.Room != "dev" {
		t.Errorf("entered %s", got.Room.Room)
	}
	says(t, eve.refused(rooms.NoSuchRoom, rooms.Join{Room: "deV2", Invite: once}),
		`there is no room "deV2", and the invite is to another; name no room to enter that of the invite`)
	eve.is("dev")
	for _, name := range []string{strings.ToUpper(base), id, base} { // it was not used up; then she is admitted
		if got := eve.must(rooms.Join{Room: name, Invite: once}).(rooms.Entered); string(got.Room.Room) != id {
			t.Errorf("%s: entered %s", name, got.Room.Room)
		}
		eve.must(rooms.Leave{})
	}
	p.connect("zoe").refused(rooms.InviteInvalid, rooms.Join{Room: base, Invite: once})
}

// TestInviteEdges: an invite ends with its last use and at its last moment.
func TestInviteEdges(t *testing.T) {
	p := newPrivate(t)
	c := p.alice.invite(rooms.Invite{Uses: 2, Life: time.Minute})
	all := p.connectAll("a", "b", "c")
	all[0].must(rooms.Join{Invite: c})
	p.wait(time.Minute - time.Nanosecond)
	all[1].must(rooms.Join{Invite: c})
	all[2].refused(rooms.InviteInvalid, rooms.Join{Invite: c})

	c = p.alice.invite(rooms.Invite{Uses: 2, Life: time.Minute})
	p.wait(time.Minute)
	all[2].refused(rooms.InviteInvalid, rooms.Join{Invite: c})
	c = p.alice.invite(rooms.Invite{Life: -time.Second})
	p.wait(10 * 365 * 24 * time.Hour)
	all[2].must(rooms.Join{Invite: c})
}

// TestRedeemAgain: coming back with the same invite costs no use, and works when
// the invite is over.
func TestRedeemAgain(t *testing.T) {
	p := newPrivate(t)
	bob := p.connect("bob")
	c := p.alice.invite(rooms.Invite{Uses: 2, Life: time.Hour})
	for range 3 {
		bob.must(rooms.Join{Invite: c})
		bob.is(p.id)
		p.uses(t, 1)
		bob.must(rooms.Disconnect{})
		bob = p.connect("bob")
	}
	p.wait(2 * time.Hour)
	bob.must(rooms.Join{Invite: c})
	p.connect("carol").refused(rooms.InviteInvalid, rooms.Join{Invite: c})
}

// uses checks how often the only invite was used.
func (p *private) uses(t *testing.T, want int) {
	t.Helper()
	live := p.alice.must(rooms.Invites{}).(rooms.InviteList).Invites
	if len(live) != 1 || live[0].Uses != want {
		t.Errorf("live invites %+v, want one that was used %d times", live, want)
	}
}

// TestInviteUnused: a ban beats an invite and leaves it unused; so does a full room.
func TestInviteUnused(t *testing.T) {
	p := newPrivate(t)
	bob := p.connect("bob")
	c := p.alice.invite(rooms.Invite{Uses: 2})
	p.alice.must(rooms.Ban{Who: "bob", Life: 90 * time.Minute, Reason: "spam"})
	says(t, bob.refused(rooms.Banned, rooms.Join{Invite: c}),
		`you are banned from room "`+string(p.id)+`" until 2025-03-01 13:30 UTC: spam; ask its operators to /unban you`)
	p.uses(t, 0)
	bob.refused(rooms.NoSuchRoom, rooms.Join{Room: string(p.id)})
	p.alice.must(rooms.Unban{Who: "bob"})

	p.alice.must(rooms.SetLimit{Limit: 1})
	bob.refused(rooms.RoomFull, rooms.Join{Invite: c})
	p.uses(t, 0)
	bob.refused(rooms.NoSuchRoom, rooms.Join{Room: string(p.id)})
	p.alice.must(rooms.SetLimit{Limit: 2})
	bob.must(rooms.Join{Invite: c})
	p.uses(t, 1)

	p.alice.must(rooms.Ban{Who: "bob"})
	says(t, bob.refused(rooms.Banned, rooms.Join{Invite: c}),
		`you are banned from room "`+string(p.id)+`"; ask its operators to /unban you`)
	p.uses(t, 1)
}

// TestInviteRace: of many who come with one invite, one gets in.
func TestInviteRace(t *testing.T) {
	p := newPrivate(t)
	p.alice.must(rooms.SetLimit{Limit: 0})
	c := p.alice.invite(rooms.Invite{Uses: 3})
	in := 0
	for _, name := range strings.Fields(strings.Repeat("x ", 50)) {
		g := p.dial(name)
		g.peer += rooms.PeerID(time.Duration(g.id).String())
		g.must(rooms.Connect{Peer: g.peer, Nick: name})
		if _, refusal := g.ask(rooms.Join{Invite: c}); refusal == nil {
			in++
		}
	}
	if in != 3 {
		t.Errorf("%d came in with an invite for 3", in)
	}
}

func TestPublicInvite(t *testing.T) {
	h := newHost(t)
	alice, bob := h.connect("alice"), h.connect("bob")
	alice.create(rooms.Create{Room: "dev"})
	bob.must(rooms.Join{Invite: alice.invite(rooms.Invite{})})
	bob.is("dev")
}

func TestInvitesAndRevoke(t *testing.T) {
	p := newPrivate(t)
	bob, boss := p.connect("bob"), p.connect("owner")
	bob.create(rooms.Create{Room: "den", Private: true})
	var ids []string
	for range 3 {
		ids = append(ids, p.alice.must(rooms.Invite{}).(rooms.Invited).Invite.ID)
		p.wait(time.Millisecond)
	}
	ids = append(ids, bob.must(rooms.Invite{}).(rooms.Invited).Invite.ID)

	shows := func(g *guest, cmd rooms.Invites, want []string) {
		t.Helper()
		var got []string
		for _, info := range g.must(cmd).(rooms.InviteList).Invites {
			got = append(got, info.ID)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s sees %v, want %v", g.peer, got, want)
		}
	}
	shows(p.alice, rooms.Invites{}, ids[:3])
	shows(bob, rooms.Invites{}, ids[3:])
	shows(boss, rooms.Invites{}, ids)
	shows(boss, rooms.Invites{Room: string(p.id)}, ids[:3])
	p.connect("eve").refused(rooms.NotInRoom, rooms.Invites{})

	for _, id := range []string{"", "zz", ids[0], ids[0] + "00"} {
		says(t, bob.refused(rooms.InviteInvalid, rooms.Revoke{ID: id}), "there is no such invite to revoke; /invites shows them")
	}
	p.alice.must(rooms.Revoke{ID: strings.ToUpper(ids[0][:8])})
	p.alice.refused(rooms.InviteInvalid, rooms.Revoke{ID: ids[0]})
	shows(p.alice, rooms.Invites{}, ids[1:3])
	boss.must(rooms.Revoke{ID: ids[3]})
	p.wait(24 * time.Hour)
	shows(boss, rooms.Invites{}, nil)
}
