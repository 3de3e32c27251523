package natlab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// What the kernel's queue of packets for a program (nfnetlink_queue) says and
// understands.
const (
	queuePacket       = unix.NFNL_SUBSYS_QUEUE << 8
	queueConfig       = unix.NFNL_SUBSYS_QUEUE<<8 | 2
	queueVerdictBatch = unix.NFNL_SUBSYS_QUEUE<<8 | 3

	packetHeader     = 1 // attribute of a packet
	verdictHeader    = 2 // attribute of a verdict
	configCommand    = 1 // attributes of a config
	configParameters = 2
	configLength     = 3
	configMask       = 4
	configFlags      = 5

	commandBind  = 1
	copyMeta     = 1
	flagFailOpen = 1
	flagGSO      = 4 // packets that are not cut yet stay whole
	accept       = 1

	genericHeader = unix.NLMSG_HDRLEN + 4
)

// delay holds back every packet that a router forwards. One goroutine receives
// the packets' numbers and hands them back in order.
type delay struct {
	file    *os.File
	nanos   atomic.Int64
	closed  atomic.Bool
	waiting []waitingPacket
	ended   chan error
}

type waitingPacket struct {
	number uint32
	due    time.Time
}

// startDelay delays what ns forwards, IPv4 and IPv6.
func startDelay(ns *namespace, by time.Duration) (*delay, error) {
	d := &delay{ended: make(chan error, 1)}
	d.set(by)
	if err := ns.do(d.open); err != nil {
		return nil, fmt.Errorf("opening the packet queue: %w", err)
	}
	// nft has no queue statement in every kernel, iptables does.
	for _, name := range []string{"iptables", "ip6tables"} {
		err := ns.run("", name, "-t", "mangle", "-A", "FORWARD", "-j", "NFQUEUE", "--queue-num", "0", "--queue-bypass")
		if err != nil {
			return nil, errors.Join(err, d.file.Close())
		}
	}
	go func() {
		err := d.serve()
		if d.closed.Load() {
			err = nil // it is the end that was asked for
		}
		d.ended <- err
	}()
	return d, nil
}

// open opens queue 0 of the namespace that the thread is in.
func (d *delay) open() error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	err = errors.Join(
		unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20),
		unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_NO_ENOBUFS, 1),
		configure(fd, attribute(configCommand, []byte{commandBind, 0, 0, 0})),
		configure(fd,
			attribute(configParameters, []byte{0, 0, 0, 0, copyMeta}),
			attribute(configLength, be32(65535)),
			attribute(configMask, be32(flagFailOpen|flagGSO)),
			attribute(configFlags, be32(flagFailOpen|flagGSO)),
		),
		unix.SetNonblock(fd, true),
	)
	if err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	d.file = os.NewFile(uintptr(fd), "packet queue")
	return nil
}

// set changes the delay of the packets that come from now on.
func (d *delay) set(by time.Duration) { d.nanos.Store(int64(by)) }

// Close ends the delay; packets that wait are lost.
func (d *delay) Close() error {
	d.closed.Store(true)
	return errors.Join(d.file.Close(), <-d.ended)
}

func (d *delay) serve() error {
	buf := make([]byte, 1<<16)
	for {
		deadline := time.Time{}
		if len(d.waiting) > 0 {
			deadline = d.waiting[0].due
		}
		if err := d.file.SetReadDeadline(deadline); err != nil {
			return err
		}
		n, err := d.file.Read(buf)
		now := time.Now()
		switch {
		case err == nil:
			d.take(buf[:n], now.Add(time.Duration(d.nanos.Load())))
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		}
		if err := d.release(now); err != nil {
			return err
		}
	}
}

// take notes the packets in what the kernel wrote.
func (d *delay) take(b []byte, due time.Time) {
	for len(b) >= genericHeader {
		length := int(binary.NativeEndian.Uint32(b))
		if length < genericHeader || length > len(b) {
			return
		}
		if binary.NativeEndian.Uint16(b[4:]) == queuePacket {
			if number, ok := packetNumber(b[genericHeader:length]); ok {
				d.waiting = append(d.waiting, waitingPacket{number, due})
			}
		}
		b = b[min(align(length), len(b)):]
	}
}

// release hands back all packets that are due, with one verdict.
func (d *delay) release(now time.Time) error {
	n := 0
	for n < len(d.waiting) && !d.waiting[n].due.After(now) {
		n++
	}
	if n == 0 {
		return nil
	}
	verdict := append(be32(accept), be32(d.waiting[n-1].number)...)
	d.waiting = d.waiting[n:]
	_, err := d.file.Write(message(queueVerdictBatch, 0, attribute(verdictHeader, verdict)))
	if errors.Is(err, unix.ENOENT) {
		return nil // their interface is gone, and they with it
	}
	return err
}

func packetNumber(attributes []byte) (uint32, bool) {
	for b := attributes; len(b) >= unix.SizeofNlAttr; {
		length := int(binary.NativeEndian.Uint16(b))
		if length < unix.SizeofNlAttr || length > len(b) {
			break
		}
		if binary.NativeEndian.Uint16(b[2:]) == packetHeader && length >= 8 {
			return binary.BigEndian.Uint32(b[4:]), true
		}
		b = b[min(align(length), len(b)):]
	}
	return 0, false
}

// configure sends settings of queue 0 and waits for the kernel's answer.
func configure(fd int, attributes ...[]byte) error {
	m := message(queueConfig, unix.NLM_F_ACK, attributes...)
	if err := unix.Sendto(fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil {
		return err
	}
	if n < unix.NLMSG_HDRLEN+4 || binary.NativeEndian.Uint16(buf[4:]) != unix.NLMSG_ERROR {
		return errors.New("unexpected answer of the kernel")
	}
	if code := int32(binary.NativeEndian.Uint32(buf[unix.NLMSG_HDRLEN:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

// message makes a message about queue 0.
func message(kind, flags uint16, attributes ...[]byte) []byte {
	b := make([]byte, genericHeader)
	for _, a := range attributes {
		b = append(b, a...)
	}
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|flags)
	return b
}

func attribute(kind uint16, value []byte) []byte {
	length := unix.SizeofNlAttr + len(value)
	b := make([]byte, align(length))
	binary.NativeEndian.PutUint16(b, uint16(length))
	binary.NativeEndian.PutUint16(b[2:], kind)
	copy(b[unix.SizeofNlAttr:], value)
	return b
}

func align(n int) int { return (n + 3) &^ 3 }

func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
