package relay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	cryptotls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	golog "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	circuitrelay "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ws "github.com/libp2p/go-libp2p/p2p/transport/websocket"
	ma "github.com/multiformats/go-multiaddr"
)

var log = golog.Logger("p2pchat-relay")

// ServiceConfig says what a relay is to be. Zero limits mean none.
type ServiceConfig struct {
	Key             crypto.PrivKey
	Listen          []ma.Multiaddr
	Announce        []ma.Multiaddr
	Bootstrap       []peer.AddrInfo // other relays, to form a directory with
	Hosts           []peer.ID       // who may have a place; none: everybody
	MaxReservations int
	MaxCircuits     int
	CircuitDuration time.Duration // 0: a circuit lasts as long as it is used
	CircuitData     int64         // bytes each way; 0: no limit
}

// The limits of a relay unless told otherwise. A circuit costs two buffers of
// circuitBuffer, 160 MiB for all of them; and up to a streamWindow each way while one
// end sends more than the other reads.
const (
	DefaultReservations = 1024
	DefaultCircuits     = 10_000
	circuitBuffer       = 8 << 10
	relayConnections    = 16_384
)

// Service is a running relay: it carries connections between peers that can't reach
// each other, tells them how they look from outside, and knows where its hosts are.
type Service struct {
	Host      host.Host
	directory *directory
	cancel    context.CancelFunc

	mu       sync.Mutex         // guards reserved
	reserved map[peer.ID]string // by which connection a host has its place
}

// NewService starts a relay.
func NewService(c ServiceConfig) (*Service, error) {
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	s := &Service{reserved: map[peer.ID]string{}}
	advertise := func(listened []ma.Multiaddr) []ma.Multiaddr {
		return ma.Unique(append(slices.Clone(c.Announce), listened...))
	}
	hosts := map[peer.ID]bool{}
	for _, id := range c.Hosts {
		hosts[id] = true
	}
	members := c.MaxCircuits
	if members == 0 {
		members = relayConnections
	}
	s.Host, err = newHost(Config{Key: c.Key, Listen: c.Listen, Members: members}, advertise,
		libp2p.NoTransports,
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Transport(quic.NewTransport),
		libp2p.Transport(ws.New, ws.WithTLSConfig(&cryptotls.Config{Certificates: []cryptotls.Certificate{certificate}}),
			ws.WithTLSClientConfig(&cryptotls.Config{InsecureSkipVerify: true})),
		libp2p.Ping(true),
		libp2p.EnableNATService(),
		libp2p.AutoNATServiceRateLimit(1000, 30, time.Minute),
		libp2p.EnableRelayService(circuitrelay.WithResources(c.resources()), circuitrelay.WithACL(acl{s, hosts})),
	)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	if s.directory, err = newDirectory(ctx, s.Host, Config{Network: Private, Bootstrap: c.Bootstrap}, true); err != nil {
		cancel()
		_ = s.Host.Close()
		return nil, err
	}
	if len(c.Bootstrap) > 0 {
		go s.directory.enter(ctx)
	}
	return s, nil
}

// resources are the relay's limits in libp2p's terms.
func (c ServiceConfig) resources() circuitrelay.Resources {
	r := circuitrelay.DefaultResources()
	r.Limit = nil
	if c.CircuitDuration > 0 || c.CircuitData > 0 {
		r.Limit = &circuitrelay.RelayLimit{Duration: c.CircuitDuration, Data: c.CircuitData}
		if r.Limit.Duration == 0 {
			r.Limit.Duration = 365 * 24 * time.Hour
		}
		if r.Limit.Data == 0 {
			r.Limit.Data = 1 << 62
		}
	}
	r.BufferSize = circuitBuffer
	r.MaxReservations, r.MaxCircuits = orMany(c.MaxReservations), orMany(c.MaxCircuits)
	r.MaxReservationsPerIP, r.MaxReservationsPerASN = r.MaxReservations, r.MaxReservations
	return r
}

func orMany(n int) int {
	if n == 0 {
		return 1 << 30
	}
	return n
}

// Close ends all circuits.
func (s *Service) Close() error {
	s.cancel()
	s.directory.close()
	return s.Host.Close()
}

// Addrs are the addresses of the relay, those that reach furthest first, TCP before
// others.
func (s *Service) Addrs() []ma.Multiaddr {
	addrs := slices.DeleteFunc(s.Host.Addrs(), isRelayed)
	rank := func(a ma.Multiaddr) int {
		n := 8 * Reach(a)
		if _, transport := PathOf(a); transport == "tcp" {
			n += 2
		}
		if _, err := a.ValueForProtocol(ma.P_IP6); err != nil {
			n++
		}
		return -n
	}
	slices.SortStableFunc(addrs, func(a, b ma.Multiaddr) int { return rank(a) - rank(b) })
	return addrs
}

// OnWebPort tells whether it can be reached where only the web is let out.
func (s *Service) OnWebPort() bool {
	return slices.ContainsFunc(s.Host.Network().ListenAddresses(), func(a ma.Multiaddr) bool {
		return strings.HasPrefix(transportOf(a), "ws") && port(a) == "443"
	})
}

// acl decides who may have a place; circuits lead only to those.
type acl struct {
	service *Service
	hosts   map[peer.ID]bool // none: everybody
}

func (a acl) allowed(id peer.ID) bool { return len(a.hosts) == 0 || a.hosts[id] }

// AllowReserve also closes the connection by which a host had its place before it
// reserved anew: it has lost that, and a circuit to it would be opened there.
func (a acl) AllowReserve(id peer.ID, from ma.Multiaddr) bool {
	if a.allowed(id) {
		a.service.replace(id, from)
	}
	return a.allowed(id)
}

func (a acl) AllowConnect(_ peer.ID, _ ma.Multiaddr, dest peer.ID) bool { return a.allowed(dest) }

// replace notes by which connection a host has its place: its newest one from an
// address, since QUIC connections of one socket all have the same.
func (s *Service) replace(id peer.ID, from ma.Multiaddr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.Host.Network().ConnsToPeer(id)
	var newest network.Conn
	for _, c := range all {
		if c.RemoteMultiaddr().Equal(from) && (newest == nil || c.Stat().Opened.After(newest.Stat().Opened)) {
			newest = c
		}
	}
	if newest == nil {
		return
	}
	for _, c := range all {
		if c.ID() == s.reserved[id] && c != newest {
			log.Debugf("%s is back; closing its connection from %s", id, c.RemoteMultiaddr())
			_ = c.Close()
		}
	}
	if len(s.reserved) > placesKnown {
		clear(s.reserved)
	}
	s.reserved[id] = newest.ID()
}

// placesKnown bounds how many hosts' connections are remembered.
const placesKnown = 65_536

// selfSigned makes a certificate for the web's port. Nobody checks it: who answers
// is told by the handshake inside.
func selfSigned() (cryptotls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return cryptotls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "p2pchat"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return cryptotls.Certificate{}, err
	}
	return cryptotls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
