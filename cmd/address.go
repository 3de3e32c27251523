package cmd

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	ma "github.com/multiformats/go-multiaddr"
)

// parseAddrs reads what --listen and --announce take: multiaddrs, or host:port,
// which means TCP and QUIC on it. An empty host means every address of the
// machine, which makes no sense for announce.
func parseAddrs(flag string, values []string, anyHost bool) ([]ma.Multiaddr, error) {
	var addrs []ma.Multiaddr
	for _, value := range values {
		parsed, err := parseAddr(value, anyHost)
		if err != nil {
			return nil, usagef("--%s %q: %w", flag, value, err)
		}
		addrs = append(addrs, parsed...)
	}
	return addrs, nil
}

func parseAddr(s string, anyHost bool) ([]ma.Multiaddr, error) {
	if strings.HasPrefix(s, "/") {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			return nil, fmt.Errorf("%w; %s", err, accepted(anyHost))
		}
		return []ma.Multiaddr{a}, nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return nil, errors.New(accepted(anyHost))
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 && !anyHost {
		return nil, errors.New("the port is a number up to 65535")
	}
	bases := []string{"/dns/" + host}
	if ip := net.ParseIP(host); ip != nil && ip.To4() != nil {
		bases = []string{"/ip4/" + ip.String()}
	} else if ip != nil {
		bases = []string{"/ip6/" + ip.String()}
	} else if host == "" && anyHost {
		bases = []string{"/ip4/0.0.0.0", "/ip6/::"}
	} else if host == "" {
		return nil, errors.New("say which address the world sees")
	}
	var addrs []ma.Multiaddr
	for _, base := range bases {
		for _, transport := range []string{"/tcp/" + port, "/udp/" + port + "/quic-v1"} {
			a, err := ma.NewMultiaddr(base + transport)
			if err != nil {
				return nil, err
			}
			addrs = append(addrs, a)
		}
	}
	return addrs, nil
}

// accepted says how an address is written.
func accepted(anyHost bool) string {
	if anyHost {
		return "it takes :PORT, HOST:PORT or a multiaddr like /ip4/0.0.0.0/tcp/4001"
	}
	return "it takes HOST:PORT or a multiaddr like /ip4/203.0.113.9/tcp/4001"
}
