package history

import (
	"encoding/hex"
	"errors"
	"os"
	"path"
	"slices"

	"p2pchat/rooms"
)

// state writes the newest generation, up to its last whole write.
func (b *backup) state() error {
	for range 10 { // the host may compact meanwhile
		generations, err := b.store.generations()
		if err != nil || len(generations) == 0 {
			return err
		}
		err = b.generation(generations)
		if !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return errVanished
}

func (b *backup) generation(generations []uint64) error {
	newest := generations[len(generations)-1]
	f, e, err := b.store.scanState(newest)
	if err == nil {
		defer f.Close()
		if _, err = readChanges(f, b.store.statePath(newest), e); err == nil {
			return b.file(path.Join("state", stateName(newest)), f, e.whole)
		}
	}
	if !damaged(err) {
		return err
	}
	for _, n := range generations[max(0, len(generations)-2):] { // a repair may need both
		raw, err := b.store.fs.OpenFile(b.store.statePath(n), os.O_RDONLY)
		if errors.Is(err, os.ErrNotExist) {
			return errVanished
		}
		if err != nil {
			return err
		}
		err = errors.Join(b.damaged(path.Join("state", stateName(n)), raw), raw.Close())
		if err != nil {
			return err
		}
	}
	return nil
}

// room writes the segments of a room, the last one first: what the host removes of the
// oldest ones meanwhile is then missing at the beginning, and nowhere else.
func (b *backup) room(key rooms.RoomKey) error {
	dir := b.store.roomDir(key)
	segments, err := listSegments(b.store.fs, dir)
	if err != nil || len(segments) == 0 {
		return err
	}
	b.info.Rooms++
	l := &Log{store: b.store, key: key, dir: dir}
	next := rooms.Seq(0)
	for _, first := range slices.Backward(segments) {
		name := path.Join("rooms", hex.EncodeToString(key[:]), segmentName(first))
		err := b.segment(l, name, first, next)
		if errors.Is(err, os.ErrNotExist) {
			left, lerr := listSegments(b.store.fs, dir)
			if lerr != nil || len(left) > 0 && left[0] > first {
				return lerr
			}
			b.info.Damaged = append(b.info.Damaged, name) // it vanished from the middle
			continue
		}
		if err != nil {
			return err
		}
		next = first
	}
	return nil
}

// segment writes a segment up to its last whole frame. The one behind it begins with next;
// 0: it is the last.
func (b *backup) segment(l *Log, name string, first, next rooms.Seq) error {
	f, err := b.store.fs.OpenFile(l.path(first), os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return err
	}
	e, err := scanFile(f, l.path(first), logMagic, first, func(h header) bool { return h.room == l.key })
	if damaged(err) && next == 0 {
		torn, terr := tornHeader(f, size)
		if terr != nil || torn {
			return terr // the host has just made it, or a crash left it
		}
	}
	if err == nil && next == 0 {
		var d *DamageError
		if d, err = e.damage(f, name, size, b.store.sector); d != nil {
			err = d
		}
	}
	if damaged(err) || err == nil && next != 0 && (e.bad != nil || e.last+1 != next) {
		return b.damaged(name, f)
	}
	if err != nil {
		return err
	}
	b.info.Messages += int64(e.last + 1 - e.first)
	return b.file(name, f, e.end)
}
