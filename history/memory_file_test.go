package history

import (
	"io"
	"slices"
)

// memoryFile is an open file in memory.
type memoryFile struct {
	m    *memory
	n    *node
	name string
}

func (f *memoryFile) ReadAt(b []byte, off int64) (int, error) {
	if err := f.m.call("read", f.name); err != nil {
		return 0, err
	}
	if off >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.n.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes half of it where it fails: disks do that.
func (f *memoryFile) WriteAt(b []byte, off int64) (int, error) {
	err := f.m.call("write", f.name)
	if err != nil {
		b = b[:len(b)/2]
	}
	if need := int(off) + len(b); need > len(f.n.data) {
		f.n.data = append(f.n.data, make([]byte, need-len(f.n.data))...)
	}
	return copy(f.n.data[off:], b), err
}

// Datasync that fails may have synced, or not: here it did not, and the data is
// still what a reader of the same boot sees.
func (f *memoryFile) Datasync() error {
	err := f.m.call("sync", f.name)
	if err == nil {
		f.n.durable = slices.Clone(f.n.data)
	}
	return err
}

func (f *memoryFile) Sync() error          { return f.Datasync() }
func (f *memoryFile) Size() (int64, error) { return int64(len(f.n.data)), f.m.call("size", f.name) }
func (f *memoryFile) Close() error         { return f.m.call("close", f.name) }

func (f *memoryFile) Truncate(size int64) error {
	err := f.m.call("truncate", f.name)
	if err == nil {
		f.n.data = slices.Clone(f.n.data[:size])
	}
	return err
}
