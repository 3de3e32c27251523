package cmd

import (
	"errors"
	"net"
	"slices"
	"testing"

	ma "github.com/multiformats/go-multiaddr"
)

// TestAnnounce checks that nothing is announced without its transport being listened on,
// unless somebody says so.
func TestAnnounce(t *testing.T) {
	const tcp, quic, web = "/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/udp/1/quic-v1", "/ip4/127.0.0.1/tcp/443/tls/ws"
	asTCP, asQUIC := "/ip4/203.0.113.9/tcp/4001", "/ip4/203.0.113.9/udp/4001/quic-v1"
	for _, tt := range []struct {
		announce string
		listen   []string
		want     []string
	}{
		{"203.0.113.9:4001", nil, []string{asTCP, asQUIC}},
		{"203.0.113.9:4001", []string{tcp, quic}, []string{asTCP, asQUIC}},
		{"203.0.113.9:4001", []string{tcp}, []string{asTCP}},
		{"203.0.113.9:4001", []string{quic, web}, []string{asQUIC}},
		{"203.0.113.9:4001", []string{web}, []string{asTCP, asQUIC}},
		{"chat.example.org:4001", []string{tcp}, []string{"/dns/chat.example.org/tcp/4001"}},
		{asQUIC, []string{tcp}, []string{asQUIC}},
	} {
		var listen []ma.Multiaddr
		for _, text := range tt.listen {
			listen = append(listen, ma.StringCast(text))
		}
		got, err := parseAnnounce([]string{tt.announce}, listen)
		if err != nil || !slices.Equal(texts(got), tt.want) {
			t.Errorf("--announce %s, listening on %q: %q, %v; want %q", tt.announce, tt.listen, texts(got), err, tt.want)
		}
	}
}

// TestListenNames tells a name without an address, which is a mistake, from one that could
// not be looked up.
func TestListenNames(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{&net.DNSError{Err: "no such host", IsNotFound: true}, true},
		{&net.AddrError{Err: "no suitable address found"}, true},
		{&net.DNSError{Err: "i/o timeout", IsTimeout: true}, false},
		{errors.New("something"), false},
	} {
		if got := isNameless(tt.err); got != tt.want {
			t.Errorf("isNameless(%v) = %t", tt.err, got)
		}
	}
	got, err := parseListen(t.Context(), []string{"localhost:7", "/ip4/127.0.0.1/tcp/7"})
	for _, want := range []string{"/ip4/127.0.0.1/tcp/7", "/ip4/127.0.0.1/udp/7/quic-v1"} {
		if n := len(slices.DeleteFunc(texts(got), func(s string) bool { return s != want })); n != 1 {
			t.Errorf("localhost:7 is %q, %v: %d times %s", texts(got), err, n, want)
		}
	}
}
