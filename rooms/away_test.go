package rooms_test

import (
	"reflect"
	"testing"

	"p2pchat/rooms"
)

// toldOf is what the latest command of g told its room of a member.
func toldOf(g *guest) (all []string) {
	for _, e := range broadcasts[rooms.MemberChanged](g) {
		all = append(all, string(e.Room)+" "+e.Member.Nick+" "+e.What.String()+" "+e.Member.Away+" "+e.Reason)
	}
	return all
}

func TestAway(t *testing.T) {
	_, alice, bob, carol, boss := dev(t)
	expect := func(g *guest, want ...string) {
		t.Helper()
		if got := toldOf(g); !reflect.DeepEqual(got, want) {
			t.Errorf("the room is told %q, want %q", got, want)
		}
	}
	bob.must(rooms.Away{Text: " lunch "})
	expect(bob, "dev bob away lunch ")
	bob.must(rooms.Away{Text: "lunch"})
	expect(bob)
	for _, m := range alice.must(rooms.Who{}).(rooms.Roster).Members {
		if m.Away != map[string]string{"bob": "lunch"}[m.Nick] {
			t.Errorf("/who: %+v", m)
		}
	}
	if m := boss.must(rooms.Whois{Nick: "bob"}).(rooms.Member); m.Away != "lunch" {
		t.Errorf("/whois: %+v", m)
	}

	alice.must(rooms.Whisper{Nick: "bob", Text: "psst"})
	if got := told[rooms.Notice](alice, alice); !reflect.DeepEqual(got, []rooms.Notice{{Text: "bob is away: lunch"}}) {
		t.Errorf("who whispers is told %+v", got)
	}
	if got := told[rooms.Whispered](alice, bob); len(got) != 1 {
		t.Errorf("bob is told %+v", got)
	}

	// A muted member says nothing by it either.
	alice.must(rooms.Mute{Nick: "bob", Muted: true})
	bob.must(rooms.Away{Text: "buy my boots"})
	expect(bob, "dev bob away away ")
	alice.must(rooms.Whisper{Nick: "bob", Text: "psst"})
	if got := told[rooms.Notice](alice, alice); !reflect.DeepEqual(got, []rooms.Notice{{Text: "bob is away"}}) {
		t.Errorf("who whispers is told %+v", got)
	}
	alice.must(rooms.Mute{Nick: "bob"})

	bob.must(rooms.Spoke{})
	expect(bob, "dev bob back  spoke")
	bob.must(rooms.Spoke{})
	expect(bob)
	carol.must(rooms.Away{Text: "asleep"})
	carol.must(rooms.Away{})
	expect(carol, "dev carol back  ")
}

// TestAwayOverConnections: a lost connection is no return, another program is.
func TestAwayOverConnections(t *testing.T) {
	h := newHost(t)
	connect := func(instance uint64) *guest {
		g := h.dial("bob")
		g.must(rooms.Connect{Peer: g.peer, Instance: instance, Nick: "bob"})
		return g
	}
	away := func(want string) {
		t.Helper()
		if got := h.reg.Away("peer-bob"); got != want {
			t.Errorf("away %q, want %q", got, want)
		}
	}
	bob := connect(1)
	bob.must(rooms.Away{Text: "lunch"})
	bob.must(rooms.Disconnect{})
	bob = connect(1)
	away("lunch")
	second := connect(2)
	away("lunch")
	second.must(rooms.Quit{})
	away("lunch")
	bob.must(rooms.Quit{})
	away("")
	bob = connect(1)
	bob.must(rooms.Away{Text: "lunch"})
	bob.must(rooms.Disconnect{})
	connect(2)
	away("")
}
