package history

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// memory is a file system in memory that can lose power. Data and names that were
// not synced are then lost in part: any sector of a file, any change of a name, each
// by itself. It also counts calls, and can fail from one of them on or only that one.
type memory struct {
	root   *node
	locked bool

	calls int
	stop  int    // the power is off from this call on; 0: never
	nth   int    // only this call fails; 0: none
	err   error  // the error of the nth call; nil: a short write and ENOSPC, EIO for all else
	name  string // of the nth call
	path  string // of its file
	hook  func(op, name string)
}

// node is a file or a directory.
type node struct {
	names   map[string]*node // nil: a file
	synced  map[string]*node // the names that are durable
	changes []func(map[string]*node)

	data    []byte
	durable []byte   // the data that is durable
	lost    []missed // that a sync has failed to write, and the next one does not
}

var errPower = errors.New("the power is off")

// sector is what is written whole or not at all.
const sector = 64

func newMemory() *memory { return &memory{root: newDir()} }

func newDir() *node { return &node{names: map[string]*node{}, synced: map[string]*node{}} }

// call counts a call and returns the error that it has to fail with.
func (m *memory) call(op, name string) error {
	m.calls++
	if m.stop > 0 && m.calls >= m.stop {
		return errPower
	}
	if m.hook != nil {
		m.hook(op, name)
	}
	if m.calls != m.nth {
		return nil
	}
	m.name, m.path = op, name
	err := m.err
	if err == nil {
		err = syscall.EIO
		if op == "write" {
			err = syscall.ENOSPC
		}
	}
	return &os.PathError{Op: op, Path: name, Err: err}
}

// reboot is what a new process finds: with power lost, only a part of what was not
// synced is left.
func (m *memory) reboot(powerLost bool, rnd *rand.Rand) {
	if powerLost {
		m.root.lose(rnd.Float64(), rnd)
	}
	m.locked, m.calls, m.stop, m.nth = false, 0, 0, 0
}

func (n *node) lose(kept float64, rnd *rand.Rand) {
	if n.names != nil {
		for _, change := range n.changes {
			if rnd.Float64() < kept {
				change(n.synced)
			}
		}
		n.names, n.changes = map[string]*node{}, nil
		for name, child := range n.synced {
			n.names[name] = child
		}
		for _, name := range sortedNames(n.names) {
			n.names[name].lose(kept, rnd)
		}
		return
	}
	size := len(n.durable) // a new size may be there before or without the data
	if len(n.data) != size && rnd.Float64() < kept {
		size = min(size, len(n.data)) + rnd.IntN(max(size, len(n.data))-min(size, len(n.data))+1)
		if rnd.Float64() < 0.5 {
			size = len(n.data)
		}
	}
	left := make([]byte, size)
	copy(left, n.durable)
	for at := 0; at < size; at += sector {
		if end := min(at+sector, size, len(n.data)); at < end && rnd.Float64() < kept {
			copy(left[at:end], n.data[at:end])
		}
	}
	n.data, n.durable, n.lost = left, slices.Clone(left), nil
}

func sortedNames(names map[string]*node) []string {
	var list []string
	for name := range names {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// find returns the node of a path, and its directory.
func (m *memory) find(path string) (dir, n *node, base string, err error) {
	n = m.root
	for _, part := range strings.FieldsFunc(filepath.ToSlash(path), func(r rune) bool { return r == '/' }) {
		if n == nil || n.names == nil {
			return nil, nil, "", &os.PathError{Op: "find", Path: path, Err: os.ErrNotExist}
		}
		dir, n, base = n, n.names[part], part
	}
	return dir, n, base, nil
}

// change changes the names of a directory; durable when it is synced.
func (n *node) change(f func(map[string]*node)) {
	f(n.names)
	n.changes = append(n.changes, f)
}

func (m *memory) OpenFile(name string, flag int) (file, error) {
	if err := m.call("open", name); err != nil {
		return nil, err
	}
	dir, n, base, err := m.find(name)
	switch {
	case err != nil:
		return nil, err
	case n == nil && flag&os.O_CREATE == 0:
		return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
	case n != nil && flag&os.O_EXCL != 0:
		return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrExist}
	case n == nil:
		n = &node{}
		dir.change(func(names map[string]*node) { names[base] = n })
	case flag&os.O_TRUNC != 0:
		n.data = nil
	}
	return &memoryFile{m, n, name}, nil
}

func (m *memory) Mkdir(name string) error {
	if err := m.call("mkdir", name); err != nil {
		return err
	}
	dir, n, base, err := m.find(name)
	if err == nil && n != nil {
		err = &os.PathError{Op: "mkdir", Path: name, Err: os.ErrExist}
	}
	if err != nil {
		return err
	}
	made := newDir()
	dir.change(func(names map[string]*node) { names[base] = made })
	return nil
}

func (m *memory) List(name string) ([]entry, error) {
	if err := m.call("list", name); err != nil {
		return nil, err
	}
	_, n, _, err := m.find(name)
	if err == nil && (n == nil || n.names == nil) {
		err = &os.PathError{Op: "list", Path: name, Err: os.ErrNotExist}
	}
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, name := range sortedNames(n.names) {
		child := n.names[name]
		entries = append(entries, entry{name: name, size: int64(len(child.data)), dir: child.names != nil})
	}
	return entries, nil
}

func (m *memory) Rename(from, to string) error {
	if err := m.call("rename", from); err != nil {
		return err
	}
	dir, n, base, err := m.find(from)
	if err != nil || n == nil {
		return &os.PathError{Op: "rename", Path: from, Err: os.ErrNotExist}
	}
	toDir, _, target, err := m.find(to)
	if err != nil {
		return err
	}
	if toDir != dir { // the two names may become durable each by itself
		toDir.change(func(names map[string]*node) { names[target] = n })
		dir.change(func(names map[string]*node) { delete(names, base) })
		return nil
	}
	dir.change(func(names map[string]*node) {
		delete(names, base)
		names[target] = n
	})
	return nil
}

func (m *memory) Free(name string) (int64, error) { return -1, m.call("free", name) }

func (m *memory) Remove(name string) error {
	if err := m.call("remove", name); err != nil {
		return err
	}
	dir, n, base, err := m.find(name)
	if err != nil || n == nil {
		return &os.PathError{Op: "remove", Path: name, Err: os.ErrNotExist}
	}
	dir.change(func(names map[string]*node) { delete(names, base) })
	return nil
}

func (m *memory) SyncDir(name string) error {
	if err := m.call("syncdir", name); err != nil {
		return err
	}
	_, n, _, err := m.find(name)
	if err != nil || n == nil {
		return &os.PathError{Op: "sync", Path: name, Err: os.ErrNotExist}
	}
	for _, change := range n.changes {
		change(n.synced)
	}
	n.changes = nil
	return nil
}

func (m *memory) Lock(name string) (io.Closer, error) {
	if err := m.call("lock", name); err != nil {
		return nil, err
	}
	if m.locked {
		return nil, &InUseError{Dir: filepath.Dir(name), PID: 1}
	}
	m.locked = true
	return memoryLock{m}, nil
}

type memoryLock struct{ m *memory }

func (l memoryLock) Close() error { l.m.locked = false; return nil }
