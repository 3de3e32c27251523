//go:build !linux

package history

import "os"

// datasync is a whole sync: on darwin the one that reaches the platter.
func datasync(f *os.File) error { return f.Sync() }
