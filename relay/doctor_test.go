package relay

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	autonatpb "github.com/libp2p/go-libp2p/p2p/host/autonat/pb"
	ma "github.com/multiformats/go-multiaddr"
)

// findings are those of a machine behind a router of the usual kind, with a relay.
func findings(change func(*Findings)) Findings {
	f := Findings{
		Network: Private, Port: "4001", Addresses: []string{"/ip4/192.168.1.5/tcp/4001"}, Near: 1,
		TCP: "5.6.7.8:4001", UDP: "5.6.7.8:4001", TCP6: Nothing, UDP6: Nothing, PublicIP: "5.6.7.8", NAT: Yes,
		UDPMapping: Independent, TCPMapping: OneObserver, UDPFiltering: ByPort, TCPFiltering: ByPort,
		OutUDP: Open, WebOnly: No, PortMapping: "none: no router answered", CGNAT: unknown("?"), SecondRouter: Nothing,
		IPv6: Nothing, Directory: Found, Asked: Yes, StrangerV4: No, StrangerV6: unknown("?"), Announced: NotAsked,
		Mapped: unknown("?"), Relays: []RelayFinding{{Addr: "/ip4/9.9.9.9/tcp/4001", Peer: somebody, OK: true, Far: true, RTT: 1, Why: "fine"}},
	}
	change(&f)
	return f
}

func TestDoctorVerdict(t *testing.T) {
	noRelay := func(f *Findings) { f.Relays = nil }
	for name, test := range map[string]struct {
		change          func(*Findings)
		reach           string
		verdict, advice string // a part
	}{
		"usual router":  {func(*Findings) {}, "relayed", "through a relay, and directly in most cases", "nothing has to be done; forwarding port 4001 (TCP and UDP)"},
		"own address":   {func(f *Findings) { f.CGNAT = No }, "relayed", "most cases", "to this machine would make"},
		"generous":      {func(f *Findings) { f.UDPFiltering = NotByPort }, "relayed", "nearly all cases", "forwarding"},
		"hard":          {func(f *Findings) { f.UDPMapping = ByPort }, "relayed", "only if they let everybody in", "UPnP or IPv6"},
		"hard, IPv6":    {func(f *Findings) { f.UDPMapping, f.IPv6, f.StrangerV6 = ByPort, Closed, No }, "relayed", "if they have IPv6", "forwarding"},
		"no UDP":        {func(f *Findings) { f.OutUDP, f.UDPMapping = Blocked, unknown("?") }, "relayed", "no UDP out", "forwarding"},
		"web only":      {func(f *Findings) { f.OutUDP, f.WebOnly = Blocked, Yes }, "relayed", "nothing but the web", "port 443"},
		"CGNAT":         {func(f *Findings) { f.CGNAT = Probably + ": 100.64.1.1" }, "relayed", "most cases", "would not help"},
		"two routers":   {func(f *Findings) { f.SecondRouter = "192.168.0.1" }, "relayed", "most cases", "both routers"},
		"firewall":      {func(f *Findings) { f.NAT, f.UDPMapping, f.CGNAT = No, Nothing, No }, "relayed", "most cases", "at the firewall"},
		"near relay":    {func(f *Findings) { f.Relays[0].Far, f.Asked = false, No }, "relayed", "no public address", "p2pchat relay"},
		"open":          {func(f *Findings) { f.NAT, f.StrangerV4 = No, Yes }, "public", "directly.", "nothing to do"},
		"IPv6":          {func(f *Findings) { f.StrangerV6, f.IPv6 = Yes, Open }, "public", "others through a relay", "nothing"},
		"only IPv6":     {func(f *Findings) { f.StrangerV6, f.IPv6, f.Relays = Yes, Open, nil }, "public", "nobody else", "p2pchat relay"},
		"forwarded":     {func(f *Findings) { f.StrangerV4 = Yes }, "mapped", "forwarded", "--announce 5.6.7.8:4001"},
		"announced":     {func(f *Findings) { f.Announced = Yes }, "mapped", "forwarded", "nothing to do"},
		"badly":         {func(f *Findings) { f.Announced = No }, "relayed", "most cases", "check that the router forwards"},
		"opened":        {func(f *Findings) { f.PortMapping, f.Mapped = grantedBegin+"x", Yes }, "mapped", "opens when asked", "nothing to do"},
		"opened, alone": {func(f *Findings) { f.PortMapping, f.Relays = grantedBegin+"x", nil }, "mapped", "nobody outside was there", "--relay"},
		"opened for nothing": {func(f *Findings) { f.PortMapping, f.Mapped, f.CGNAT = grantedBegin+"x", No, Yes },
			"relayed", "most cases", "shares one address"},
		"no relay":     {noRelay, "lan", "no relay", "p2pchat relay on a machine with a public address"},
		"full relay":   {func(f *Findings) { f.Relays[0].OK, f.Relays[0].Why = false, "it is full" }, "lan", "it is full", "another relay"},
		"dead relay":   {func(f *Findings) { f.Relays[0].OK, f.Asked, f.Relays[0].Why = false, No, "it does not answer" }, "lan", "it does not answer", "online"},
		"nobody":       {func(f *Findings) { noRelay(f); f.Asked = NotAsked }, "lan", "without asking", "--relay"},
		"nobody, none": {func(f *Findings) { noRelay(f); f.Asked, f.Network = NotAsked, None }, "lan", "without asking", "--network public"},
		"offline":      {func(f *Findings) { noRelay(f); f.Asked = No }, "lan", "no peer outside answers", "online"},
		"untried": {func(f *Findings) {
			noRelay(f)
			f.Asked, f.Near, f.NAT, f.StrangerV4 = NotAsked, 2, unknown("?"), unknown("?")
		}, "lan", "public address, but nobody", "--relay"},
		"no network":  {func(f *Findings) { noRelay(f); f.Near = 0 }, "none", "Nobody", "connect it"},
		"port in use": {func(f *Findings) { f.Port, f.Taken = "40123", "4001" }, "relayed", "most cases", "port 4001"},
	} {
		f := findings(test.change)
		verdict, advice := f.Verdict()
		if f.Reach() != test.reach || !strings.Contains(verdict, test.verdict) || !strings.Contains(advice, test.advice) {
			t.Errorf("%s: %s\n%s\n%s", name, f.Reach(), verdict, advice)
		}
		if f.Reachable() != (test.reach != "lan" && test.reach != "none") {
			t.Errorf("%s: reachable is %v, reach %s", name, f.Reachable(), test.reach)
		}
	}
}

// Whatever was found, the verdict is a sentence, and the advice says something.
func TestDoctorVerdictIsNeverEmpty(t *testing.T) {
	r := mathrand.New(mathrand.NewPCG(1, 2))
	answers := []Answer{
		Yes, No, Nothing, NotAsked, Probably + ": x", Open, Blocked, Closed, Independent, ByAddress, ByPort, OneObserver,
		NotByPort, grantedBegin + "TCP 5.6.7.8:1", "5.6.7.8", "", unknown("why"),
	}
	for range 100_000 {
		var f Findings
		v := reflect.ValueOf(&f).Elem()
		for i := range v.NumField() {
			if a, ok := v.Field(i).Addr().Interface().(*Answer); ok {
				*a = answers[r.IntN(len(answers))]
			}
		}
		f.Near, f.Network, f.Port = r.IntN(3), []Network{Public, Private, None}[r.IntN(3)], []string{"", "4001"}[r.IntN(2)]
		for range r.IntN(3) {
			f.Relays = append(f.Relays, RelayFinding{Addr: "a", Peer: "p", OK: r.IntN(2) == 0, Far: r.IntN(2) == 0, Why: "it is full"})
		}
		verdict, advice := f.Verdict()
		if len(verdict) < 20 || !unicode.IsUpper(rune(verdict[0])) || !strings.HasSuffix(verdict, ".") {
			t.Fatalf("the verdict is %q of %+v", verdict, f)
		}
		if len(advice) < 5 || strings.HasSuffix(advice, ".") || strings.Contains(verdict+advice, unknownBegin) {
			t.Fatalf("the advice is %q, the verdict %q, of %+v", advice, verdict, f)
		}
	}
}

func TestDoctorMapping(t *testing.T) {
	see := func(transport, from, local, public string) sight {
		return sight{lane{transport: transport}, netip.MustParseAddrPort(from), netip.MustParseAddrPort(local), netip.MustParseAddrPort(public)}
	}
	const here = "192.168.1.5:4001"
	own := netip.MustParseAddr("7.7.7.7")
	for name, test := range map[string]struct {
		sights []sight
		want   Answer
	}{
		"nobody":        {nil, "unknown: nobody outside was reached over UDP from a port that is listened on"},
		"other":         {[]sight{see("tcp", "9.9.9.9:1", here, "5.6.7.8:1")}, "unknown: nobody outside was reached over UDP from a port that is listened on"},
		"no NAT":        {[]sight{see("quic", "9.9.9.9:1", "7.7.7.7:4001", "7.7.7.7:4001")}, Nothing},
		"one":           {[]sight{see("quic", "9.9.9.9:1", here, "5.6.7.8:4001")}, OneObserver},
		"one, moved":    {[]sight{see("quic", "9.9.9.9:1", here, "5.6.7.8:99")}, ""},
		"two ports":     {[]sight{see("quic", "9.9.9.9:1", here, "5.6.7.8:99"), see("quic", "9.9.9.9:2", here, "5.6.7.8:99")}, Independent},
		"by port":       {[]sight{see("quic", "9.9.9.9:1", here, "5.6.7.8:99"), see("quic", "9.9.9.9:2", here, "5.6.7.8:98")}, ByPort},
		"two addresses": {[]sight{see("quic", "9.9.9.9:1", here, "5.6.7.8:99"), see("quic", "8.8.8.8:1", here, "5.6.7.8:98")}, ByPort},
		"by address": {[]sight{
			see("quic", "9.9.9.9:1", here, "5.6.7.8:99"), see("quic", "9.9.9.9:2", here, "5.6.7.8:99"), see("quic", "8.8.8.8:1", here, "5.6.7.8:98"),
		}, ByAddress},
	} {
		got := mapping(test.sights, "quic", func(a netip.Addr) bool { return a == own })
		if got != test.want && (test.want != "" || got.Known() || got == "") {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestDoctorFiltering(t *testing.T) {
	for _, test := range []struct{ nobody, others, itself, want Answer }{
		{Yes, No, No, Independent},
		{No, Yes, Yes, Independent},
		{No, No, Yes, ByAddress},
		{No, unknown("x"), Yes, NotByPort},
		{No, unknown("x"), No, ByPort},
		{No, No, No, ByPort},
		{unknown("x"), unknown("y"), unknown("z"), unknown("z")},
	} {
		if got := filtering(test.nobody, test.others, test.itself); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// A peer that was sent here may say anything.
func TestDoctorReadsDialBack(t *testing.T) {
	tcp, udp := anywhere("tcp", "4001"), anywhere("quic", "4001")
	ok := autonatpb.Message_OK.Enum()
	for name, test := range map[string]struct {
		answer *autonatpb.Message_DialResponse
		at     ma.Multiaddr
		want   Answer
	}{
		"in by UDP":  {&autonatpb.Message_DialResponse{Status: ok, Addr: ma.StringCast("/ip4/5.6.7.8/udp/4001/quic-v1").Bytes()}, udp, Yes},
		"in by TCP":  {&autonatpb.Message_DialResponse{Status: ok, Addr: ma.StringCast("/ip4/5.6.7.8/tcp/4001").Bytes()}, tcp, Yes},
		"elsewhere":  {&autonatpb.Message_DialResponse{Status: ok, Addr: ma.StringCast("/ip4/5.6.7.8/tcp/50000").Bytes()}, nil, ""},
		"by relay":   {&autonatpb.Message_DialResponse{Status: ok, Addr: ma.StringCast("/p2p/" + somebody + "/p2p-circuit").Bytes()}, nil, ""},
		"no address": {&autonatpb.Message_DialResponse{Status: ok}, nil, ""},
		"garbage":    {&autonatpb.Message_DialResponse{Status: ok, Addr: []byte{0xff, 1, 2}}, nil, ""},
		"not in":     {&autonatpb.Message_DialResponse{Status: autonatpb.Message_E_DIAL_ERROR.Enum()}, nil, No},
		"refused":    {&autonatpb.Message_DialResponse{Status: autonatpb.Message_E_DIAL_REFUSED.Enum()}, nil, ""},
		"nonsense":   {&autonatpb.Message_DialResponse{Status: autonatpb.Message_ResponseStatus(77).Enum()}, nil, ""},
	} {
		at, got := readDialBack(test.answer, []ma.Multiaddr{tcp, udp})
		if got != test.want && (test.want != "" || got.Known() || got == "") || (at == nil) != (test.at == nil) || at != nil && !at.Equal(test.at) {
			t.Errorf("%s: %v %q", name, at, got)
		}
	}
	if _, got := readDialBack(nil, nil); got.Known() {
		t.Errorf("no answer is %q", got)
	}
}

// A relay on this machine carries connections, but tells nothing of the outside; one
// that has no place for this machine, or is not there, is told apart.
func TestDoctorExamine(t *testing.T) {
	newKey := func() crypto.PrivKey {
		key, _, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	listen := []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/0")}
	stranger, err := peer.Decode(somebody)
	if err != nil {
		t.Fatal(err)
	}
	relay := func(hosts ...peer.ID) peer.AddrInfo {
		s, err := NewService(ServiceConfig{Key: newKey(), Listen: listen, Hosts: hosts})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return peer.AddrInfo{ID: s.Host.ID(), Addrs: s.Addrs()}
	}
	open, closed := relay(), relay(stranger)
	for name, test := range map[string]struct {
		relay peer.AddrInfo
		reach string
		why   string
	}{
		"open":     {open, "relayed", "would carry"},
		"closed":   {closed, "none", "named to it"},
		"dead":     {peer.AddrInfo{ID: stranger, Addrs: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/1")}}, "none", "does not answer"},
		"somebody": {peer.AddrInfo{ID: stranger, Addrs: open.Addrs}, "none", "another peer ID"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := Examine(context.Background(), Config{Key: newKey(), Listen: listen, Network: None, Relays: []peer.AddrInfo{test.relay}})
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Relays) != 1 || f.Reach() != test.reach || !strings.Contains(f.Relays[0].Why, test.why) {
				t.Errorf("%s: %+v", f.Reach(), f.Relays)
			}
			v := reflect.ValueOf(f)
			for i := range v.NumField() {
				if a, ok := v.Field(i).Interface().(Answer); ok && a == "" {
					t.Errorf("%s is empty", v.Type().Field(i).Name)
				}
			}
		})
	}
}
