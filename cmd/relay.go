package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/spf13/cobra"

	"p2pchat/node"
	"p2pchat/relay"
	"p2pchat/ui"
)

// relayFlags are the flags of p2pchat relay.
type relayFlags struct {
	listen, announce       []string
	bootstrap, hosts       []string
	reservations, circuits int
	duration               time.Duration
	data                   string
	fanout                 bool
}

// relayFile is the key of a relay, apart from that of a host or member on the same
// machine.
const relayFile = "relay.key"

func relayCommand(s *settings) *cobra.Command {
	f := &relayFlags{}
	c := &cobra.Command{
		Use:   "relay",
		Short: "run a relay on a machine that can be reached",
		Long: `Run a relay: hosts that can't be reached are reached through it, and it helps both
sides to find a direct way. What goes through it is encrypted between host and
member; it reads nothing. It needs a public address, or a forwarded port named with
--announce. It prints the flag to give to p2pchat host.

Without --listen it listens on port 4001 (TCP and UDP), and on the web's port 443
(TLS and UDP), where this may be opened, for networks that let only the web out.`,
		Args: takes(),
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), s) },
	}
	fl := c.Flags()
	fl.StringSliceVar(&f.listen, "listen", nil, "where to listen, also :PORT, HOST:PORT (repeatable)")
	fl.StringSliceVar(&f.announce, "announce", nil, "how others see it, also HOST:PORT (repeatable)")
	fl.StringSliceVar(&f.bootstrap, "bootstrap", nil, "another relay, to find each other's hosts (repeatable)")
	fl.StringSliceVar(&f.hosts, "host", nil, "serve only the host with this peer ID (repeatable)")
	fl.IntVar(&f.reservations, "max-reservations", relay.DefaultReservations, "hosts at a time; 0: no limit")
	fl.IntVar(&f.circuits, "max-circuits", relay.DefaultCircuits, "members of one host at a time; 0: no limit")
	fl.DurationVar(&f.duration, "circuit-duration", 0, "how long a connection may last; 0: no limit")
	fl.StringVar(&f.data, "circuit-data", "0", "bytes each way in a connection, also 128KiB; 0: no limit")
	fl.BoolVar(&f.fanout, "fanout", false, "also pass on the messages of big rooms")
	_ = fl.MarkHidden("fanout") // not yet
	nameValues(fl, "listen", "MULTIADDR", "announce", "MULTIADDR", "bootstrap", "MULTIADDR", "host", "PEER",
		"max-reservations", "N", "max-circuits", "N", "circuit-duration", "TIME", "circuit-data", "BYTES")
	return c
}

func (f *relayFlags) run(ctx context.Context, s *settings) error {
	c, err := f.config(ctx)
	if err != nil {
		return err
	}
	held, err := s.claim()
	if err != nil {
		return err
	}
	defer held.Close()
	if err := s.log(filepath.Join(s.data, "p2pchat.log")); err != nil {
		return err
	}
	if c.Key, err = node.LoadKey(s.path(relayFile)); err != nil {
		return s.dataError(err)
	}
	service, err := f.start(c)
	if err != nil {
		return (&hostFlags{listen: f.listen}).listenHelp(err)
	}
	defer service.Close()
	tellRelay(s, service)
	<-ctx.Done()
	return nil
}

func (f *relayFlags) config(ctx context.Context) (c relay.ServiceConfig, err error) {
	if f.fanout {
		return c, errNotYet
	}
	if c.Listen, err = parseListen(ctx, f.listen); err != nil {
		return c, err
	}
	if c.Announce, err = parseAnnounce(f.announce, c.Listen); err != nil {
		return c, err
	}
	if c.Bootstrap, err = parsePeers("bootstrap", f.bootstrap); err != nil {
		return c, err
	}
	for _, text := range f.hosts {
		id, err := peer.Decode(text)
		if err != nil {
			return c, usagef("--host %q: it takes a peer ID, as p2pchat id prints it", text)
		}
		c.Hosts = append(c.Hosts, id)
	}
	if f.reservations < 0 || f.circuits < 0 || f.duration < 0 {
		return c, usagef("a limit can't be less than 0")
	}
	if c.CircuitData, err = ui.ParseBytes(f.data); err != nil {
		return c, usagef("--circuit-data %q: %w", f.data, err)
	}
	c.MaxReservations, c.MaxCircuits, c.CircuitDuration = f.reservations, f.circuits, f.duration
	return c, nil
}

// webPort is what every network lets out.
const webPort = 443

// start starts the relay. Where nobody chose the ports, it takes the web's as well if
// it may, and another than the usual one if that is taken.
func (f *relayFlags) start(c relay.ServiceConfig) (*relay.Service, error) {
	if len(c.Listen) > 0 {
		return relay.NewService(c)
	}
	var err error
	for _, port := range []string{defaultListen, ":0"} {
		main, _ := parseAddr(port, true)
		for _, web := range [][]ma.Multiaddr{webAddrs(), nil} {
			c.Listen = append(web, main...)
			var service *relay.Service
			if service, err = relay.NewService(c); err == nil || !errors.Is(err, relay.ErrListen) {
				return service, err
			}
		}
	}
	return nil, err
}

func webAddrs() []ma.Multiaddr {
	var all []ma.Multiaddr
	for _, place := range []string{"/ip4/0.0.0.0", "/ip6/::"} {
		for _, rest := range []string{"/tcp/%d/tls/ws", "/udp/%d/quic-v1"} {
			all = append(all, ma.StringCast(place+fmt.Sprintf(rest, webPort)))
		}
	}
	return all
}

// tellRelay tells what to give to a host.
func tellRelay(s *settings, service *relay.Service) {
	addrs, id := service.Addrs(), service.Host.ID().String()
	flag := "--relay " + id
	if len(addrs) > 0 {
		flag = "--relay " + addrs[0].String() + "/p2p/" + id
	}
	report := newReporter(s.json, stdout, os.Stderr)
	if s.json {
		report.line(map[string]any{"type": "listening", "peer": id, "addrs": texts(addrs), "host": "p2pchat host " + flag})
		return
	}
	report.say("this relay is " + id)
	for _, a := range addrs {
		fmt.Fprintln(os.Stderr, "  "+a.String())
	}
	if len(addrs) == 0 || relay.Reach(addrs[0]) < 2 {
		report.say("none of its addresses is public: only machines of this network reach it; name a forwarded port with --announce")
	}
	if !service.OnWebPort() {
		report.say("it does not listen on port 443, so networks that let only the web out can't reach it; that port takes root, or the right to open low ports")
	}
	report.say("on the machine that is to be reached, run:")
	fmt.Fprintln(stdout, "p2pchat host "+flag)
}
