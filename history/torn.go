package history

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"p2pchat/rooms"
)

// sectorSize is the least number of bytes that a disk writes as a whole or not at all.
const sectorSize = 512

// torn tells what of the broken frame at off a crash can have left out. lost: a sector
// of it, which is zeros then, up to its end. cut: its end, for the file ends before that.
// With neither, all of the frame had been there, and it is damaged.
func (r *frameReader) torn(off, sector int64) (lost, cut bool, err error) {
	reach, cut, err := r.reach(off)
	if err != nil {
		return false, false, err
	}
	for at := off; at < reach && !lost; {
		next := min((at/sector+1)*sector, r.end)
		b, err := r.bytes(at, int(next-at))
		if err != nil {
			return false, false, err
		}
		lost, at = allZeros(b), next
	}
	return lost, cut, nil
}

func allZeros(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

// reach returns up to where the loss of a sector would break the frame at off, and whether
// the file ends before the frame does.
func (r *frameReader) reach(off int64) (end int64, cut bool, err error) {
	head, err := r.bytes(off, int(min(frameHead, r.end-off)))
	switch {
	case err != nil:
		return 0, false, err
	case head[0] != frameMagic:
		return off + 1, false, nil // it is in a sector that was lost, or damaged
	case len(head) < frameHead:
		return r.end, true, nil
	}
	n := int64(binary.LittleEndian.Uint32(head[2:]))
	if n > maxPayload {
		return off, false, nil // of a length, too, a crash leaves zeros: it never grows
	}
	if end = off + frameHead + n; end <= r.end {
		return end - 1, false, nil // the last byte of a gob is a zero anyway
	}
	grown, err := r.endsHere(off)
	return r.end, !grown, err
}

// endsHere tells whether only the length of the frame at off is wrong: with the one that
// ends the frame where the file ends, the checksum is right.
func (r *frameReader) endsHere(off int64) (bool, error) {
	n := r.end - off - frameHead
	if n > maxPayload {
		return false, nil
	}
	b, err := r.bytes(off, int(frameHead+n))
	if err != nil {
		return false, err
	}
	head := slices.Clone(b[1:14])
	binary.LittleEndian.PutUint32(head[1:], uint32(n))
	return checksum(r.salt, head, b[frameHead:]) == binary.LittleEndian.Uint32(b[14:]), nil
}

// tornHeader tells whether a crash can have left what is no header: there is nothing
// behind it, and it lacks its end, or its sector was not written.
func tornHeader(f file, size int64) (bool, error) {
	if size != headerSize {
		return size < headerSize, nil
	}
	b := make([]byte, headerSize)
	if _, err := f.ReadAt(b, 0); err != nil {
		return false, err
	}
	return allZeros(b), nil
}

// spoiled goes from r.off on over frames that are broken, but were there as a whole, as
// far as their numbers, which follow last, or the end of the file tell what they were.
// It returns the last one's number.
func (r *frameReader) spoiled(last rooms.Seq, sector int64) (rooms.Seq, error) {
	for r.end-r.off >= frameHead {
		lost, cut, err := r.torn(r.off, sector)
		if err != nil || lost || cut {
			return last, err
		}
		only, err := r.endsHere(r.off)
		if err != nil {
			return last, err
		}
		head, err := r.bytes(r.off, frameHead)
		if err != nil {
			return last, err
		}
		next := r.off + frameHead + int64(binary.LittleEndian.Uint32(head[2:]))
		follows := binary.LittleEndian.Uint64(head[6:]) == uint64(last+1)
		switch {
		case only:
			next = r.end
		case next > r.end || !follows && (head[0] != frameMagic || next < r.end):
			return last, nil
		}
		last, r.off = last+1, next
	}
	return last, nil
}

// setAside copies bytes of f to lost/ below dir, durably, before they are cut off.
// It returns where, as the end of a sentence.
func setAside(fsys fs, dir, name string, f file, from, to int64) (string, error) {
	if from >= to {
		return "", nil
	}
	lost := filepath.Join(dir, "lost")
	if err := ensureDir(fsys, lost); err != nil {
		return "", err
	}
	out, path, err := createTorn(fsys, lost, fmt.Sprintf("%s-%d", name, from))
	if err != nil {
		return "", err
	}
	err = copyBytes(out, f, from, to)
	if err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = fsys.SyncDir(lost)
	}
	if err == nil {
		err = fsys.SyncDir(dir)
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("; kept in %q", path), nil
}

// createTorn makes a file that is not there yet: the same place may tear twice.
func createTorn(fsys fs, dir, name string) (file, string, error) {
	path := filepath.Join(dir, name+".torn")
	for i := 2; ; i++ {
		f, err := fsys.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
		if !errors.Is(err, os.ErrExist) {
			return f, path, err
		}
		path = filepath.Join(dir, fmt.Sprintf("%s-%d.torn", name, i))
	}
}

func copyBytes(to, from file, off, end int64) error {
	buf := make([]byte, min(windowSize, end-off))
	for start := off; off < end; {
		b := buf[:min(int64(len(buf)), end-off)]
		if _, err := from.ReadAt(b, off); err != nil {
			return err
		}
		if _, err := to.WriteAt(b, off-start); err != nil {
			return err
		}
		off += int64(len(b))
	}
	return nil
}

// dropTorn removes what was cut off after crashes: what was never acknowledged was
// sent again, and is to go with the message that it became.
func (l *Log) dropTorn() error {
	lost := filepath.Join(l.dir, "lost")
	entries, err := l.store.fs.List(lost)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if err == nil && strings.HasSuffix(e.name, ".torn") {
			err = l.store.fs.Remove(filepath.Join(lost, e.name))
		}
	}
	if err == nil {
		err = l.store.fs.SyncDir(lost)
	}
	return err
}
