package relay

import (
	"context"
	"crypto/rand"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// Timing of an examination.
const (
	examineTime = 9500 * time.Millisecond
	meetTime    = 3 * time.Second
	routerTime  = 5500 * time.Millisecond // UPnP has two versions, and waits two seconds for each
	askedOf     = 3                       // peers that are asked the same thing
)

// face is one identity of this machine. Speaking to somebody opens a NAT or firewall to
// them: to know what a stranger meets, the port that it is sent to must not be the one
// that the question comes from. So what listens does not call.
type face struct{ listens, calls *Net }

// examination is one look at what stands between this machine and the others.
type examination struct {
	main   face // listens where a chat host would, and speaks to nobody before strangers were sent to it
	second *Net // calls as main does, by the addresses of the other family (IPv4, IPv6)
	known  face // what listens has spoken to the first outside
	other  face // what listens has spoken to all outside but the last who tries things out

	named    []peer.AddrInfo
	outside  []*outsider // those that answer at a public address; first who tries things out
	asking   sync.Mutex  // held while strangers are sent to main: see line.admit
	routerIP netip.Addr  // the router's own address as it says; may be none
	carried  bool        // this machine's own address is in carrierNet
	findings Findings    // each field is written by one goroutine
}

// Examine finds out what stands between this machine and the others, as a chat host
// with this configuration would meet it. It takes ten seconds at most. With network
// none it asks only the peers that were named.
func Examine(ctx context.Context, c Config) (Findings, error) {
	ctx, cancel := context.WithTimeout(ctx, examineTime)
	defer cancel()
	x, err := newExamination(c)
	if err != nil {
		return Findings{}, err
	}
	defer x.close()
	x.look()
	met := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() { x.router(ctx, met) })
	x.meet(ctx)
	close(met)
	x.try(ctx)
	work.Wait()
	x.conclude()
	return x.findings, nil
}

func newExamination(c Config) (*examination, error) {
	x := &examination{findings: Findings{Network: c.Network}}
	calls, listens := c, c
	calls.Listen, listens.Network = nil, None
	second := calls
	second.Network = None
	if err := x.open(part{&x.main.listens, listens}, part{&x.main.calls, calls}, part{&x.second, second}); err != nil {
		return nil, err
	}
	x.named = slices.Concat(c.Relays, c.Bootstrap)
	if d := x.main.calls.directory; d != nil {
		x.named = d.entrances()
	}
	faces := []*face{&x.known, &x.other}
	for _, f := range faces[:min(len(x.named), len(faces))] {
		key, _, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			x.close()
			return nil, err
		}
		calls, listens := Config{Key: key, Network: None}, Config{Key: key, Network: None}
		listens.Listen = []ma.Multiaddr{anywhere("tcp", "0"), anywhere("quic", "0")}
		if err := x.open(part{&f.listens, listens}, part{&f.calls, calls}); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// part is one of the libp2p hosts of an examination.
type part struct {
	net    **Net
	config Config
}

// open starts libp2p hosts. If one can't be started, all are closed.
func (x *examination) open(parts ...part) error {
	for _, p := range parts {
		var err error
		if *p.net, err = New(p.config); err != nil {
			x.close()
			return err
		}
	}
	return nil
}

func (x *examination) close() {
	var work sync.WaitGroup
	for _, n := range []*Net{x.main.listens, x.main.calls, x.second, x.known.listens, x.known.calls, x.other.listens, x.other.calls} {
		if n != nil {
			work.Go(func() { _ = n.Close() })
		}
	}
	work.Wait()
}

// meet connects to everybody who was named, and asks the relays for a place.
func (x *examination) meet(ctx context.Context) {
	all := make([]*outsider, len(x.named))
	var work sync.WaitGroup
	for i, info := range x.named {
		work.Go(func() { all[i] = x.visit(ctx, info) })
	}
	work.Wait()
	f := &x.findings
	f.Asked, f.PublicIP = NotAsked, unknown(nobodyOutside)
	if len(all) > 0 {
		f.Asked = No
	}
	for _, tries := range []bool{true, false} {
		for _, o := range all {
			if o.outside() && o.tries == tries {
				x.outside, f.Asked = append(x.outside, o), Yes
			}
		}
	}
	for _, o := range x.outside {
		if seen := o.lines[false].seen; seen != nil && !f.PublicIP.Known() {
			f.PublicIP = Answer(addrPort(seen).Addr().String())
		}
	}
	for _, o := range all {
		if x.isRelay(o.info.ID) || o.conn != nil && o.relay.Why != notRelay {
			f.Relays = append(f.Relays, o.relay)
		}
	}
}

// isRelay tells whether a peer was named as a relay.
func (x *examination) isRelay(id peer.ID) bool {
	return slices.ContainsFunc(x.main.calls.config.Relays, func(r peer.AddrInfo) bool { return r.ID == id })
}
