package natlab_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// listenUDP opens a socket on a machine, for IPv4 and IPv6.
func listenUDP(t *testing.T, m *natlab.Machine, port int) *net.UDPConn {
	t.Helper()
	var c *net.UDPConn
	err := m.Do(func() (err error) {
		c, err = net.ListenUDP("udp", &net.UDPAddr{Port: port})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t *testing.T, c *net.UDPConn, to netip.AddrPort, text string) {
	t.Helper()
	if _, err := c.WriteToUDPAddrPort([]byte(text), to); err != nil {
		t.Fatal(err)
	}
}

// receive returns the next packet and its sender, or "" if none comes in time.
func receive(t *testing.T, c *net.UDPConn, wait time.Duration) (string, netip.AddrPort) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1500)
	n, from, err := c.ReadFromUDPAddrPort(buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "", netip.AddrPort{}
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n]), netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}

// deliver sends a packet that nobody has sent before, and tells as whose it arrives.
func deliver(t *testing.T, from, to *net.UDPConn, at netip.AddrPort, wait time.Duration) (netip.AddrPort, bool) {
	t.Helper()
	text := "packet " + strconv.FormatInt(packets.Add(1), 10)
	send(t, from, at, text)
	for {
		got, sender := receive(t, to, wait)
		if got == text || got == "" {
			return sender, got != ""
		}
	}
}

// packets counts what deliver has sent.
var packets atomic.Int64

// connect connects from a port of one machine to another machine, and tells as whom it
// is seen there.
func connect(
	t *testing.T, from *natlab.Machine, port int, to *natlab.Machine, at netip.AddrPort, wait time.Duration,
) (netip.AddrPort, bool) {
	t.Helper()
	var l net.Listener
	if err := to.Do(func() (err error) {
		l, err = net.Listen("tcp", ":"+strconv.Itoa(int(at.Port())))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := dial(from, port, at, wait)
	if err != nil {
		return netip.AddrPort{}, false
	}
	defer c.Close()
	seen, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	// No side keeps the port busy.
	reset(t, seen)
	reset(t, c)
	remote := seen.RemoteAddr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), true
}

func dial(from *natlab.Machine, port int, at netip.AddrPort, wait time.Duration) (c net.Conn, err error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{Port: port}, Timeout: wait}
	err = from.Do(func() error {
		c, err = d.Dial("tcp", at.String())
		return err
	})
	return c, err
}

// reset makes a connection end at once when it is closed.
func reset(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.Close()
}
