package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println("goroutines are left:", err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

const patience = 20 * time.Second

func newKey(t testing.TB) crypto.PrivKey {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newNet(t testing.TB, c Config) *Net {
	t.Helper()
	c.Key = newKey(t)
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func loopback() []ma.Multiaddr { return []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/0")} }

// newRelay starts a relay on loopback.
func newRelay(t testing.TB, c ServiceConfig) (*Service, peer.AddrInfo) {
	t.Helper()
	c.Key, c.Listen = newKey(t), loopback()
	s, err := NewService(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, peer.AddrInfo{ID: s.Host.ID(), Addrs: s.Addrs()}
}

const echo = protocol.ID("/test/echo")

// newHostBehind starts a host that is reached by a relay and echoes.
func newHostBehind(t testing.TB, relay peer.AddrInfo) (*Net, peer.AddrInfo) {
	t.Helper()
	h := newNet(t, Config{Listen: loopback(), Relays: []peer.AddrInfo{relay}})
	h.Host.SetStreamHandler(echo, func(s network.Stream) {
		b := make([]byte, 5)
		n, _ := s.Read(b)
		_, _ = s.Write(b[:n])
		_ = s.Close()
	})
	h.Offer(OfferConfig{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	h.Await(ctx, func() bool { return h.Relayed(1) })
	addrs := h.Addresses()
	if addrs[0].Path != Relayed {
		t.Fatalf("the best address is %v", addrs[0])
	}
	return h, peer.AddrInfo{ID: h.ID(), Addrs: []ma.Multiaddr{addrs[0].Addr}}
}

func speak(t *testing.T, n *Net, c network.Conn) {
	t.Helper()
	s, err := n.Stream(t.Context(), c, echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Reset()
	_ = s.SetDeadline(time.Now().Add(patience))
	b := make([]byte, 5)
	if _, err := s.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Read(b); err != nil || string(b[:n]) != "hello" {
		t.Fatalf("%q, %v", b[:n], err)
	}
}

func TestThroughARelay(t *testing.T) {
	_, relay := newRelay(t, ServiceConfig{})
	_, there := newHostBehind(t, relay)
	n := newNet(t, Config{})
	c, err := n.Connect(t.Context(), there, 0)
	if err != nil {
		t.Fatal(err)
	}
	if path, transport := n.Path(c, nil); path != Relayed || transport != "tcp" {
		t.Errorf("%s over %s", path, transport)
	}
	speak(t, n, c)
	byID, err := newNet(t, Config{Relays: []peer.AddrInfo{relay}}).Connect(t.Context(), peer.AddrInfo{ID: there.ID}, 0)
	if err != nil || !isRelayed(byID.RemoteMultiaddr()) {
		t.Errorf("by its ID and a relay that was named: %v", err)
	}
}

// TestStreamWindow: however much a stream has carried, through a relay or not, half of a window
// more can be under way. Less makes a sender stop for a round trip, over and over.
func TestStreamWindow(t *testing.T) {
	_, relay := newRelay(t, ServiceConfig{})
	host, there := newHostBehind(t, relay)
	const fill, before = protocol.ID("/test/fill"), 20 << 20
	ended := make(chan struct{})
	var reading sync.WaitGroup
	host.Host.SetStreamHandler(fill, func(s network.Stream) {
		reading.Add(1)
		defer reading.Done()
		_, _ = io.CopyN(io.Discard, s, before)
		<-ended
		_ = s.Reset()
	})
	defer reading.Wait()
	defer close(ended)
	direct := peer.AddrInfo{ID: host.ID(), Addrs: host.Host.Network().ListenAddresses()}
	for name, there := range map[string]peer.AddrInfo{"relay": there, "direct": direct} {
		n := newNet(t, Config{})
		c, err := n.Connect(t.Context(), there, 0)
		if err != nil {
			t.Fatal(err)
		}
		s, err := n.Stream(t.Context(), c, fill)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.SetWriteDeadline(time.Now().Add(patience))
		for sent := 0; sent < before+streamWindow/2; sent += 64 << 10 {
			if _, err := s.Write(make([]byte, 64<<10)); err != nil {
				t.Fatalf("%s: after %d bytes, of which %d are read: %v", name, sent, before, err)
			}
		}
		_ = s.Reset()
	}
}

// A relay for one host serves no other.
func TestRelayForNamedHosts(t *testing.T) {
	named := newKey(t)
	id, err := peer.IDFromPrivateKey(named)
	if err != nil {
		t.Fatal(err)
	}
	_, relay := newRelay(t, ServiceConfig{Hosts: []peer.ID{id}})
	h := newNet(t, Config{Listen: loopback(), Relays: []peer.AddrInfo{relay}})
	h.Offer(OfferConfig{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	h.Await(ctx, func() bool { return h.Relayed(1) })
	if h.Relayed(1) {
		t.Error("a host that was not named has a place")
	}
}

// A host comes back by itself when its relay does.
func TestRelayRestarts(t *testing.T) {
	key := newKey(t)
	start := func(at []ma.Multiaddr) *Service {
		s, err := NewService(ServiceConfig{Key: key, Listen: at})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := start(loopback())
	at := s.Addrs()
	h, there := newHostBehind(t, peer.AddrInfo{ID: s.Host.ID(), Addrs: at})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	h.Await(ctx, func() bool { return !h.Relayed(1) })
	s = start(at)
	defer s.Close()
	h.Await(ctx, func() bool { return h.Relayed(1) })
	n := newNet(t, Config{})
	c, err := n.Connect(ctx, there, 0)
	if err != nil {
		t.Fatal(err)
	}
	speak(t, n, c)
}

// Every network can be had, and nothing is left running.
func TestNetworks(t *testing.T) {
	for _, network := range []Network{Public, Private, None, ""} {
		n := newNet(t, Config{Network: network, Listen: loopback()})
		if n.Looks() != (network == Public || network == Private) {
			t.Errorf("%q looks: %v", network, n.Looks())
		}
	}
}

func TestConnectFails(t *testing.T) {
	nobody, err := peer.IDFromPrivateKey(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	n := newNet(t, Config{})
	for name, addrs := range map[string][]ma.Multiaddr{
		"nowhere":          nil,
		"a dead port":      {ma.StringCast("/ip4/127.0.0.1/tcp/1")},
		"a dead relay":     {ma.StringCast("/ip4/127.0.0.1/tcp/1/p2p/" + somebody + "/p2p-circuit")},
		"both":             {ma.StringCast("/ip4/127.0.0.1/tcp/1"), ma.StringCast("/ip4/127.0.0.1/tcp/1/p2p/" + somebody + "/p2p-circuit")},
		"a nameless relay": {ma.StringCast("/ip4/127.0.0.1/tcp/1/p2p-circuit")},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if c, err := n.Connect(ctx, peer.AddrInfo{ID: nobody, Addrs: addrs}, 0); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, %v", name, c, err)
		}
		cancel()
	}
}
