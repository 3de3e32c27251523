package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/host/autonat"
	autonatpb "github.com/libp2p/go-libp2p/p2p/host/autonat/pb"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	identifypb "github.com/libp2p/go-libp2p/p2p/protocol/identify/pb"
	"github.com/libp2p/go-msgio/pbio"
	ma "github.com/multiformats/go-multiaddr"
)

// dialBackTime is in how long a peer that is sent to this machine gets in, if it does.
const dialBackTime = 2 * time.Second

// largestAnswer bounds what a peer may answer, as libp2p does for identify.
const largestAnswer = 8 << 10

// line is a connection over which a peer is asked.
type line struct {
	net  *Net
	conn network.Conn
	seen ma.Multiaddr // where it comes from, as the peer sees it; nil: it does not tell
}

// introduce asks the peer to tell of itself, and how it sees this machine.
func (l line) introduce(ctx context.Context) (*identifypb.Identify, error) {
	s, err := l.net.Stream(ctx, l.conn, identify.ID)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	answer, err := readIdentity(ctx, s, s)
	if err != nil {
		return nil, fmt.Errorf("asking how this machine looks from outside: %w", err)
	}
	return answer, nil
}

// readIdentity reads what a peer tells of itself, from r, on a stream of the identify
// protocol.
func readIdentity(ctx context.Context, s interface{ SetDeadline(time.Time) error }, r io.Reader) (*identifypb.Identify, error) {
	if deadline, ok := ctx.Deadline(); ok {
		_ = s.SetDeadline(deadline)
	}
	var answer identifypb.Identify
	err := pbio.NewDelimitedReader(r, largestAnswer).ReadMsg(&answer)
	return &answer, err
}

// admission tells at which ports of this machine a stranger got in.
type admission struct {
	in   []ma.Multiaddr
	rest Answer // for the other ports: No, or why that is not known
}

func (a admission) at(port ma.Multiaddr) Answer {
	if ma.Contains(a.in, port) {
		return Yes
	}
	return a.rest
}

// any is Yes if a stranger got in at one of these.
func (a admission) any(ports []ma.Multiaddr) Answer {
	if slices.ContainsFunc(ports, func(p ma.Multiaddr) bool { return a.at(p) == Yes }) {
		return Yes
	}
	return a.rest
}

// admit has the peer dial ports of this machine until it gets in at none of those that
// are left. It must not be asked twice at a time by one identity: it mixes up its
// dials to the same peer.
func (l line) admit(ctx context.Context, ports []ma.Multiaddr) admission {
	a := admission{rest: unknown("no port is listened on")}
	left := ma.Unique(slices.Clone(ports))
	for len(left) > 0 {
		var at ma.Multiaddr
		if at, a.rest = l.dialBack(ctx, left); at == nil {
			break
		}
		a.in = append(a.in, at)
		left = slices.DeleteFunc(left, at.Equal)
	}
	return a
}

// dialBack asks the peer to dial this one at some ports as a stranger would, from a
// port that it does not use otherwise (AutoNAT), and returns the one where it got in.
// It takes the IP address from where the connection comes from, whatever is named.
func (l line) dialBack(ctx context.Context, ports []ma.Multiaddr) (ma.Multiaddr, Answer) {
	if l.conn == nil || !l.net.Speaks(ctx, l.conn, autonat.AutoNATProto) {
		return nil, unknown("no peer outside tries it out")
	}
	s, err := l.net.Stream(ctx, l.conn, autonat.AutoNATProto)
	if err != nil {
		return nil, unknown("the peer that was asked does not answer")
	}
	defer s.Reset()
	late := time.Now().Add(dialBackTime)
	deadline, ok := ctx.Deadline()
	if !ok || late.Before(deadline) {
		deadline = late
	}
	_ = s.SetDeadline(deadline)
	about := &autonatpb.Message_PeerInfo{Id: []byte(l.net.ID())}
	for _, p := range ports {
		about.Addrs = append(about.Addrs, p.Bytes())
	}
	question := &autonatpb.Message{Type: autonatpb.Message_DIAL.Enum(), Dial: &autonatpb.Message_Dial{Peer: about}}
	var answer autonatpb.Message
	if err = pbio.NewDelimitedWriter(s).WriteMsg(question); err == nil {
		err = pbio.NewDelimitedReader(s, largestAnswer).ReadMsg(&answer)
	}
	switch {
	case isTimeout(err) && !time.Now().Before(late): // a peer that fails to get in tells so later, so that nobody scans ports by it
		return nil, No
	case isTimeout(err):
		return nil, unknown("there was no time left to try it out")
	case err != nil:
		return nil, unknown("the connection to the peer that was asked was lost")
	}
	return readDialBack(answer.GetDialResponse(), ports)
}

// readDialBack reads the answer. The peer also tries the port that the question comes
// from, which does not count.
func readDialBack(r *autonatpb.Message_DialResponse, ports []ma.Multiaddr) (ma.Multiaddr, Answer) {
	switch r.GetStatus() {
	case autonatpb.Message_OK:
		if in, err := ma.NewMultiaddrBytes(r.GetAddr()); err == nil {
			for _, p := range ports {
				if transportOf(p) == transportOf(in) && port(p) == port(in) {
					return p, Yes
				}
			}
		}
		return nil, unknown("the peer that was asked got in elsewhere")
	case autonatpb.Message_E_DIAL_ERROR:
		return nil, No
	}
	return nil, unknown("the peer that was asked refuses to try it out")
}

func isTimeout(err error) bool {
	var late interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &late) && late.Timeout()
}
