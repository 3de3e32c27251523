package natlab

import (
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"
)

// internetRules keep private addresses off the internet, as providers do.
const internetRules = `
table inet internet {
	chain forward {
		type filter hook forward priority 0
		ip saddr { 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16 } drop
		ip6 saddr fc00::/7 drop
	}
}`

// lossRules loses packets before anything else sees them.
func lossRules(percent float64) string {
	loss := fmt.Sprintf("numgen random mod 10000 < %d drop", int(percent*100))
	switch {
	case percent <= 0:
		loss = ""
	case percent >= 100:
		loss = "drop"
	}
	return fmt.Sprintf(`
table inet loss
delete table inet loss
table inet loss {
	chain forward {
		type filter hook forward priority -200
		%s
	}
}`, loss)
}

// translation is what a box that forwards between "lan" and "wan" does.
type translation struct {
	Kind     Kind
	Public   string // the address it translates to
	LAN      string
	Input    string
	Mapping  time.Duration
	Forwards []forward
}

// To and Port are for the template.
func (f forward) To() string { return f.to.IP4.String() }

// Port returns the forwarded port.
func (f forward) Port() int { return f.port }

// Seconds is for how long a cone keeps a port open that nobody uses; nft knows no 0.
func (r translation) Seconds() int { return max(1, int(r.Mapping.Seconds())) }

// NAT tells whether IPv4 addresses are translated.
func (r translation) NAT() bool { return !r.Kind.routed() }

// Cone tells whether who was not sent to may answer.
func (r translation) Cone() bool { return r.Kind == FullCone || r.Kind == AddressRestricted }

// Open tells whether everybody may reach the addresses on the LAN that are public.
func (r translation) Open() bool { return r.Kind == Open || r.Kind == IPv6Open }

// Refuse is what happens to what nobody asked for.
func (r translation) Refuse() string {
	switch r.Input {
	case "reject":
		return "meta l4proto tcp reject with tcp reset\n\t\treject with icmpx admin-prohibited"
	case "accept":
		return "accept"
	default:
		return "drop"
	}
}

// Ports is how the port that the internet sees is chosen: where nothing is said, the port that the LAN
// machine uses, unless it is taken.
func (r translation) Ports() string {
	switch r.Kind {
	case Symmetric, IPv6Open, IPv6Firewall:
		return " fully-random"
	case SymmetricSequential:
		const first, number = 40000, 2000
		// Numbers from a map, since those that numgen makes are in host byte order.
		var ports []string
		for i := range number {
			ports = append(ports, fmt.Sprintf("%d : %d", i, first+i))
		}
		return fmt.Sprintf(" : numgen inc mod %d map { %s }", number, strings.Join(ports, ", "))
	default:
		return ""
	}
}

// Block returns the rules that come first.
func (r translation) Block() string {
	switch r.Kind {
	case UDPBlocked:
		return "meta l4proto udp drop"
	case WebOnly:
		return "ct state established,related accept\n\t\tiifname lan tcp dport { 80, 443 } accept\n\t\tdrop"
	default:
		return ""
	}
}

// The rules know nothing of tables of others, such as miniupnpd's. Loading them again empties the maps of cones.
var translationRules = template.Must(template.New("").Parse(`
table inet natlab
delete table inet natlab
table inet natlab {
{{- if .Cone}}
	map cone {
		type inet_proto . inet_service : ipv4_addr . inet_service
		flags dynamic, timeout
		timeout {{.Seconds}}s
	}
	set known {
		type inet_proto . inet_service . ipv4_addr
		flags dynamic, timeout
		timeout {{.Seconds}}s
	}
	chain learn {
		type filter hook forward priority -5
		meta nfproto ipv4 iifname lan meta l4proto { tcp, udp } update @cone { meta l4proto . th sport : ip saddr . th sport }
		meta nfproto ipv4 iifname lan meta l4proto { tcp, udp } update @known { meta l4proto . th sport . ip daddr }
	}
{{- end}}
	chain block {
		type filter hook forward priority -10
		{{.Block}}
	}
	chain forward {
		type filter hook forward priority 0; policy drop
		ct state established,related accept
		iifname lan accept
		ct status dnat accept
		meta l4proto ipv6-icmp accept
		{{- if .Open}}
		accept
		{{- end}}
	}
	chain input {
		type filter hook input priority 0
		iifname != wan accept
		ct state established,related accept
		meta l4proto { icmp, ipv6-icmp } accept
		{{.Refuse}}
	}
	chain prerouting {
		type nat hook prerouting priority -100
		{{- range .Forwards}}
		fib daddr type local ip daddr {{$.Public}} meta l4proto { tcp, udp } th dport {{.Port}} dnat ip to {{.To}}
		{{- end}}
		{{- if eq .Kind.String "full-cone"}}
		iifname wan fib daddr type local dnat ip to meta l4proto . th dport map @cone
		{{- end}}
		{{- if eq .Kind.String "address-restricted"}}
		iifname wan fib daddr type local meta l4proto . th dport . ip saddr @known dnat ip to meta l4proto . th dport map @cone
		{{- end}}
	}
	chain postrouting {
		type nat hook postrouting priority 100
		oifname lan ip saddr {{.LAN}} ct status dnat masquerade
		{{- if .NAT}}
		oifname wan meta l4proto { tcp, udp } snat ip to {{.Public}}{{.Ports}}
		oifname wan snat ip to {{.Public}}
		{{- end}}
	}
}
`))

func (r translation) String() string {
	var b strings.Builder
	if err := translationRules.Execute(&b, r); err != nil {
		panic(err) // every field of the template is above
	}
	return b.String()
}

// rules returns what the home's router does.
func (h *Home) rules() string {
	forwards := h.forwards
	if h.kind == Forwarded && len(h.machines) > 0 {
		forwards = append(slices.Clone(forwards), forward{forwardedPort, h.machines[0]})
	}
	return translation{
		Kind:     h.kind,
		Public:   h.plan.wan.Addr().String(),
		LAN:      h.plan.lan.Masked().String(),
		Input:    h.lab.options.WANInput,
		Mapping:  h.mapping,
		Forwards: forwards,
	}.String()
}

// carrierRules returns what the home's carrier does.
func (h *Home) carrierRules() string {
	return translation{
		Kind:    h.kind.carrier(),
		Public:  h.plan.public.String(),
		LAN:     "100.64.0.0/10",
		Input:   h.lab.options.WANInput,
		Mapping: h.mapping,
	}.String()
}
