package cmd

import (
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/pflag"

	"p2pchat/relay"
)

// reachFlags name the peers that help to reach others, and to be reached.
type reachFlags struct {
	relays, bootstrap []string
}

func (f *reachFlags) flags(fl *pflag.FlagSet) {
	fl.StringSliceVar(&f.relays, "relay", nil, "a relay, as p2pchat relay prints it (repeatable)")
	fl.StringSliceVar(&f.bootstrap, "bootstrap", nil, "where a search for others begins (repeatable)")
	nameValues(fl, "relay", "MULTIADDR", "bootstrap", "MULTIADDR")
}

func (f *reachFlags) parse() (relays, bootstrap []peer.AddrInfo, err error) {
	if relays, err = parsePeers("relay", f.relays); err != nil {
		return nil, nil, err
	}
	bootstrap, err = parsePeers("bootstrap", f.bootstrap)
	return relays, bootstrap, err
}

// parsePeers reads multiaddrs that end in /p2p/ID; several of one peer are one.
func parsePeers(flag string, values []string) ([]peer.AddrInfo, error) {
	var all []peer.AddrInfo
	for _, v := range values {
		info, err := relay.ParsePeer(v)
		if err != nil {
			return nil, usagef("--%s: %w", flag, err)
		}
		all = relay.AddPeer(all, info)
	}
	return all, nil
}
