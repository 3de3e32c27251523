package history

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

	"p2pchat/rooms"
)

// sealHeader sets the checksum of a header.
func sealHeader(b []byte) []byte {
	binary.LittleEndian.PutUint32(b[60:], crc32.Checksum(b[:60], castagnoli))
	return b
}

// wholeFrames reads a file in the plainest way: how many frames from the start on have
// the right number and checksum.
func wholeFrames(b []byte) (n int) {
	if len(b) < headerSize {
		return 0
	}
	salt := binary.LittleEndian.Uint32(b[12:])
	for b = b[headerSize:]; len(b) >= frameHead && b[0] == frameMagic; n++ {
		size := uint64(binary.LittleEndian.Uint32(b[2:]))
		if size > maxPayload || frameHead+size > uint64(len(b)) ||
			binary.LittleEndian.Uint64(b[6:]) != uint64(n+1) {
			return n
		}
		sum := crc32.Update(salt, castagnoli, append(append([]byte(nil), b[1:14]...), b[frameHead:frameHead+size]...))
		if binary.LittleEndian.Uint32(b[14:]) != sum {
			return n
		}
		b = b[frameHead+size:]
	}
	return n
}

// fuzzFile makes a file of the fuzzer's bytes: as they are, behind a good header, or
// as the payloads of good frames, each with its length and flags in front.
func fuzzFile(data []byte, mode uint8, magic string, room rooms.RoomKey) []byte {
	h := header{salt: 77, room: room, first: 1, epoch: 0}
	switch mode % 3 {
	case 0:
		return data
	case 1:
		return append(h.encode(magic), data...)
	}
	b := h.encode(magic)
	for seq := rooms.Seq(1); len(data) > 3; seq++ {
		n := min(int(binary.LittleEndian.Uint16(data)), len(data)-3)
		b = appendFrame(b, h.salt, data[2]&flagsKnown, seq, data[3:3+n])
		data = data[3+n:]
	}
	return b
}

// putFile puts a file in the place of whatever a path leads to.
func putFile(t testing.TB, m *memory, path string, data []byte) {
	t.Helper()
	for i, c := range path[1:] {
		if c == '/' {
			_ = m.Mkdir(path[:i+1])
		}
	}
	f, err := m.OpenFile(path, os.O_CREATE|os.O_TRUNC)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		t.Fatal(err)
	}
}

// expectLittleMemory fails when f allocates much more than a page needs.
func expectLittleMemory(t *testing.T, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}

// addGolden adds golden files to a corpus, in every mode.
func addGolden(f *testing.F, pattern string) {
	f.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "v*", pattern))
	if err != nil || len(paths) == 0 {
		f.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		addFile(f, path)
	}
}

func addFile(f *testing.F, path string) {
	f.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, uint8(0))
	f.Add(b[headerSize:], uint8(1))
	var framed []byte
	r := frameReader{
		f: &memoryFile{newMemory(), &node{data: b}, ""}, off: headerSize, end: int64(len(b)),
		salt: binary.LittleEndian.Uint32(b[12:]),
	}
	for fr, err := r.next(); err == nil; fr, err = r.next() {
		framed = binary.LittleEndian.AppendUint16(framed, uint16(len(fr.payload)))
		framed = append(append(framed, fr.flags), fr.payload...)
	}
	f.Add(framed, uint8(2))
}

// FuzzSegment opens any bytes as the last segment of a room, for a host and for a
// view: no panic, little memory, and no message without a whole frame.
func FuzzSegment(f *testing.F) {
	addGolden(f, "rooms/*/seg-*.log")
	f.Fuzz(func(t *testing.T, data []byte, mode uint8) {
		data = fuzzFile(data, mode, logMagic, lobby)
		whole := wholeFrames(data)
		m := newMemory()
		putFile(t, m, "/data/rooms/b00102030405060708090a0b0c0d0e0f/"+segmentName(1), data)
		expectLittleMemory(t, func() {
			s := newStore(m, "/data")
			if _, err := s.Verify(lobby); err != nil {
				t.Fatal(err)
			}
			if l, err := s.Room(lobby); err == nil {
				if msgs, _ := all(l, 10); len(msgs) > whole {
					t.Fatalf("%d messages, %d whole frames", len(msgs), whole)
				}
			}
		})
		s, err := openMemory(m)
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.Room(lobby)
		if err != nil || l.Damage() != nil {
			return
		}
		head := l.Head()
		if int(head) > whole {
			t.Fatalf("head %d, %d whole frames", head, whole)
		}
		say(t, l, head+2, 1)
		if got, err := l.After(head, 10); err != nil || len(got) != 2 {
			t.Fatalf("after an append: %d messages, %v", len(got), err)
		}
	})
}

// FuzzState opens any bytes as the state.
func FuzzState(f *testing.F) {
	addGolden(f, "state/state-0000000000000002.log")
	f.Fuzz(func(t *testing.T, data []byte, mode uint8) {
		data = fuzzFile(data, mode, stateMagic, rooms.RoomKey{})
		whole := wholeFrames(data)
		m := newMemory()
		putFile(t, m, "/data/state/"+stateName(1), data)
		expectLittleMemory(t, func() {
			if got, _ := newStore(m, "/data").Changes(); len(got) > whole {
				t.Fatalf("%d changes, %d whole frames", len(got), whole)
			}
		})
		s, err := openMemory(m)
		if err != nil {
			return
		}
		before, err := s.Changes()
		if err != nil {
			return
		}
		if err := s.Record(someChange(1)); err != nil {
			t.Fatal(err)
		}
		if after, err := s.Changes(); err != nil || len(after) != len(before)+1 {
			t.Fatalf("%d changes after one more, were %d: %v", len(after), len(before), err)
		}
	})
}

// FuzzClaim: whatever the bytes of a claim, reading it ends, and what comes out is what
// would be written.
func FuzzClaim(f *testing.F) {
	s := newStore(newMemory(), "/data")
	c := &claim{room: lobby, after: 7, Claim: rooms.Claim{Peer: "peer", File: described([]byte("content")), Made: noon}}
	whole, err := c.encode(s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:headerSize])
	f.Add(whole[:len(whole)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMemory()
		m.root.names["0123456789abcdef"] = &node{data: b}
		s := newStore(m, "/")
		got, err := s.readClaim("/0123456789abcdef")
		if err != nil {
			if !errors.Is(err, errNoClaim) && !errors.As(err, new(*VersionError)) {
				t.Fatal(err)
			}
			return
		}
		again, err := got.encode(s)
		if err != nil {
			t.Fatal(err)
		}
		m.root.names["0123456789abcdef"].data = again
		if back, err := s.readClaim("/0123456789abcdef"); err != nil || !reflect.DeepEqual(back, got) {
			t.Fatalf("%+v came back as %+v, %v", got, back, err)
		}
	})
}

// FuzzFileNames: a name is that of an attachment, a partial or a content in one spelling
// only.
func FuzzFileNames(f *testing.F) {
	h := described([]byte("content")).Hash
	f.Add(attachmentName(7, "0123456789abcdef", h))
	f.Add((&partial{room: lobby, hash: h, size: 7, peer: peerKey("peer")}).name())
	f.Add(h.String())
	f.Fuzz(func(t *testing.T, name string) {
		if a, ok := parseAttachment(name); ok && attachmentName(a.seq, a.id, a.hash) != name {
			t.Fatalf("%q is the attachment %+v", name, a)
		}
		if p, ok := parsePartial(name); ok && (p.name() != name || p.size < 0) {
			t.Fatalf("%q is the partial %+v", name, p)
		}
		if h, ok := parseHash(name); ok && h.String() != name {
			t.Fatalf("%q is the hash %s", name, h)
		}
	})
}
