package rooms_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

// private is a host with a private room, and one that differs from it only in
// that it was closed: what is said about the two has to be the same.
type private struct {
	*host
	alice *guest
	id    rooms.RoomID
	gone  *private // the same host without the room
}

func newPrivate(t *testing.T) *private {
	build := func() *private {
		h := newHost(t)
		alice := h.connect("alice")
		id := alice.create(rooms.Create{Room: "lair", Private: true, Topic: "secret", Limit: 5})
		return &private{host: h, alice: alice, id: id}
	}
	p := build()
	p.gone = build()
	p.gone.alice.must(rooms.Close{})
	if p.id != p.gone.id {
		t.Fatalf("two rooms: %q and %q", p.id, p.gone.id)
	}
	return p
}

// naming are the commands that name a room.
func naming(id rooms.RoomID) []rooms.Command {
	name := string(id)
	upper := strings.ToUpper(name)
	return []rooms.Command{
		rooms.Join{Room: name},
		rooms.Join{Room: upper},
		rooms.Join{Room: name, After: &rooms.Cursor{Seq: 1}, Recent: 10},
		rooms.Invite{Room: name},
		rooms.Invite{Room: name, Uses: -1},
		rooms.Invites{Room: name},
		rooms.Close{Room: name},
		rooms.Close{Room: upper},
	}
}

// TestPrivateOracle compares answers about a private room with answers about none.
func TestPrivateOracle(t *testing.T) {
	p := newPrivate(t)
	banned := p.connect("mallory")
	p.gone.connect("mallory")
	c := p.alice.invite(rooms.Invite{})
	banned.must(rooms.Join{Invite: c})
	p.alice.must(rooms.Ban{Who: "mallory"})

	for _, name := range []string{"eve", "mallory"} {
		here, there := p.connect(name), p.gone.connect(name)
		for _, cmd := range naming(p.id) {
			a, b := here.refused(rooms.NoSuchRoom, cmd), there.refused(rooms.NoSuchRoom, cmd)
			if !reflect.DeepEqual(a, b) {
				t.Errorf("%s, %+v:\n  there is one: %v\n there is none: %v", name, cmd, a, b)
			}
		}
		for _, cmd := range []rooms.Command{
			rooms.List{},
			rooms.List{Pattern: "lair"},
			rooms.List{Pattern: "~"},
			rooms.Invites{},
			rooms.Revoke{ID: "a"},
			rooms.Whois{Nick: "alice"},
			rooms.Who{},
			rooms.Status{},
			rooms.Create{Room: string(p.id)},
		} {
			a, refusalA := here.ask(cmd)
			b, refusalB := there.ask(cmd)
			if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(refusalA, refusalB) {
				t.Errorf("%s, %+v:\n  there is one: %+v %v\n there is none: %+v %v", name, cmd, a, refusalA, b, refusalB)
			}
		}
		here.must(rooms.Disconnect{})
		there.must(rooms.Disconnect{})
	}
}

// TestPrivateNameIsFree: the name of a private room can be used by all others.
func TestPrivateNameIsFree(t *testing.T) {
	p := newPrivate(t)
	base, suffix, _ := strings.Cut(string(p.id), "~")
	if base != "lair" || len(suffix) != 8 {
		t.Errorf("the room is called %q", p.id)
	}
	eve := p.connect("eve")
	second := eve.create(rooms.Create{Room: "lair", Private: true})
	if second == p.id {
		t.Errorf("two private rooms %q", second)
	}
	if got := eve.create(rooms.Create{Room: "lair"}); got != "lair" {
		t.Errorf("the public room is called %q", got)
	}
}

// TestPrivateEntrance: who may enter a private room without an invite.
func TestPrivateEntrance(t *testing.T) {
	p := newPrivate(t)
	bob, boss := p.connect("bob"), p.connect("owner")
	bob.must(rooms.Join{Invite: p.alice.invite(rooms.Invite{})})
	bob.is(p.id)

	bob.must(rooms.Leave{})
	enters(p.id, bob)
	p.alice.must(rooms.Kick{Nick: "bob"})
	enters(p.id, bob)
	bob.must(rooms.Disconnect{})
	bob = p.connect("bob")
	p.wait(365 * 24 * time.Hour)
	enters(p.id, bob)

	enters(p.id, boss)
	if got := bob.nicks(); got != "alice bob owner" {
		t.Errorf("inside: %s", got)
	}
	bob.refused(rooms.Denied, rooms.Invite{})
	p.alice.must(rooms.Ban{Who: "bob", Life: time.Hour})
	bob.refused(rooms.NoSuchRoom, rooms.Join{Room: string(p.id)})
	p.wait(time.Hour)
	enters(p.id, bob)
}

// TestPrivateWhois: where somebody is stays unknown if it is a private room.
func TestPrivateWhois(t *testing.T) {
	p := newPrivate(t)
	eve, bob, boss := p.connect("eve"), p.connect("bob"), p.connect("owner")
	bob.must(rooms.Join{Invite: p.alice.invite(rooms.Invite{})})
	for _, tt := range []struct {
		who  *guest
		want rooms.RoomID
	}{{eve, ""}, {bob, p.id}, {boss, p.id}} {
		m := tt.who.must(rooms.Whois{Nick: "alice"}).(rooms.Member)
		if m.Room != tt.want {
			t.Errorf("%s sees alice in %q, want %q", tt.who.peer, m.Room, tt.want)
		}
		if (m.Path != "") != (tt.who == boss) {
			t.Errorf("%s sees the path %q", tt.who.peer, m.Path)
		}
	}
	eve.create(rooms.Create{Room: "open"})
	if m := bob.must(rooms.Whois{Nick: "eve"}).(rooms.Member); m.Room != "open" {
		t.Errorf("eve is in %q", m.Room)
	}
}
