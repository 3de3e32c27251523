package node

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/history"
	"p2pchat/relay"
	"p2pchat/rooms"
)

// TestFileThroughARelay: a file passes through a relay that cuts every circuit after 128 KiB,
// and the chat through the same relay does not notice; through one that cuts none, it
// goes over the connection of the chat.
func TestFileThroughARelay(t *testing.T) {
	for _, tt := range []struct {
		what string
		cut  int64
		size int
	}{{"one that cuts", 128 << 10, 600 << 10}, {"one that does not", 0, 5 << 20}} {
		t.Run(tt.what, func(t *testing.T) {
			listen := []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/0")}
			service, err := relay.NewService(relay.ServiceConfig{Key: newKey(t), Listen: listen, CircuitData: tt.cut})
			if err != nil {
				t.Fatal(err)
			}
			defer service.Close()
			at := peer.AddrInfo{ID: service.Host.ID(), Addrs: service.Addrs()}
			w := &world{TB: t, key: newKey(t), dir: t.TempDir(), limits: rooms.DefaultLimits()}
			if w.store, err = history.Open(w.dir); err != nil {
				t.Fatal(err)
			}
			w.host, err = NewHost(HostConfig{
				Key: w.key, Name: "test", Listen: listen, Lobby: "lobby", Limits: w.limits, Store: logs{w.store, w}, Relays: []peer.AddrInfo{at},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer w.stop()
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			w.host.AwaitRelay(ctx)
			w.addr = at.Addrs[0].Encapsulate(ma.StringCast("/p2p/" + at.ID.String() + "/p2p-circuit"))
			anna, bob := w.join("anna", "lobby"), w.join("bob", "lobby")
			b := content(1, tt.size)
			began := time.Now()
			anna.share("lobby", fileOf("a", b), b)
			if !bytes.Equal(bob.fetch("lobby", bob.sees("a")), b) {
				t.Error("another content")
			}
			t.Logf("%d KiB there and back in %v", tt.size>>10, time.Since(began))
			anna.say("still here")
			for _, f := range []*friend{anna, bob} {
				f.leave()
				for _, e := range f.seen {
					if c, ok := e.(rooms.Connection); ok && c.What == rooms.ConnectionLost {
						t.Errorf("%s lost its connection: %s", f.nick, c.Why)
					}
				}
			}
		})
	}
}
