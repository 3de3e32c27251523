package relay

import (
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"google.golang.org/protobuf/proto"

	"p2pchat/relay/internal/pb"
)

func offer(hard, noUDP bool, addrs ...string) *pb.Offer {
	o := &pb.Offer{Hard: hard, NoUdp: noUDP}
	for _, text := range addrs {
		kind, addr, _ := strings.Cut(text, " ")
		o.Addrs = append(o.Addrs, &pb.Address{Addr: ma.StringCast(addr).Bytes(), Kind: pb.Kind(pb.Kind_value["KIND_"+strings.ToUpper(kind)])})
	}
	return o
}

// Addresses inside a network are dialled only when both sides are behind one NAT.
func TestMeeting(t *testing.T) {
	p := &puncher{near: func(ma.Multiaddr) bool { return true }}
	for _, tt := range []struct {
		name         string
		mine, theirs *pb.Offer
		want         string
	}{
		{"apart", offer(false, false, "seen /ip4/5.1.0.2/tcp/1"), offer(false, false, "seen /ip4/5.2.0.2/tcp/1", "lan /ip4/192.168.1.2/tcp/1"), "/ip4/5.2.0.2/tcp/1"},
		{
			"together", offer(false, false, "seen /ip4/5.1.0.2/udp/1/quic-v1"), offer(false, false, "seen /ip4/5.1.0.2/tcp/1", "lan /ip4/192.168.1.2/tcp/1"),
			"/ip4/5.1.0.2/tcp/1 /ip4/192.168.1.2/tcp/1",
		},
		{"a lie", offer(false, false, "seen /ip4/5.1.0.2/tcp/1"), offer(false, false, "open /ip4/127.0.0.1/tcp/1", "seen /ip4/10.0.0.1/tcp/22"), ""},
	} {
		p.ways = map[peer.ID][]way{}
		var got []string
		for _, a := range p.meeting("x", tt.mine, tt.theirs) {
			got = append(got, a.String())
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}

// Whatever stands in the way, it is said, and what would help.
func TestExplain(t *testing.T) {
	seen := "seen /ip4/5.1.0.2/tcp/1"
	said := map[string]bool{}
	for _, mine := range []*pb.Offer{offer(false, false, seen), offer(true, false, seen), offer(false, true, seen), offer(false, false)} {
		for _, theirs := range []*pb.Offer{offer(false, false, seen), offer(true, false, seen), offer(false, true, seen), offer(false, false)} {
			why := explain(mine, theirs)
			if why.Why == "" || why.Help == "" {
				t.Errorf("%v and %v: %+v", mine, theirs, why)
			}
			said[why.Why] = true
		}
	}
	if len(said) < 8 {
		t.Errorf("only %d reasons: %v", len(said), said)
	}
}

func TestNextPorts(t *testing.T) {
	s := func(public, second string) sighting {
		return sighting{public: ma.StringCast(public), second: ma.StringCast(second)}
	}
	if next := s("/ip4/5.1.0.2/udp/40000/quic-v1", "/ip4/5.1.0.2/udp/40001/quic-v1").next(); len(next) != guesses || next[0].String() != "/ip4/5.1.0.2/udp/40002/quic-v1" {
		t.Errorf("next are %v", next)
	}
	if next := s("/ip4/5.1.0.2/udp/40000/quic-v1", "/ip4/5.1.0.2/udp/50001/quic-v1").next(); next != nil {
		t.Errorf("of random ports next are %v", next)
	}
	if next := s("/ip4/5.1.0.2/udp/65534/quic-v1", "/ip4/5.1.0.2/udp/65533/quic-v1").next(); len(next) != 1 {
		t.Errorf("at the end next are %v", next)
	}
}

// Whatever the other side of a punch offers, only a few addresses are dialled, no
// loopback, no name, nothing behind a relay.
func FuzzOffer(f *testing.F) {
	for _, o := range []*pb.Offer{
		offer(true, false, "seen /ip4/5.1.0.2/tcp/1", "lan /ip4/192.168.1.2/udp/1/quic-v1"),
		offer(false, false, "open /ip4/127.0.0.1/tcp/1", "mapped /dns4/localhost/tcp/1"),
	} {
		b, err := proto.Marshal(o)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var o pb.Offer
		if proto.Unmarshal(b, &o) != nil {
			return
		}
		all := ways(&o)
		if len(all) > 2*punchAddrs {
			t.Fatalf("%d addresses", len(all))
		}
		for _, w := range all {
			if manet.IsIPLoopback(w.addr) || isRelayed(w.addr) || ip(w.addr) == "" {
				t.Errorf("would dial %s", w.addr)
			}
		}
		p := &puncher{near: Near, ways: map[peer.ID][]way{}}
		for _, a := range p.meeting("x", offer(false, false, "seen /ip4/5.1.0.2/tcp/1"), &o) {
			if !manet.IsPublicAddr(a) && !manet.IsPrivateAddr(a) {
				t.Errorf("would dial %s", a)
			}
		}
	})
}

// What anybody in the LAN may have written is read into a host with a peer ID and a
// few addresses, or not at all.
func FuzzLAN(f *testing.F) {
	f.Add("id="+somebody, "name=anna", "addr=/ip4/192.168.1.20/tcp/4001")
	f.Add("id=", "name=\x1b[31m", "addr=/dns4/x/tcp/1")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		h, ok := readLAN([]string{a, b, c, c, c, c, c, c, c, c, c})
		if ok && (h.ID.Validate() != nil || len(h.Addrs) == 0 || len(h.Addrs) > lanAddrs) {
			t.Errorf("read %+v", h)
		}
	})
}

// Every address of a relay that is guessed can be dialled, and the ones given stay.
func FuzzDoors(f *testing.F) {
	f.Add("/ip4/8.8.8.8/tcp/4001")
	f.Add("/dns4/example.org/tcp/443/tls/ws")
	f.Add("/ip6/2a02::1/udp/1/quic-v1")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ma.NewMultiaddr(text)
		if err != nil {
			return
		}
		all := doors([]ma.Multiaddr{a})
		if len(all) == 0 || !all[0].Equal(a) || len(all) > 4 {
			t.Errorf("%s has the doors %v", a, all)
		}
	})
}
