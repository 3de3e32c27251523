package relay

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/zeroconf/v2"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Hosts tell the LAN of themselves by mDNS (RFC 6762, 6763). The record's text holds
// id=PEER, name=NAME and addr=MULTIADDR for each address.
const (
	lanService = "_p2pchat._udp"
	lanDomain  = "local"
	lanBrowse  = 3 * time.Second // in which a host in the LAN answers
	lanAddrs   = 8
	lanRecords = 4  // of one host
	lanName    = 60 // bytes
)

// LANHost is a host that was found in the LAN.
type LANHost struct {
	peer.AddrInfo
	Name string // as it calls itself: to be sanitised
}

// announceLAN tells the LAN of this host, anew in each network it comes to.
func (n *Net) announceLAN(name string) {
	for n.ctx.Err() == nil {
		moved := n.Moved()
		server, err := n.registerLAN(name)
		if err != nil {
			log.Debugf("mDNS: %v", err)
		}
		select {
		case <-moved:
		case <-n.ctx.Done():
		}
		if server != nil {
			server.Shutdown()
		}
	}
}

func (n *Net) registerLAN(name string) (*zeroconf.Server, error) {
	text := []string{"id=" + n.ID().String(), "name=" + name[:min(len(name), lanName)]}
	var ips []string
	at := DefaultPort
	for _, a := range listening(n) {
		here, err := manet.ToIP(a)
		if err != nil || here.IsLoopback() || len(text) >= 2+lanAddrs {
			continue
		}
		text = append(text, "addr="+a.String())
		if !slices.Contains(ips, here.String()) {
			ips = append(ips, here.String())
		}
		if p, err := strconv.Atoi(port(a)); err == nil {
			at = p
		}
	}
	if len(ips) == 0 {
		return nil, net.ErrClosed
	}
	// The instance is a random-looking name of its own, so that two hosts never clash.
	instance := strings.ToLower(n.ID().String())
	return zeroconf.RegisterProxy(instance[len(instance)-16:], lanService, lanDomain, at, instance[len(instance)-16:], ips, text, nil)
}

// BrowseLAN looks for hosts in the LAN for a few seconds, or until ctx ends. A host is
// told as often as it is answered for, a few times: anybody there may answer for it.
func BrowseLAN(ctx context.Context) <-chan LANHost {
	found := make(chan LANHost)
	ctx, cancel := context.WithTimeout(ctx, lanBrowse)
	entries := make(chan *zeroconf.ServiceEntry, 64)
	go func() { _ = zeroconf.Browse(ctx, lanService, lanDomain, entries) }()
	go func() {
		defer close(found)
		defer cancel()
		told := map[peer.ID]int{}
		for {
			select {
			case e, more := <-entries:
				if !more {
					return
				}
				h, ok := readLAN(e.Text)
				if !ok || told[h.ID] == lanRecords {
					continue
				}
				told[h.ID]++
				select {
				case found <- h:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return found
}

// readLAN reads the text of a record. Anybody in the LAN may have written it.
func readLAN(text []string) (LANHost, bool) {
	var h LANHost
	for _, t := range text {
		name, value, _ := strings.Cut(t, "=")
		switch name {
		case "id":
			id, err := peer.Decode(value)
			if err != nil {
				return h, false
			}
			h.ID = id
		case "name":
			h.Name = strings.ToValidUTF8(value, "")
		case "addr":
			if a, err := ma.NewMultiaddr(value); err == nil && len(h.Addrs) < lanAddrs {
				h.Addrs = append(h.Addrs, a)
			}
		}
	}
	return h, h.ID != "" && len(h.Addrs) > 0
}
