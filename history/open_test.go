package history

import (
	"testing"

	"p2pchat/rooms"
)

// counting is a file system that counts the bytes that are read.
type counting struct {
	fs
	read *int64
}

type countingFile struct {
	file
	read *int64
}

func (c counting) OpenFile(name string, flag int) (file, error) {
	f, err := c.fs.OpenFile(name, flag)
	return countingFile{f, c.read}, err
}

func (f countingFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.file.ReadAt(b, off)
	*f.read += int64(n)
	return n, err
}

// TestOpeningReadsTheLastSegment opens a room of many segments after its host was
// killed, with a redaction of an old message as its last.
func TestOpeningReadsTheLastSegment(t *testing.T) {
	m := newMemory()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	s.segment = 64 << 10
	l := openRoom(t, s)
	say(t, l, 20_000, 100)
	redact(t, l, 3000)
	if n := len(l.view.Load().segments); n < 40 {
		t.Fatalf("there are only %d segments", n)
	}
	m.reboot(false, nil)

	var read int64
	s = newStore(counting{m, &read}, "/data")
	if err := s.open(); err != nil {
		t.Fatal(err)
	}
	state := read
	l = openRoom(t, s)
	const block = windowSize + headerSize // one window for the chain, one for each end of the redaction
	if tail := l.view.Load().last.end; read-state > tail+3*block+64<<10 {
		t.Errorf("%d bytes were read, the last segment has %d", read-state, tail)
	}
	expectLog(t, l, map[rooms.Seq]rooms.Seq{20_001: 3000})
}
