package history

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// datasync leaves out the time of modification, which a log does not need.
func datasync(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
		return nil
	}
}

// writeBack lets the kernel begin early with what a sync will wait for.
func writeBack(f *os.File, offset, n int64) {
	_ = syscall.SyncFileRange(int(f.Fd()), offset, n, unix.SYNC_FILE_RANGE_WRITE)
}
