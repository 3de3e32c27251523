package relay

import (
	"context"
	"errors"
	"io"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multistream"
)

// Beside opens a stream over a circuit of its own, beside a relayed connection, through the
// same relay: what travels there does not count for that connection, which the relay would
// cut. The stream ends the circuit with it.
func (n *Net) Beside(ctx context.Context, c network.Conn, id protocol.ID) (*Beside, error) {
	r, ok := relayOf(c.RemoteMultiaddr())
	s, is := n.Host.Network().(*swarm.Swarm)
	if !ok || !is {
		return nil, errors.New("no relay is in use")
	}
	way, err := ma.NewMultiaddr("/p2p/" + r.ID.String() + "/p2p-circuit")
	if err != nil {
		return nil, err
	}
	t := s.TransportForDialing(way)
	if t == nil {
		return nil, errors.New("there is no way through relays")
	}
	circuit, err := t.Dial(network.WithAllowLimitedConn(ctx, "p2pchat"), way, c.RemotePeer())
	if err != nil {
		return nil, err
	}
	stream, err := circuit.OpenStream(ctx)
	if err != nil {
		return nil, errors.Join(err, circuit.Close())
	}
	return &Beside{stream, multistream.NewMSSelect(stream, id), circuit}, nil
}

// Beside is a stream with a circuit of its own.
type Beside struct {
	network.MuxedStream
	rw      io.ReadWriteCloser
	circuit transport.CapableConn
}

func (b *Beside) Read(p []byte) (int, error)  { return b.rw.Read(p) }
func (b *Beside) Write(p []byte) (int, error) { return b.rw.Write(p) }

// Close ends the stream and the circuit.
func (b *Beside) Close() error { return errors.Join(b.MuxedStream.Close(), b.circuit.Close()) }
