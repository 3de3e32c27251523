package node

import (
	"errors"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/node/wire"
	"p2pchat/relay"
	"p2pchat/rooms"
)

// A host that says that it is another, or that the client is, gets nothing: under these
// names the client keeps its notes and its words.
func TestWelcomeHasToBeTrue(t *testing.T) {
	for name, lie := range map[string]func(*rooms.Welcome){
		"another host":   func(w *rooms.Welcome) { w.Host = "12D3KooWAnother" },
		"a path":         func(w *rooms.Welcome) { w.Host = "../../../etc/x" },
		"another client": func(w *rooms.Welcome) { w.Peer = "12D3KooWAnother" },
		"":               func(*rooms.Welcome) {},
	} {
		liar, mine := newNet(t), newNet(t)
		liar.Host.SetStreamHandler(protocol.ID(wire.Protocol), func(s network.Stream) {
			w := rooms.Welcome{Peer: rooms.PeerID(mine.ID().String()), Host: rooms.PeerID(liar.ID().String()), Name: "liar", Nick: "ann", Version: "1"}
			lie(&w)
			_, _ = s.Write(wire.AppendEvent(nil, 0, w))
		})
		c, err := Dial(t.Context(), ClientConfig{
			Net: mine, Target: Target{AddrInfo: peer.AddrInfo{ID: liar.ID(), Addrs: liar.Host.Addrs()}}, Nick: "ann", Version: "1",
		})
		var no *rooms.Refusal
		if lied := errors.As(err, &no) && no.Code == rooms.IdentityMismatch; lied != (name != "") || name == "" && err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

func newNet(t *testing.T) *relay.Net {
	t.Helper()
	n, err := relay.New(relay.Config{Key: newKey(t), Listen: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/0")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// Reader and handler of a session may both wait for its outbox: both go on once it has room.
func TestBothWaitForTheOutbox(t *testing.T) {
	s := &session{out: newOutbox(), written: make(chan struct{})}
	s.out.waiting = make([]byte, outboxAnswers+1)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { s.breathe() })
	}
	for len(s.out.waiting) > 0 {
		s.out.take(nil)
	}
	both.Wait()
}
