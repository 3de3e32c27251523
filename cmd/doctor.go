package cmd

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/spf13/cobra"

	"p2pchat/node"
	"p2pchat/relay"
	"p2pchat/ui"
)

// doctorFlags are the flags of p2pchat doctor.
type doctorFlags struct {
	listen, announce []string
	reach            reachFlags
}

func doctorCommand(s *settings) *cobra.Command {
	f := &doctorFlags{}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "show what stands between this machine and the others, and what to do",
		Long: `Look from outside at this machine, as a chat host on it would be seen: what the
router and the network let in and out, whether the relays that are named would
carry connections here, and the one thing to do about it. It takes up to ten
seconds. The exit code is 0 if others can reach this machine, directly or
through a relay, and 1 if not.

Give it the flags that the host gets:
  p2pchat doctor --relay /ip4/203.0.113.9/tcp/4001/p2p/12D3KooW…`,
		Args: takes(),
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), s) },
	}
	fl := c.Flags()
	fl.StringSliceVar(&f.listen, "listen", nil, "where to listen, also :PORT, HOST:PORT (repeatable)")
	fl.StringSliceVar(&f.announce, "announce", nil, "a forwarded port, also HOST:PORT (repeatable)")
	f.reach.flags(fl)
	nameValues(fl, "listen", "MULTIADDR", "announce", "MULTIADDR")
	return c
}

// errNotReachable has been told to the person already.
var errNotReachable = errors.New("others can't reach this machine")

func (f *doctorFlags) run(ctx context.Context, s *settings) error {
	c := relay.Config{Network: relay.Network(s.network)}
	var err error
	if c.Listen, err = parseListen(ctx, f.listen); err != nil {
		return err
	}
	if c.Announce, err = parseAnnounce(f.announce, c.Listen); err != nil {
		return err
	}
	if c.Relays, c.Bootstrap, err = f.reach.parse(); err != nil {
		return err
	}
	if err := s.log(""); err != nil {
		return err
	}
	if c.Key, err = s.patient(); err != nil {
		return err
	}
	findings, err := f.examine(ctx, c)
	if err != nil {
		return (&hostFlags{listen: f.listen}).listenHelp(err)
	}
	if s.json {
		newReporter(true, stdout, os.Stderr).line(doctorFields(findings))
	} else {
		printFindings(stdout, findings)
	}
	if !findings.Reachable() {
		return silentError{errNotReachable}
	}
	return nil
}

// examine looks at the port that a host would take. If nobody chose one and it is
// taken, by a host most likely, another one has to do.
func (f *doctorFlags) examine(ctx context.Context, c relay.Config) (relay.Findings, error) {
	if len(c.Listen) > 0 {
		return relay.Examine(ctx, c)
	}
	c.Listen, _ = parseAddr(defaultListen, true)
	findings, err := relay.Examine(ctx, c)
	if errors.Is(err, relay.ErrListen) {
		c.Listen, _ = parseAddr(":0", true)
		findings, err = relay.Examine(ctx, c)
		findings.Taken = strings.TrimPrefix(defaultListen, ":")
	}
	return findings, err
}

// patient is the identity to be examined: the one of a host on this data, so that a
// relay that has places only for some hosts gives one. While that host runs it is a
// new one, or what is meant for the host would come here. Nothing is stored.
func (s *settings) patient() (crypto.PrivKey, error) {
	if _, err := os.Stat(s.path(identityFile)); err == nil && !s.hostRuns() {
		return node.LoadKey(s.path(identityFile))
	}
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	return key, err
}

// hostRuns tells whether a host runs on this data.
func (s *settings) hostRuns() bool {
	path, err := ownerSocket(s.data)
	if err != nil {
		return false
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

func doctorFields(f relay.Findings) map[string]any {
	verdict, advice := f.Verdict()
	fields := map[string]any{
		"type": "doctor", "verdict": verdict, "advice": advice, "reachable": f.Reachable(), "reach": f.Reach(),
		"port": examinedPort(f), "addresses": f.Addresses,
		"public_addresses": map[string]any{"tcp": f.TCP, "udp": f.UDP, "tcp6": f.TCP6, "udp6": f.UDP6},
		"nat":              f.NAT, "udp_mapping": f.UDPMapping, "tcp_mapping": f.TCPMapping,
		"udp_filtering": f.UDPFiltering, "tcp_filtering": f.TCPFiltering, "udp": f.OutUDP, "web_only": f.WebOnly,
		"port_mapping": f.PortMapping, "cgnat": f.CGNAT, "second_router": f.SecondRouter, "ipv6": f.IPv6, "directory": f.Directory,
	}
	if f.WebOnly.Known() {
		fields["web_only"] = f.WebOnly == relay.Yes
	}
	relays := make([]map[string]any, 0, len(f.Relays)+1)
	for _, r := range f.Relays {
		entry := map[string]any{"addr": r.Addr, "peer": r.Peer, "ok": r.OK, "rtt_ms": "unknown: it was not reached", "why": r.Why}
		if r.RTT > 0 {
			entry["rtt_ms"] = max(1, r.RTT.Milliseconds())
		}
		relays = append(relays, entry)
	}
	if len(relays) == 0 {
		relays = append(relays, map[string]any{"addr": "none", "peer": "none", "ok": false, "rtt_ms": "unknown: there is no relay", "why": noRelay})
	}
	fields["relays"] = relays
	return fields
}

const noRelay = "none was named (--relay), and none was found"

func examinedPort(f relay.Findings) string {
	if f.Taken == "" {
		return cmp.Or(f.Port, "none")
	}
	return f.Port + ", since " + f.Taken + " is taken, by a host that runs here most likely: what is forwarded to " + f.Taken + " is not seen"
}

// printFindings prints what was found for a person: each thing in plain words, with
// the word for looking it up in brackets.
func printFindings(out io.Writer, f relay.Findings) {
	const width = 14
	row := func(name, text string) { fmt.Fprint(out, hanging(name, width, ui.Sanitize(text))) }
	row("this machine", strings.Join(shortAddresses(f), ", "))
	row("port", examinedPort(f))
	if f.TCP == f.UDP {
		row("from outside", string(f.TCP))
	} else {
		row("from outside", "TCP "+string(f.TCP)+", UDP "+string(f.UDP))
	}
	if f.Asked == relay.Yes {
		row("TCP is seen", inWords(mappingWords, f.TCPMapping, "mapping"))
		row("UDP is seen", inWords(mappingWords, f.UDPMapping, "mapping"))
		row("TCP gets in", inWords(filterWords, f.TCPFiltering, "filtering"))
		row("UDP gets in", inWords(filterWords, f.UDPFiltering, "filtering"))
		row("UDP gets out", inWords(map[relay.Answer]string{relay.Open: "yes", relay.Blocked: "no"}, f.OutUDP, ""))
		row("web only", inWords(map[relay.Answer]string{relay.Yes: "yes: nothing but the web gets out"}, f.WebOnly, ""))
		row("provider", inWords(providerWords, f.CGNAT, "CGNAT"))
		row("2nd router", string(f.SecondRouter))
	}
	row("asked router", string(f.PortMapping)+" [port mapping]")
	row("IPv6", inWords(map[relay.Answer]string{relay.Open: "yes, and everybody gets in"}, f.IPv6, ""))
	for _, r := range f.Relays {
		why := r.Why
		if r.OK {
			why += fmt.Sprintf(" (%d ms away)", max(1, r.RTT.Milliseconds()))
		}
		row("relay", r.Addr+": "+why)
	}
	if len(f.Relays) == 0 {
		row("relay", noRelay)
	}
	row("directory", string(f.Directory)+" [DHT]")
	verdict, advice := f.Verdict()
	fmt.Fprintf(out, "\n%s%s", hanging("", 0, ui.Sanitize(verdict)), hanging("what to do:", 12, ui.Sanitize(advice)))
}

// The findings in plain words.
var (
	mappingWords = map[relay.Answer]string{
		relay.Nothing:     "this machine has the address that others see",
		relay.Independent: "everybody sees this machine at one port",
		relay.OneObserver: "everybody sees this machine at one port, as far as one observer can tell",
		relay.ByAddress:   "each machine sees this one at another port",
		relay.ByPort:      "each machine sees this one at another port",
	}
	filterWords = map[relay.Answer]string{
		relay.Independent: "everybody",
		relay.ByAddress:   "whom this machine has spoken to",
		relay.NotByPort:   "whom this machine has spoken to, maybe everybody",
		relay.ByPort:      "only answers",
	}
	providerWords = map[relay.Answer]string{
		relay.Yes: "lets several customers share one address",
		relay.No:  "gives an address of its own",
	}
)

// inWords says an answer in plain words, where there are any.
func inWords(words map[relay.Answer]string, a relay.Answer, technical string) string {
	plain, ok := words[a]
	switch {
	case !ok && !a.Known():
		return string(a)
	case !ok:
		plain = string(a)
	case technical != "" && a != relay.Yes && a != relay.No:
		word, _, _ := strings.Cut(string(a), ",")
		technical = word + " " + technical
	}
	if technical == "" {
		return plain
	}
	return plain + " [" + technical + "]"
}

// shortAddresses are the addresses of this machine without ports and transports.
func shortAddresses(f relay.Findings) []string {
	var all []string
	for _, a := range f.Addresses {
		if parts := strings.Split(a, "/"); len(parts) > 2 {
			a = parts[2]
		}
		if !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

// hanging is a text behind a name, in lines that fit a terminal.
func hanging(name string, width int, text string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-*s", width, name)
	at := width
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > lineWidth:
			b.WriteString("\n" + strings.Repeat(" ", width))
			at = width
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	b.WriteByte('\n')
	return b.String()
}
