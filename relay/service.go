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
	"time"

	golog "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
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
// circuitBuffer: 160 MiB for all of them.
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
}

// NewService starts a relay.
func NewService(c ServiceConfig) (*Service, error) {
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	s := &Service{}
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

// AllowReserve also closes the older connections of a host that reserves anew: it
// has lost them, and a circuit to it would be opened through one of these.
func (a acl) AllowReserve(id peer.ID, from ma.Multiaddr) bool {
	if a.allowed(id) {
		a.service.closeOlder(id, from)
	}
	return a.allowed(id)
}

func (a acl) AllowConnect(_ peer.ID, _ ma.Multiaddr, dest peer.ID) bool { return a.allowed(dest) }

// closeOlder closes the connections of a peer that are older than its newest one
// from an address: QUIC connections of one socket all have the same.
func (s *Service) closeOlder(id peer.ID, from ma.Multiaddr) {
	all := s.Host.Network().ConnsToPeer(id)
	var newest time.Time
	for _, c := range all {
		if opened := c.Stat().Opened; c.RemoteMultiaddr().Equal(from) && opened.After(newest) {
			newest = opened
		}
	}
	for _, c := range all {
		if c.Stat().Opened.Before(newest) {
			log.Debugf("%s is back; closing its connection from %s", id, c.RemoteMultiaddr())
			_ = c.Close()
		}
	}
}

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
