package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// joiners are the kinds of joiners in every run; P2PCHAT_JOINERS=all takes all.
var joiners = []natlab.Kind{
	natlab.Open, natlab.FullCone, natlab.PortRestricted, natlab.Symmetric, natlab.SymmetricSequential,
	natlab.UDPBlocked, natlab.WebOnly, natlab.CGNAT, natlab.IPv6Firewall,
}

// kindsIn are the kinds that an environment variable names, or else some.
func kindsIn(variable string, some []natlab.Kind) []natlab.Kind {
	switch only := os.Getenv(variable); only {
	case "":
		return some
	case "all":
		return natlab.Kinds
	default:
		return slices.DeleteFunc(slices.Clone(natlab.Kinds), func(k natlab.Kind) bool {
			return !slices.Contains(strings.Split(only, ","), k.String())
		})
	}
}

// direct tells whether a joiner has to end up with a direct connection to a host.
func direct(host, joiner natlab.Kind) bool {
	is := func(k natlab.Kind, of ...natlab.Kind) bool { return slices.Contains(of, k) }
	either := func(of ...natlab.Kind) bool { return is(host, of...) || is(joiner, of...) }
	v6 := []natlab.Kind{natlab.IPv6Open, natlab.IPv6Firewall}
	// Over IPv4. NATs that count their ports are mostly punched, by guessing the next.
	hard := append([]natlab.Kind{natlab.Symmetric, natlab.SymmetricSequential}, v6...)
	// Whoever is behind one of these lets in a port that it has not sent to.
	open := []natlab.Kind{natlab.Open, natlab.FullCone, natlab.AddressRestricted}
	switch {
	case either(natlab.WebOnly):
		return false
	case is(host, v6...) && is(joiner, v6...):
		return true
	case either(natlab.UDPBlocked):
		return !either(hard...)
	case is(host, hard...) && is(joiner, hard...):
		return false
	case is(host, hard...):
		return is(joiner, open...)
	case is(joiner, hard...):
		return is(host, append(open, natlab.Forwarded, natlab.UPnP)...)
	}
	return true
}

// TestReachMatrix lets every kind of joiner come to every kind of host. All have to
// get in, and those that can be connected directly have to be. How long it took is
// shown, from the start of the joiner's program to its first line on its own screen,
// and to the direct connection; no time decides.
func TestReachMatrix(t *testing.T) {
	table := map[natlab.Kind][]string{}
	columns := kindsIn("P2PCHAT_JOINERS", joiners)
	rows := kindsIn("P2PCHAT_HOSTS", natlab.Kinds)
	var mu sync.Mutex // guards table
	t.Run("hosts", func(t *testing.T) {
		for _, host := range rows {
			t.Run(host.String(), func(t *testing.T) {
				cells := matrixRow(t, host, columns)
				mu.Lock()
				table[host] = cells
				mu.Unlock()
			})
		}
	})
	t.Log(markdown(rows, columns, table))
}

// matrixRow lets every kind of joiner come to one kind of host.
func matrixRow(t *testing.T, host natlab.Kind, columns []natlab.Kind) (cells []string) {
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond, IPv6: host == natlab.IPv6Open || host == natlab.IPv6Firewall})
	if !l.Has(host) {
		t.Skip("this machine can't make such a network")
	}
	l.startRelay(l.Public("relay"))
	_, target := l.startHost(l.Home("host", host).Machine("host"))
	for _, joiner := range columns {
		if !l.Has(joiner) {
			cells = append(cells, "")
			continue
		}
		c := l.join(l.Home(joiner.String(), joiner).Machine("joiner"), joiner.String(), target, direct(host, joiner))
		if c.direct == 0 && direct(host, joiner) {
			t.Errorf("%s to %s: %s", joiner, host, c)
		}
		t.Logf("%-20s %-20s %s", host, joiner, c)
		cells = append(cells, c.short())
	}
	return cells
}

// short is the cell as it stands in a table: milliseconds.
func (c cell) short() string {
	if c.direct == 0 {
		return fmt.Sprintf("%s %d", c.path, c.first.Milliseconds())
	}
	return fmt.Sprintf("%s %d→%d", c.path, c.first.Milliseconds(), c.direct.Milliseconds())
}

// markdown writes the table for docs/nat.md.
func markdown(rows, columns []natlab.Kind, table map[natlab.Kind][]string) string {
	var b strings.Builder
	b.WriteString("\n| host ↓ joiner → |")
	for _, k := range columns {
		fmt.Fprintf(&b, " %s |", k)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(columns)))
	for _, k := range rows {
		if table[k] != nil {
			fmt.Fprintf(&b, "\n| **%s** | %s |", k, strings.Join(table[k], " | "))
		}
	}
	return b.String()
}
