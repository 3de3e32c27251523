package natlab

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
)

// Machine is a computer of the lab: a public one, or one in a home.
type Machine struct {
	Name string
	IP4  netip.Addr // changes when its home gets public addresses on the LAN, or loses them
	IP6  netip.Addr // not valid where there is no IPv6

	lab                *Lab
	ns                 *namespace
	site               int
	gateway4, gateway6 netip.Addr
}

// Command prepares a program that runs on the machine. If it still runs
// at the end of the test, it is killed then.
func (m *Machine) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", m.ns.name, name}, args...)...)
}

// Do runs fn on the machine: the sockets that fn opens are the machine's, for as
// long as they are open. Goroutines that fn starts are not on the machine,
// so names must be addresses: a lookup starts some.
func (m *Machine) Do(fn func() error) error { return m.ns.do(fn) }

// Cut takes the machine's interface down. Its programs are told: the network is
// unreachable. For a cut that they have to notice see [Home.Cut].
func (m *Machine) Cut() {
	m.lab.t.Helper()
	m.lab.must(m.ns.ip("link set eth0 down"))
}

// Restore takes the machine's interface up again.
func (m *Machine) Restore() {
	m.lab.t.Helper()
	m.lab.must(m.ns.ip("link set eth0 up"))
	m.lab.must(m.ns.ip(m.routes()...))
}

// Capture writes all frames that the machine sends and receives to w, from now on.
// After stop, w has all frames up to then, and no more is written.
func (m *Machine) Capture(w io.Writer) (stop func()) {
	m.lab.t.Helper()
	end, err := m.capture(w)
	m.lab.must(err)
	return func() {
		m.lab.t.Helper()
		m.lab.must(end())
	}
}

// number gives the machine the addresses in IP4 and IP6 and no others.
func (m *Machine) number() {
	m.lab.t.Helper()
	m.lab.must(m.ns.ip("addr flush dev eth0 scope global", fmt.Sprintf("addr add %s/24 dev eth0", m.IP4)))
	if m.IP6.IsValid() {
		m.lab.must(m.ns.ip(fmt.Sprintf("addr add %s/64 dev eth0 nodad", m.IP6)))
	}
	m.lab.must(m.ns.ip(m.routes()...))
}

func (m *Machine) routes() []string {
	routes := []string{fmt.Sprintf("route replace default via %s dev eth0", m.gateway4)}
	if m.IP6.IsValid() {
		routes = append(routes, fmt.Sprintf("route replace default via %s dev eth0", m.gateway6))
	}
	return routes
}
