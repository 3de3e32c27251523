package rooms_test

import (
	"testing"

	"p2pchat/rooms"
)

// A member finds its private room by the name before the ~; to others, and when
// there are two, the short name is no room at all.
func TestOwnPrivateRoomByItsShortName(t *testing.T) {
	h := newHost(t)
	alice, bob := h.connect("alice"), h.connect("bob")
	alice.must(rooms.Create{Room: "Club", Private: true})
	alice.must(rooms.Leave{})
	alice.must(rooms.Join{Room: "club"})
	bob.refused(rooms.NoSuchRoom, rooms.Join{Room: "club"})
	bob.must(rooms.Create{Room: "club"}) // a public room of that name comes first
	alice.must(rooms.Join{Room: "club"})
	alice.must(rooms.Leave{})
	bob.must(rooms.Close{})
	alice.must(rooms.Create{Room: "club", Private: true})
	alice.must(rooms.Leave{})
	alice.refused(rooms.NoSuchRoom, rooms.Join{Room: "club"})
}

// A closed room leaves its name to its history, also across a restart.
func TestClosedRoomKeepsItsNameForTheHistory(t *testing.T) {
	h := newHost(t)
	alice := h.connect("alice")
	alice.must(rooms.Create{Room: "dev"})
	alice.must(rooms.Close{})
	again := rooms.NewRegistry(rooms.DefaultLimits(), owner)
	for _, c := range h.reg.Snapshot(h.now) {
		again.Apply(c)
	}
	if ended := again.Ended(); len(ended) != 1 || ended[0].Room != "dev" || len(again.Rooms()) != 0 {
		t.Fatalf("ended: %+v, open: %+v", ended, again.Rooms())
	}
}
