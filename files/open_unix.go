//go:build unix

package files

import "golang.org/x/sys/unix"

const (
	noFollow = unix.O_NOFOLLOW // a link is not a file of its own
	noWait   = unix.O_NONBLOCK // opening a pipe does not wait for its writer
)
