package relay

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Answer is what was found out about one thing: one of the words below, sometimes
// with more behind it, or "unknown: " and why. It is never empty.
type Answer string

// The answers. The three on NATs are the words of RFC 4787, for how one picks the
// port that others see (mapping), and whom it lets answer there (filtering).
const (
	Yes         Answer = "yes"
	No          Answer = "no"
	Nothing     Answer = "none" // as a mapping: there is no NAT
	NotAsked    Answer = "not asked"
	Probably    Answer = "probably"
	Open        Answer = "open"
	Blocked     Answer = "blocked"
	Closed      Answer = "closed: only answers get in"
	Found       Answer = "found"
	Independent Answer = "endpoint-independent"
	ByAddress   Answer = "address-dependent"
	ByPort      Answer = "address-and-port-dependent"
	OneObserver        = Independent + ", as far as one observer can tell"
	NotByPort          = Independent + " or " + ByAddress
)

const unknownBegin = "unknown: "

func unknown(why string) Answer { return Answer(unknownBegin + why) }

// Known tells whether there is an answer, and not only why there is none.
func (a Answer) Known() bool { return a != "" && !strings.HasPrefix(string(a), unknownBegin) }

// Why is what stands behind "unknown: ".
func (a Answer) Why() string { return strings.TrimPrefix(string(a), unknownBegin) }

func (a Answer) likely() bool { return a == Yes || strings.HasPrefix(string(a), string(Probably)) }

// RelayFinding is what became of asking a relay for a place.
type RelayFinding struct {
	Addr, Peer string
	OK         bool // it would carry connections to this machine
	Far        bool // it has a public address
	RTT        time.Duration
	Why        string
}

// Findings are the facts about what stands between this machine and the others. No
// answer in it is empty.
type Findings struct {
	Network   Network
	Port      string   // that was listened on
	Taken     string   // the port that was to be, but another program has it; mostly ""
	Addresses []string // of this machine
	Near      int      // how far the farthest of these can be dialled from, as Reach has it

	TCP, UDP, TCP6, UDP6 Answer // address and port of the listening sockets, as seen from outside
	PublicIP             Answer // IPv4 address as seen from outside
	NAT                  Answer // yes: it is not one of this machine's

	UDPMapping, TCPMapping     Answer
	UDPFiltering, TCPFiltering Answer
	OutUDP                     Answer // whether UDP gets out: open or blocked
	WebOnly                    Answer // yes: nothing but the web gets out
	PortMapping                Answer // what the router opened
	CGNAT                      Answer // yes: the provider lets many customers share one address
	SecondRouter               Answer // the address of a router behind the router, or none
	IPv6                       Answer // none, open or closed
	Directory                  Answer // found or none

	Asked      Answer // yes: somebody outside was asked; no: nobody of those named answers
	StrangerV4 Answer // yes: a stranger gets in at the port that is listened on
	StrangerV6 Answer
	Announced  Answer // yes: a stranger gets in at the port that was announced
	Mapped     Answer // yes: a stranger gets in at the port that the router opened
	Relays     []RelayFinding
}

// Reach tells how far this machine can be reached, in the contract's words.
func (f Findings) Reach() string {
	switch {
	case f.Announced == Yes, f.StrangerV4 == Yes && f.NAT == Yes, f.opened():
		return "mapped"
	case f.StrangerV4 == Yes, f.StrangerV6 == Yes:
		return "public"
	case f.relayed():
		return "relayed"
	case f.Near > 0:
		return "lan"
	}
	return "none"
}

// Reachable tells whether machines outside of this network reach this one.
func (f Findings) Reachable() bool { return !slices.Contains([]string{"lan", "none"}, f.Reach()) }

// opened tells whether the router opened a port that leads here. What it opened is
// believed when nobody was there to try it.
func (f Findings) opened() bool {
	return f.Mapped == Yes || strings.HasPrefix(string(f.PortMapping), string(grantedBegin)) && f.Mapped != No
}

// grantedBegin begins the answer of a router that opened ports. Which of these
// protocols it speaks is not told by libp2p.
const grantedBegin Answer = "UPnP or NAT-PMP: "

func (f Findings) relayed() bool {
	return slices.ContainsFunc(f.Relays, func(r RelayFinding) bool { return r.OK })
}

func (f Findings) relayedFar() bool {
	return slices.ContainsFunc(f.Relays, func(r RelayFinding) bool { return r.OK && r.Far })
}

// Verdict says in a sentence whether and how others reach this machine, and the one
// thing to do about it. Neither is ever empty.
func (f Findings) Verdict() (verdict, advice string) {
	switch f.Reach() {
	case "mapped", "public":
		verdict, advice = f.direct()
	case "relayed":
		verdict, advice = f.through()
	case "lan":
		verdict, advice = f.alone()
	default:
		return f.nowhere()
	}
	if f.Announced == No {
		advice = "check that the router forwards the port named with --announce to port " + f.port() + " of this machine: nobody gets in there"
	}
	return verdict, advice
}

func (f Findings) nowhere() (verdict, advice string) {
	return "Nobody reaches this machine: it is in no network, or listens for itself only.",
		"connect it to a network, and listen on all of its addresses: leave --listen out, or say :PORT"
}

const nothing = "nothing to do"

// ownRelay is what to do where nothing else helps.
const ownRelay = "run p2pchat relay on a machine with a public address, and name it here with --relay"

// direct is the verdict where strangers get in.
func (f Findings) direct() (verdict, advice string) {
	const port = "Others reach this machine directly, through a port that is forwarded to it."
	switch {
	case f.Announced == Yes:
		return port, nothing + ", as long as the host is started with the same --announce"
	case f.StrangerV4 == Yes && f.NAT == Yes:
		return port, "start the host with --announce " + f.outside() + ":" + f.port() + ", so that it tells others of that port"
	case f.Mapped == Yes:
		return "Others reach this machine directly, through a port that its router opens when asked to.", nothing + ": the host asks the router itself"
	case f.opened():
		return "The router opens a port for this machine, but nobody outside was there to try it.",
			"to have it tried from outside, name a relay with --relay"
	case f.StrangerV4 == Yes:
		return "Others reach this machine directly.", nothing
	case f.relayed():
		return "Whoever has IPv6 reaches this machine directly, the others through a relay.", nothing
	}
	return "Whoever has IPv6 reaches this machine directly; nobody else does.", "for the others, " + ownRelay
}

// through is the verdict where a relay is needed to begin with.
func (f Findings) through() (verdict, advice string) {
	const relayed = "Others reach this machine through a relay"
	const shown = "the router shows this machine to each of them at another port"
	switch {
	case !f.relayedFar():
		return "Machines that reach the relay reach this one through it; the relay itself has no public address.",
			"to be reached from everywhere, " + ownRelay
	case f.WebOnly == Yes:
		return relayed + ", and not directly: this network lets nothing but the web out.",
			"nothing has to be done while the relay listens on port 443; in another network direct ways would be found, too"
	case f.OutUDP == Blocked:
		return relayed + ", and directly where TCP allows it: this network lets no UDP out.", f.betterWay()
	case f.hard() && f.IPv6 == Closed:
		return relayed + ", and directly if they have IPv6, or let everybody in themselves: " + shown + ".", f.betterWay()
	case f.hard():
		return relayed + ", and directly only if they let everybody in themselves: " + shown + ".", f.betterWay()
	case !f.UDPMapping.Known() && f.IPv6 == Closed:
		return relayed + ", and directly in most cases if they have IPv6.", f.betterWay()
	case !f.UDPMapping.Known():
		return relayed + "; whether directly, too, could not be found out (" + f.UDPMapping.Why() + ").", f.betterWay()
	case f.UDPFiltering == Independent, f.UDPFiltering == ByAddress, f.UDPFiltering == NotByPort:
		return relayed + ", and directly in nearly all cases.", f.betterWay()
	}
	return relayed + ", and directly in most cases.", f.betterWay()
}

// hard tells whether the NAT takes another port for each destination.
func (f Findings) hard() bool { return f.UDPMapping == ByAddress || f.UDPMapping == ByPort }

// betterWay is the advice where a relay works already.
func (f Findings) betterWay() string {
	if !f.CGNAT.likely() {
		return "nothing has to be done; " + f.opening() + " would make nearly every connection direct"
	}
	shares := "shares"
	if f.CGNAT != Yes {
		shares = "seems to share"
	}
	way := "IPv6, or an address of your own from the provider, would make more connections direct"
	if f.IPv6 == Closed {
		way = "letting " + f.ports() + " in over IPv6, at the router, would make those direct with all who have IPv6"
	}
	return "nothing has to be done; a port forwarded in your own router would not help, since the provider " + shares +
		" one address among its customers (CGNAT), but " + way
}

func (f Findings) ports() string { return "port " + f.port() + " (TCP and UDP)" }

// opening is what makes strangers get in.
func (f Findings) opening() string {
	switch {
	case f.NAT == No:
		return "letting " + f.ports() + " in at the firewall"
	case f.SecondRouter.Known() && f.SecondRouter != Nothing && f.SecondRouter != NotAsked:
		return "forwarding " + f.ports() + " in both routers, from the outer one to the inner one and from there to this machine,"
	}
	way := "forwarding " + f.ports() + " in the router to this machine"
	if f.CGNAT != No && f.PublicIP.Known() {
		way += " (if the router's own address is " + f.outside() + ", see its status page)"
	}
	if f.hard() && f.IPv6 == Nothing {
		way += ", or turning on UPnP or IPv6 there,"
	}
	return way
}

// alone is the verdict where only the LAN is left.
func (f Findings) alone() (verdict, advice string) {
	const lan = "Only machines of the same network reach this one"
	switch {
	case f.Asked != Yes && len(f.Relays) > 0:
		return lan + ", and the relay does not help: " + f.Relays[0].Why + ".",
			"check that this machine is online, and that the relay runs and has the address that was named"
	case f.Asked == No:
		return lan + ": no peer outside answers.", "check that this machine is online; then " + f.askSomebody()
	case f.Near > 1 && f.NAT != Yes && !f.StrangerV4.Known() && !f.StrangerV6.Known():
		return "This machine has a public address, but nobody outside has tried whether others get in.", f.askSomebody()
	case f.Asked != Yes:
		return lan + ", as far as can be told without asking somebody outside.", f.askSomebody()
	case len(f.Relays) > 0:
		return lan + ", and the relay does not help: " + f.Relays[0].Why + ".", f.withoutRelay("name another relay with --relay")
	}
	return lan + ": no way in from outside is known, and there is no relay.", f.withoutRelay(ownRelay)
}

func (f Findings) askSomebody() string {
	if f.Network == None {
		return "name a relay with --relay, or have others looked for with --network public"
	}
	return "name a relay with --relay; p2pchat relay runs one on a machine with a public address"
}

// withoutRelay is the advice where no relay works; first says how to get one.
func (f Findings) withoutRelay(first string) string {
	if f.CGNAT.likely() || f.WebOnly == Yes {
		return first
	}
	return first + "; or open a way in by " + strings.TrimSuffix(f.opening(), ",")
}

// port is the one to forward.
func (f Findings) port() string {
	return cmp.Or(f.Taken, f.Port, strconv.Itoa(DefaultPort))
}

func (f Findings) outside() string {
	if f.PublicIP.Known() {
		return string(f.PublicIP)
	}
	return "ADDRESS"
}
