package relay

import (
	"crypto/rand"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
)

const somebody = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"

func TestPathOf(t *testing.T) {
	for addr, want := range map[string]string{
		"/ip4/127.0.0.1/tcp/4001":                             "local tcp 0",
		"/ip6/::1/udp/4001/quic-v1":                           "local quic 0",
		"/ip4/192.168.1.20/tcp/4001":                          "lan tcp 1",
		"/ip4/8.8.8.8/udp/4001/quic-v1":                       "direct quic 2",
		"/ip6/2a02::1/tcp/4001":                               "direct tcp 2",
		"/ip4/8.8.8.8/tcp/443/tls/ws":                         "direct ws 2",
		"/dns4/example.org/tcp/4001":                          "direct tcp 2",
		"/ip4/8.8.8.8/tcp/1/p2p/" + somebody + "/p2p-circuit": "relayed tcp 2",
	} {
		a := ma.StringCast(addr)
		path, transport := PathOf(a)
		if got := strings.Join([]string{path, transport, string(rune('0' + Reach(a)))}, " "); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestGroup(t *testing.T) {
	for _, same := range [][2]string{
		{"/ip4/8.8.8.8/tcp/1", "/ip4/8.8.8.8/udp/2/quic-v1"},
		{"/ip6/2a02:1:2:3::1/tcp/1", "/ip6/2a02:1:2:ff::9/tcp/2"},
		{"/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/2"},
	} {
		if a, b := Group(ma.StringCast(same[0])), Group(ma.StringCast(same[1])); a != b {
			t.Errorf("%s is of %q, %s of %q", same[0], a, same[1], b)
		}
	}
	if a, b := Group(ma.StringCast("/ip4/8.8.8.8/tcp/1")), Group(ma.StringCast("/ip4/8.8.8.9/tcp/1")); a == b {
		t.Errorf("two addresses are one group %q", a)
	}
}

func TestTCPIsDialledFirst(t *testing.T) {
	addrs := []ma.Multiaddr{ma.StringCast("/ip4/8.8.8.8/udp/1/quic-v1"), ma.StringCast("/ip4/8.8.8.8/tcp/1")}
	ranked := tcpFirst(addrs)
	slices.SortFunc(ranked, func(a, b network.AddrDelay) int { return int(a.Delay - b.Delay) })
	if len(ranked) != 2 || transportOf(ranked[0].Addr) != "tcp" || ranked[1].Delay < laterDelay {
		t.Errorf("dialled as %v", ranked)
	}
	if alone := tcpFirst(addrs[:1]); len(alone) != 1 || alone[0].Delay != 0 {
		t.Errorf("QUIC alone is dialled as %v", alone)
	}
}

func TestTakenPortIsRefused(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(Config{Key: key, Listen: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/" + port)}})
	if !errors.Is(err, ErrListen) {
		t.Fatalf("got %v", err)
	}
	h, err := New(Config{Key: key, Listen: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/0")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}
