//go:build !linux && !darwin && !freebsd && !windows

package history

// freeBytes does not know.
func freeBytes(string) (int64, error) { return -1, nil }
