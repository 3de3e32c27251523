package history

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"p2pchat/rooms"
)

var update = flag.Bool("update", false, "write the golden files of the current version")

// golden is what a golden directory has to say.
type golden struct {
	Epoch    uint64
	Chain    string
	Messages []rooms.Message
	Changes  []rooms.Change
}

// TestGolden reads the files that released versions wrote. Never write those of an
// older version again: they stand for what is on people's disks.
func TestGolden(t *testing.T) {
	if *update {
		writeGolden(t, filepath.Join("testdata", "v1-files"))
	}
	dirs, err := filepath.Glob(filepath.Join("testdata", "v*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, dir := range dirs {
		b, err := os.ReadFile(filepath.Join(dir, "want.json"))
		if err != nil {
			t.Fatal(err)
		}
		var want golden
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		got := readGolden(t, dir)
		for i := range want.Messages {
			if want.Messages[i].Mark == 0 && i < len(got.Messages) { // older ones have no marks
				got.Messages[i].Mark = 0
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s reads as\n%+v\nwant\n%+v", dir, got, want)
		}
	}
}

func readGolden(t *testing.T, dir string) golden {
	t.Helper()
	s, err := View(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	g := golden{Epoch: l.Epoch(), Chain: expectWhole(t, s, l.Head()).Chain}
	if g.Messages, err = all(l, 10); err != nil {
		t.Fatal(err)
	}
	if g.Changes, err = s.Changes(); err != nil {
		t.Fatal(err)
	}
	readGoldenFiles(t, dir, g.Messages)
	return g
}

// readGoldenFiles lets a host open a copy of the directory and reads the files in it.
func readGoldenFiles(t *testing.T, dir string, msgs []rooms.Message) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "files")); err != nil {
		return
	}
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, copied)
	l := openRoom(t, s)
	for _, m := range msgs {
		if m.File == nil || m.File.Hash == (rooms.Hash{}) {
			continue
		}
		b, err := contentIn(t, s, lobby, m.File.ID)
		if err != nil || sha256.Sum256(b) != m.File.Hash {
			t.Errorf("the file of message %d: %v", m.Seq, err)
		}
	}
	if c := l.Claims(); len(c) != 1 || c[0].File.Name != "cat.png" {
		t.Errorf("claims: %+v", c)
	}
}

func writeGolden(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir)
	s.segment = 4 << 10
	l := openRoom(t, s)
	say(t, l, 30, 3)
	for i := range 4 {
		shared(t, s, l, "peer", bytes.Repeat([]byte{'a' + byte(i)}, 100*i))
	}
	shared(t, s, l, "other", bytes.Repeat([]byte{'b'}, 100))
	if err := l.Redact(redaction(l.Head()+1, 34)); err != nil {
		t.Fatal(err)
	}
	uploaded(t, s, lobby, "peer", []byte("waits to be posted"))
	if err := s.Compact(someChanges(1, 13)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	for _, name := range []string{"LOCK", "reserve"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	b, err := json.MarshalIndent(readGolden(t, dir), "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "want.json"), append(b, '\n'), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestLaterVersionIsRefused(t *testing.T) {
	b := header{first: 1}.encode(logMagic)
	b[8] = version + 1
	b = sealHeader(b)
	_, err := decodeHeader(b, logMagic, "seg")
	var later *VersionError
	if !errors.As(err, &later) || later.Version != version+1 {
		t.Errorf("a later version: %v", err)
	}
	m := newMemory()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	say(t, openRoom(t, s), 3, 1)
	s.Close()
	n := segmentsOf(t, m)[0]
	n.data[8] = version + 1
	sealHeader(n.data[:headerSize])
	if _, err := newStore(m, "/data").Room(lobby); err == nil {
		t.Error("a room of a later version opens")
	}
}
