package history

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// inUse makes the error for a lock file that somebody else holds.
func inUse(name string) error {
	pid := 0
	if b, err := os.ReadFile(name); err == nil {
		pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	}
	return &InUseError{Dir: filepath.Dir(name), PID: pid}
}

// writePID tells others who holds the lock. The file stays when the lock is
// released: to remove it would let two processes lock two different files.
func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}
