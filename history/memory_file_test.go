package history

import (
	"errors"
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
	f.n.given(int(off), int(off)+len(b))
	return copy(f.n.data[off:], b), err
}

// Datasync that fails may have synced, or not: here it did not. The data is still what a
// reader of the same boot sees, but the next sync takes it for written, as kernels do.
func (f *memoryFile) Datasync() error {
	err := f.m.call("sync", f.name)
	n := f.n
	if errors.Is(err, errPower) || err != nil && f.m.stop == f.m.calls+1 { // killed before anything could be done about it
		return err
	}
	if err != nil {
		n.lost = append(n.lost, missed{n.differs(), len(n.data)})
		return err
	}
	durable := slices.Clone(n.data)
	for _, l := range n.lost {
		for i := l.from; i < min(l.to, len(durable)); i++ {
			if durable[i] = 0; i < len(n.durable) {
				durable[i] = n.durable[i]
			}
		}
	}
	n.durable = durable
	return nil
}

// missed is a part of a file that a sync has not written.
type missed struct{ from, to int }

// differs is up to where a file is on the disk as it reads.
func (n *node) differs() int {
	i := 0
	for i < min(len(n.data), len(n.durable)) && n.data[i] == n.durable[i] {
		i++
	}
	return i
}

// given says that a part is written anew: the next sync writes it.
func (n *node) given(from, to int) {
	var lost []missed
	for _, l := range n.lost {
		for _, rest := range []missed{{l.from, min(l.to, from)}, {max(l.from, to), l.to}} {
			if rest.from < rest.to {
				lost = append(lost, rest)
			}
		}
	}
	n.lost = lost
}

func (f *memoryFile) Sync() error          { return f.Datasync() }
func (f *memoryFile) Size() (int64, error) { return int64(len(f.n.data)), f.m.call("size", f.name) }
func (f *memoryFile) Close() error         { return f.m.call("close", f.name) }

func (f *memoryFile) Truncate(size int64) error {
	err := f.m.call("truncate", f.name)
	if err == nil {
		f.n.given(int(size), len(f.n.data))
		f.n.data = slices.Clone(f.n.data[:size])
	}
	return err
}
