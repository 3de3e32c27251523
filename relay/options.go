package relay

import (
	cryptotls "crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	noise "github.com/libp2p/go-libp2p/p2p/security/noise"
	tls "github.com/libp2p/go-libp2p/p2p/security/tls"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ws "github.com/libp2p/go-libp2p/p2p/transport/websocket"
	"github.com/libp2p/go-libp2p/x/rate"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Config says how a libp2p host is to be made.
type Config struct {
	Key      crypto.PrivKey
	Listen   []ma.Multiaddr // none: listens nowhere
	Announce []ma.Multiaddr // told to others besides the addresses listened on
	Members  int            // connections expected; bounds what is accepted

	Network   Network         // how much of the outside is made use of; empty: none
	Relays    []peer.AddrInfo // relays named by the user
	Bootstrap []peer.AddrInfo // where a search for addresses begins, besides the relays
}

// Limits on connections, above what the members need: room for the ones being
// replaced and for strangers being turned away. Per address they are high,
// because a school, a carrier's NAT or a relay is one address.
const (
	spareConnections   = 512
	connectionsPerNet  = 1024 // from one IPv4 address or IPv6 /56
	newPerNetRPS       = 50   // new connections a second from one of these
	newPerNetBurst     = 500
	connectionsPerPeer = 16
	streamsPerPeer     = 32 // 20,000 open streams of one peer cost 178 MiB
	handshakeTimeout   = 15 * time.Second
)

// newHost makes a libp2p host that speaks TCP, QUIC and WebSocket, prefers TLS (1.7
// times as fast as noise on files), and keeps its connections: which ones are kept
// is decided by the chat, never by a connection manager. advertise, given the
// addresses listened on, says which are told to others.
func newHost(c Config, advertise func([]ma.Multiaddr) []ma.Multiaddr, more ...libp2p.Option) (host.Host, error) {
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	options = append(options, libp2p.AddrsFactory(advertise))
	h, err := libp2p.New(append(options, more...)...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrListen, err)
	}
	return h, nil
}

// options are what every libp2p host of p2pchat has in common.
func (c Config) options() ([]libp2p.Option, error) {
	for _, a := range c.Listen {
		if err := free(a); err != nil {
			return nil, err
		}
	}
	manager, err := resources(c.Members)
	if err != nil {
		return nil, err
	}
	options := []libp2p.Option{
		libp2p.Identity(c.Key),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Transport(quic.NewTransport),
		// Who answers is told by the handshake inside; this TLS is only what a
		// network lets out that lets nothing but the web out.
		libp2p.Transport(ws.New, ws.WithTLSClientConfig(&cryptotls.Config{InsecureSkipVerify: true})),
		libp2p.Security(tls.ID, newTLS),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, muxer()),
		libp2p.ResourceManager(manager),
		libp2p.ConnectionManager(connmgr.NullConnMgr{}),
		libp2p.ConnectionGater(gater{}),
		libp2p.UserAgent("p2pchat"),
		libp2p.SwarmOpts(swarm.WithDialRanker(tcpFirst)),
		libp2p.DisableMetrics(),
		libp2p.EnableRelay(),
		libp2p.ForceReachabilityPublic(),                                                // p2pchat finds out itself; libp2p would hide addresses
		libp2p.UDPBlackHoleSuccessCounter(nil), libp2p.IPv6BlackHoleSuccessCounter(nil), // a laptop changes networks
		libp2p.Ping(false), // its streams are not bounded by the sender's reading
		libp2p.WithDialTimeout(handshakeTimeout),
	}
	if len(c.Listen) == 0 {
		options = append(options, libp2p.NoListenAddrs)
	} else {
		options = append(options, libp2p.ListenAddrs(c.Listen...))
	}
	return options, nil
}

// streamWindow is how many bytes of a stream may be under way without having been read.
// It is the same from the beginning to the end: whenever go-yamux enlarges it (v5.1.0,
// Stream.sendWindowUpdate), it forgets to grant what was due just then, so that the sender
// never has more than half of it, and stops for a round trip each time that is used up.
// Half of it is enough for 33 MB/s over 60 ms. libp2p would let it grow to four times as much.
const streamWindow = 4 << 20

func muxer() network.Multiplexer {
	c := *yamux.DefaultTransport.Config()
	c.InitialStreamWindowSize, c.MaxStreamWindowSize = streamWindow, streamWindow
	return (*yamux.Transport)(&c)
}

// The order of dialling a peer that has several addresses: TCP costs half as much a
// message as QUIC, and a dead host is noticed at once, so it gets a head start. The
// web's port, which every network lets out, and relays come a moment later. Whoever
// connects first is used; better ways are found later.
const (
	laterDelay = 60 * time.Millisecond
	relayDelay = 120 * time.Millisecond
)

// tcpFirst is that order, for all addresses of a peer at once: a dead one must not
// hold up the others.
func tcpFirst(addrs []ma.Multiaddr) []network.AddrDelay {
	ranked := make([]network.AddrDelay, 0, len(addrs))
	alone := !slices.ContainsFunc(addrs, func(a ma.Multiaddr) bool { return !isRelayed(a) && transportOf(a) == "tcp" })
	for _, a := range addrs {
		d := network.AddrDelay{Addr: a}
		if transport := transportOf(a); transport != "tcp" && !alone && !isRelayed(a) {
			d.Delay = laterDelay
		}
		ranked = append(ranked, d)
	}
	slices.SortStableFunc(ranked, func(a, b network.AddrDelay) int { return int(a.Delay - b.Delay) })
	return ranked
}

// ErrListen is returned when an address can't be listened on.
var ErrListen = errors.New("can't listen")

// free tells whether nobody listens on an address. libp2p would share the port
// with another program of the same user (SO_REUSEPORT), and each would get half
// of the connections.
func free(a ma.Multiaddr) error {
	network, addr, err := manet.DialArgs(a)
	if err != nil {
		return fmt.Errorf("%w on %s: %w", ErrListen, a, err)
	}
	var probe io.Closer
	if strings.HasPrefix(network, "udp") {
		probe, err = net.ListenPacket(network, addr)
	} else {
		probe, err = net.Listen(network, addr)
	}
	if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("%w on %s: %w", ErrListen, a, err)
	}
	if err == nil {
		return probe.Close()
	}
	return nil // a kind of address this machine has not: libp2p sorts that out
}

// resources bounds the connections and streams of the whole process, but leaves
// who may have how many to the chat.
func resources(members int) (network.ResourceManager, error) {
	limits := rcmgr.InfiniteLimits.ToPartialLimitConfig()
	if members > 0 {
		n := rcmgr.LimitVal(2*members + spareConnections)
		limits.System.ConnsInbound = n
		limits.System.FD = rcmgr.Unlimited
		limits.Transient.ConnsInbound = n
		limits.Transient.StreamsInbound = n
	}
	limits.PeerDefault.ConnsInbound = connectionsPerPeer
	limits.PeerDefault.StreamsInbound = streamsPerPeer
	loopback4, loopback6 := netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")
	limiter := rcmgr.NewFixedLimiter(limits.Build(rcmgr.InfiniteLimits))
	return rcmgr.NewResourceManager(limiter,
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: connectionsPerNet}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: connectionsPerNet}},
		),
		rcmgr.WithNetworkPrefixLimit(
			[]rcmgr.NetworkPrefixLimit{{Network: loopback4, ConnCount: math.MaxInt}},
			[]rcmgr.NetworkPrefixLimit{{Network: loopback6, ConnCount: math.MaxInt}},
		),
		rcmgr.WithConnRateLimiters(&rate.Limiter{
			NetworkPrefixLimits: []rate.PrefixLimit{{Prefix: loopback4}, {Prefix: loopback6}},
			SubnetRateLimiter: rate.SubnetLimiter{
				IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: rate.Limit{RPS: newPerNetRPS, Burst: newPerNetBurst}}},
				IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 56, Limit: rate.Limit{RPS: newPerNetRPS, Burst: newPerNetBurst}}},
				GracePeriod:      time.Minute,
			},
		}),
	)
}

// unlimited is no limit.
const unlimited = math.MaxInt

// gater turns away peers that come with an identity that is not an ed25519 key: the
// key is then part of the peer ID, and checking it costs little (RSA:
// CVE-2023-39533). Those that are dialled are chosen; the public DHT begins with
// RSA keys.
type gater struct{}

func (gater) InterceptPeerDial(peer.ID) bool               { return true }
func (gater) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }
func (gater) InterceptAccept(network.ConnMultiaddrs) bool  { return true }
func (gater) InterceptSecured(d network.Direction, id peer.ID, _ network.ConnMultiaddrs) bool {
	if d == network.DirOutbound {
		return true
	}
	key, err := id.ExtractPublicKey()
	return err == nil && key.Type() == crypto.Ed25519
}
func (gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
