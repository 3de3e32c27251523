package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"

	"p2pchat/node/wire"
	"p2pchat/relay"
	"p2pchat/rooms"
)

// dialer opens streams to a host over libp2p.
type dialer struct {
	net           host.Host
	target        Target
	requireDirect bool
}

func newDialer(c *ClientConfig) (func(context.Context) (conn, rooms.Path, error), error) {
	if c.Net == nil {
		return nil, errors.New("node: ClientConfig.Net is missing")
	}
	d := &dialer{net: c.Net, target: c.Target, requireDirect: c.RequireDirect}
	d.net.Peerstore().AddAddrs(c.Target.ID, c.Target.Addrs, peerstore.PermanentAddrTTL)
	return d.dial, nil
}

// dial opens a stream. Old connections are closed first: a client dials only when
// the way it had is dead, and a dead connection looks alive for a while.
func (d *dialer) dial(ctx context.Context) (conn, rooms.Path, error) {
	_ = d.net.Network().ClosePeer(d.target.ID)
	if s, ok := d.net.Network().(*swarm.Swarm); ok {
		s.Backoff().Clear(d.target.ID)
	}
	if err := d.net.Connect(network.WithAllowLimitedConn(ctx, "p2pchat"), d.target.AddrInfo); err != nil {
		return nil, rooms.Path{}, d.explain(ctx, err)
	}
	s, err := d.net.NewStream(network.WithAllowLimitedConn(ctx, "p2pchat"), d.target.ID, protocol.ID(wire.Protocol))
	if err != nil {
		return nil, rooms.Path{}, d.explain(ctx, err)
	}
	remote := s.Conn().RemoteMultiaddr()
	path, transport := relay.PathOf(remote)
	if d.requireDirect && path == relay.Relayed {
		_ = s.Reset()
		return nil, rooms.Path{}, rooms.Refuse(rooms.Unreachable, "join without --require-direct to go through it",
			"the host can only be reached through a relay")
	}
	return s, rooms.Path{Path: path, Transport: transport, Addr: remote.String()}, nil
}

// explain makes a refusal of what went wrong on the way to a host.
func (d *dialer) explain(ctx context.Context, err error) *rooms.Refusal {
	var mismatch sec.ErrPeerIDMismatch
	switch {
	case errors.As(err, &mismatch):
		return rooms.Refuse(rooms.IdentityMismatch, "check the address with the person who runs the host",
			"another host answers at this address: %s was expected, %s is there", mismatch.Expected, mismatch.Actual)
	case strings.Contains(err.Error(), "protocols not supported"):
		return rooms.Refuse(rooms.UnsupportedVersion, "both sides need a p2pchat of the same major version",
			"%s answers, but speaks no %s", d.target.ID, wire.Protocol)
	case errors.Is(err, swarm.ErrNoAddresses), errors.Is(err, swarm.ErrNoGoodAddresses):
		return rooms.Refuse(rooms.Unreachable, "paste the whole address that the host prints",
			"no address of host %s is known", d.target.ID)
	}
	reason := "nobody answers there"
	var timeout net.Error
	if ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout() {
		reason = "no answer came in time"
	}
	return rooms.Refuse(rooms.Unreachable, "check that the host is running and that the address is right",
		"can't reach the host at %s: %s", d.where(), reason)
}

func (d *dialer) where() string {
	if len(d.target.Addrs) == 0 {
		return d.target.ID.String()
	}
	where := d.target.Addrs[0].String()
	if n := len(d.target.Addrs) - 1; n > 0 {
		where += fmt.Sprintf(" and %d more", n)
	}
	return where
}

// DialOwner connects to the owner's socket of a host on this machine.
func DialOwner(ctx context.Context, path string, c ClientConfig) (*Client, error) {
	c.dial = func(ctx context.Context) (conn, rooms.Path, error) {
		var d net.Dialer
		s, err := d.DialContext(ctx, "unix", path)
		if err != nil {
			return nil, rooms.Path{}, unreachable("no host is running on this data")
		}
		return socket(s), rooms.Path{Path: relay.Local, Transport: "unix", Addr: path}, nil
	}
	return start(ctx, c)
}
