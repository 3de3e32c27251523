package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// resolveTime is how long the names behind a --listen are looked up.
const resolveTime = 5 * time.Second

// parseListen reads what --listen takes. Only an address of this machine can be listened
// on, so a name becomes all the addresses that it has.
func parseListen(ctx context.Context, values []string) ([]ma.Multiaddr, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	var addrs []ma.Multiaddr
	for _, value := range values {
		named, err := parseAddrs("listen", []string{value}, true)
		if err != nil {
			return nil, err
		}
		for _, a := range named {
			resolved, err := resolve(ctx, a)
			if isNameless(err) {
				return nil, usagef("--listen %q: there is no address of this name; %s", value, accepted(true))
			}
			if err != nil {
				return nil, fmt.Errorf("--listen %q: the name can't be looked up: %w; give it an address of this machine, or :PORT", value, err)
			}
			addrs = append(addrs, resolved...)
		}
	}
	return ma.Unique(addrs), nil
}

// isNameless tells whether a look-up has found that a name has no address, or none of the
// kind that is wanted.
func isNameless(err error) bool {
	var missing *net.DNSError
	var unsuitable *net.AddrError
	return errors.As(err, &missing) && missing.IsNotFound || errors.As(err, &unsuitable)
}

// resolve puts the addresses of a name in its place; what begins with no name stays.
func resolve(ctx context.Context, a ma.Multiaddr) ([]ma.Multiaddr, error) {
	network := map[int]string{ma.P_DNS: "ip", ma.P_DNS4: "ip4", ma.P_DNS6: "ip6"}[a[0].Protocol().Code]
	if network == "" {
		return []ma.Multiaddr{a}, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, network, a[0].Value())
	if err != nil {
		return nil, err
	}
	addrs := make([]ma.Multiaddr, 0, len(ips))
	for _, ip := range ips {
		base, err := manet.FromIP(ip.Unmap().AsSlice())
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, base.Encapsulate(a[1:]))
	}
	return addrs, nil
}

// parseAnnounce reads what --announce takes. HOST:PORT means the transports that are
// listened on: none to listen on are the default ones, which are all.
func parseAnnounce(values []string, listen []ma.Multiaddr) ([]ma.Multiaddr, error) {
	var addrs []ma.Multiaddr
	for _, value := range values {
		announced, err := parseAddrs("announce", []string{value}, false)
		if err != nil {
			return nil, err
		}
		served := slices.DeleteFunc(slices.Clone(announced), func(a ma.Multiaddr) bool {
			return !slices.ContainsFunc(listen, func(l ma.Multiaddr) bool { return sameTransport(a, l) })
		})
		if !strings.HasPrefix(value, "/") && len(served) > 0 {
			announced = served
		}
		addrs = append(addrs, announced...)
	}
	return addrs, nil
}

// sameTransport tells whether two addresses differ at most in the place and the port.
func sameTransport(a, b ma.Multiaddr) bool {
	return slices.EqualFunc(a[1:], b[1:], func(x, y ma.Component) bool { return x.Protocol().Code == y.Protocol().Code })
}

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
