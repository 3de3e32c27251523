package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// hopTime is how long a router has to answer.
const hopTime = time.Second

// secondHop is the address of the second router on the way to a machine: it says that
// a packet was passed on too often that may be passed on once only. Linux shows this
// to the socket that sent it.
func secondHop(ctx context.Context, to netip.Addr) (netip.Addr, error) {
	c, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	deadline := time.Now().Add(hopTime)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	_ = c.SetDeadline(deadline)
	raw, err := c.SyscallConn()
	if err != nil {
		return netip.Addr{}, err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = errors.Join(
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_TTL, 2),
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_RECVERR, 1),
		)
	}); err != nil || failed != nil {
		return netip.Addr{}, errors.Join(err, failed)
	}
	const nobodyListens = 33434 // what traceroute takes
	if _, err := c.WriteToUDPAddrPort([]byte{0}, netip.AddrPortFrom(to, nobodyListens)); err != nil {
		return netip.Addr{}, err
	}
	var at netip.Addr
	err = raw.Read(func(fd uintptr) bool {
		control := make([]byte, 512)
		_, n, _, _, err := syscall.Recvmsg(int(fd), make([]byte, 64), control, syscall.MSG_ERRQUEUE|syscall.MSG_DONTWAIT)
		if err != nil {
			return false
		}
		at = offender(control[:n])
		return true
	})
	if err != nil || !at.IsValid() {
		return netip.Addr{}, errors.New("no second router answers")
	}
	return at, nil
}

// offender is who sent the ICMP message "time exceeded" that is in a socket's error
// queue: a struct sock_extended_err with a struct sockaddr_in behind it.
func offender(control []byte) netip.Addr {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return netip.Addr{}
	}
	const fromICMP, timeExceeded = 2, 11
	for _, m := range messages {
		if m.Header.Level == syscall.IPPROTO_IP && m.Header.Type == syscall.IP_RECVERR && len(m.Data) >= 24 &&
			m.Data[4] == fromICMP && m.Data[5] == timeExceeded {
			at, _ := netip.AddrFromSlice(m.Data[20:24])
			return at
		}
	}
	return netip.Addr{}
}
