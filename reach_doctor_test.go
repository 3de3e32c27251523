package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// diagnosis is what the doctor has to find out about a network: the beginnings of the
// fields. With a second relay it finds out more.
type diagnosis struct {
	reach               string
	udpMapping, udpIn   string
	tcpMapping, tcpIn   string
	tcpMapping2, udpIn2 string // with a second relay, where that differs
	udp, webOnly        string
	portMapping, cgnat  string
	ipv6                string
	verdict, advice     string // parts of them
}

const (
	independent = "endpoint-independent"
	byPort      = "address-and-port-dependent"
	oneObserver = "endpoint-independent, as far as one observer can tell"
	notByPort   = "endpoint-independent or address-dependent"
)

// home is what is true of most homes.
func home(change func(*diagnosis)) diagnosis {
	d := diagnosis{
		reach: "relayed", udpMapping: independent, udpIn: byPort, tcpMapping: oneObserver, tcpIn: byPort, tcpMapping2: independent,
		udp: "open", webOnly: "false", portMapping: "none: no router answered", cgnat: "unknown: ", ipv6: "none",
		verdict: "through a relay, and directly in most cases", advice: "forwarding port 4001",
	}
	change(&d)
	return d
}

func hard(d *diagnosis) {
	d.udpMapping, d.tcpMapping, d.tcpMapping2 = byPort, "unknown: ", byPort
	d.verdict, d.advice = "only if they let everybody in", "UPnP or IPv6"
}

func routed(d *diagnosis) {
	d.udpMapping, d.tcpMapping, d.tcpMapping2, d.cgnat = "none", "none", "none", "no"
	d.portMapping = "none: this machine is not behind"
}

var diagnoses = map[natlab.Kind]diagnosis{
	natlab.Open: home(func(d *diagnosis) {
		routed(d)
		d.reach, d.udpIn, d.tcpIn, d.verdict, d.advice = "public", independent, independent, "directly.", "nothing to do"
	}),
	natlab.Firewall: home(func(d *diagnosis) {
		routed(d)
		d.advice = "at the firewall"
	}),
	natlab.FullCone: home(func(d *diagnosis) {
		d.udpIn, d.tcpIn, d.udpIn2, d.verdict = notByPort, notByPort, independent, "nearly all cases"
	}),
	natlab.AddressRestricted: home(func(d *diagnosis) {
		d.udpIn, d.tcpIn, d.udpIn2, d.verdict = notByPort, notByPort, "address-dependent", "nearly all cases"
	}),
	natlab.PortRestricted:      home(func(*diagnosis) {}),
	natlab.Symmetric:           home(hard),
	natlab.SymmetricSequential: home(hard),
	natlab.UDPBlocked: home(func(d *diagnosis) {
		d.udp, d.udpMapping, d.udpIn, d.verdict = "blocked", "unknown: ", "unknown: ", "no UDP"
	}),
	natlab.WebOnly: home(func(d *diagnosis) {
		d.udp, d.webOnly, d.udpMapping, d.udpIn = "blocked", "true", "unknown: ", "unknown: "
		d.tcpMapping, d.tcpMapping2, d.tcpIn = "unknown: ", "unknown: ", "unknown: "
		d.verdict, d.advice = "nothing but the web", "port 443"
	}),
	natlab.Forwarded: home(func(d *diagnosis) {
		d.reach, d.udpIn, d.tcpIn, d.verdict, d.advice = "mapped", independent, independent, "forwarded", "--announce 5."
	}),
	natlab.UPnP: home(func(d *diagnosis) {
		d.reach, d.portMapping, d.cgnat, d.verdict, d.advice = "mapped", "UPnP or NAT-PMP: TCP 5.", "no", "its router opens", "nothing to do"
	}),
	natlab.CGNAT:     home(func(d *diagnosis) { d.cgnat, d.advice = "probably: ", "would not help" }),
	natlab.CGNATCone: home(func(d *diagnosis) { d.cgnat, d.advice = "probably: ", "would not help" }),
	natlab.IPv6Open: home(func(d *diagnosis) {
		hard(d)
		d.reach, d.ipv6, d.verdict, d.advice = "public", "open", "Whoever has IPv6", "nothing to do"
	}),
	natlab.IPv6Firewall: home(func(d *diagnosis) {
		hard(d)
		d.ipv6, d.verdict, d.advice = "closed: ", "if they have IPv6", "forwarding port 4001"
	}),
}

// doctorsAtATime look at a time: each has seven hosts, and waits most of the time.
const doctorsAtATime = 5

// TestDoctor has the doctor look at every kind of network, with one relay and with two.
func TestDoctor(t *testing.T) {
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond, IPv6: true})
	l.startRelay(l.Public("relay"))
	one := []string{"doctor", "--json", "--relay", l.relay}
	l.startRelay(l.Public("second"))
	two := append(slices.Clone(one), "--relay", l.relay)
	kinds := slices.DeleteFunc(kindsIn("P2PCHAT_HOSTS", natlab.Kinds), func(k natlab.Kind) bool { return !l.Has(k) })
	for some := range slices.Chunk(kinds, doctorsAtATime) {
		machines := map[natlab.Kind]*natlab.Machine{}
		for _, kind := range some {
			machines[kind] = l.Home(kind.String(), kind).Machine("host")
		}
		// The second look follows soon: what the first has opened must not pass for a
		// port that is forwarded.
		for _, flags := range [][]string{one, two} {
			looks := map[natlab.Kind]*process{}
			for kind, m := range machines {
				looks[kind] = l.run(m, kind.String(), flags...)
			}
			for kind, p := range looks {
				t.Run(fmt.Sprintf("%s/%d", kind, len(flags)/2-1), func(t *testing.T) {
					want := diagnoses[kind]
					if len(flags) == len(two) {
						want.tcpMapping, want.udpIn, want.tcpIn = want.tcpMapping2, cmp.Or(want.udpIn2, want.udpIn), cmp.Or(want.udpIn2, want.tcpIn)
					}
					l.diagnose(t, p, want, l.began[kind.String()])
				})
			}
		}
	}
}

// diagnose compares what the doctor says.
func (l *lab) diagnose(t *testing.T, p *process, want diagnosis, began time.Time) {
	t.Helper()
	here := *l
	here.T = t
	line := here.await(p, `"type":"doctor"`)
	if code, err := p.wait(); code != 0 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	for field, begins := range map[string]string{
		"reach": want.reach, "udp_mapping": want.udpMapping, "tcp_mapping": want.tcpMapping, "udp_filtering": want.udpIn,
		"tcp_filtering": want.tcpIn, "udp": want.udp, "web_only": want.webOnly, "port_mapping": want.portMapping,
		"cgnat": want.cgnat, "ipv6": want.ipv6, "directory": "found",
	} {
		got := here.field(line, field)
		if !strings.HasPrefix(got, begins) || !strings.HasSuffix(begins, " ") && strings.HasPrefix(begins, independent) && got != begins {
			t.Errorf("%s is %q, want %q", field, got, begins)
		}
	}
	for field, part := range map[string]string{"verdict": want.verdict, "advice": want.advice} {
		if got := here.field(line, field); !strings.Contains(got, part) {
			t.Errorf("%s is %q, want %q", field, got, part)
		}
	}
	var all map[string]any
	if err := json.Unmarshal([]byte(line), &all); err != nil {
		t.Fatal(err)
	}
	if empty := emptyIn("", all); empty != "" {
		t.Errorf("%s is empty: %s", empty, line)
	}
}

// emptyIn finds a value that says nothing.
func emptyIn(name string, value any) string {
	switch v := value.(type) {
	case map[string]any:
		for k, inner := range v {
			if empty := emptyIn(name+"/"+k, inner); empty != "" {
				return empty
			}
		}
	case []any:
		for i, inner := range v {
			if empty := emptyIn(fmt.Sprint(name, "/", i), inner); empty != "" {
				return empty
			}
		}
		if len(v) == 0 {
			return name
		}
	case string:
		if strings.TrimSpace(v) == "" {
			return name
		}
	case nil:
		return name
	}
	return ""
}
