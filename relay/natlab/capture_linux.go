package natlab

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// capture is what Capture promises.
func (m *Machine) capture(w io.Writer) (stop func() error, err error) {
	var file *os.File
	if err := m.ns.do(func() error {
		file, err = openFrames()
		return err
	}); err != nil {
		return nil, err
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	c := &copier{w: w, buf: make([]byte, 1<<18)}
	ended := make(chan error, 1)
	go func() {
		err := raw.Read(func(fd uintptr) bool { c.copy(fd); return false })
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
		ended <- err
	}()
	return func() error {
		err := errors.Join(file.SetReadDeadline(time.Unix(1, 0)), <-ended)
		return errors.Join(err, raw.Control(c.copy), c.err, file.Close())
	}, nil
}

// openFrames opens a socket that gets all frames of the namespace that the thread is in.
func openFrames() (*os.File, error) {
	const all = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // in network order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "frames")
	eth0, err := net.InterfaceByName("eth0")
	if err == nil {
		err = errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20),
			unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all & 0xffff, Ifindex: eth0.Index}),
		)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// copier writes what waits in a socket; its first error ends the writing.
type copier struct {
	w   io.Writer
	buf []byte
	err error
}

func (c *copier) copy(fd uintptr) {
	for c.err == nil {
		n, err := syscall.Read(int(fd), c.buf)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return
		case err != nil:
			c.err = err
		default:
			_, c.err = c.w.Write(c.buf[:n])
		}
	}
}
