package node

import (
	"context"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"p2pchat/node/wire"
	"p2pchat/relay"
	"p2pchat/rooms"
)

// One stranger who opens streams and says nothing takes no place from others.
func TestStrangerTakesOnlyItsOwnPlaces(t *testing.T) {
	w := newWorld(t)
	stranger, err := relay.New(relay.Config{Key: newKey(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := stranger.Host.Connect(ctx, peer.AddrInfo{ID: w.target().ID, Addrs: w.target().Addrs}); err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		s, err := stranger.Host.NewStream(ctx, w.target().ID, protocol.ID(wire.Protocol))
		if err != nil {
			break
		}
		_ = s.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = s.Write([]byte{0x40}) // a frame that never ends
	}
	w.host.strangers.mu.Lock()
	waiting := w.host.strangers.all
	w.host.strangers.mu.Unlock()
	if waiting > 32 {
		t.Errorf("%d places are taken by one stranger", waiting)
	}
	w.join("alice", "lobby").say("nobody noticed")
}

// A room whose log can't be opened is not made, and its maker stays where it was.
func TestRoomThatCantBeMade(t *testing.T) {
	w := newWorld(t)
	alice := w.join("alice", "lobby")
	w.refuse.Store(true)
	alice.refused(rooms.Storage, rooms.Create{Room: "dev"})
	alice.say("still in the lobby")
	alice.refused(rooms.NoSuchRoom, rooms.Join{Room: "dev"})
	w.refuse.Store(false)
	alice.must(rooms.Create{Room: "dev"})
	alice.say("now it works")
}
