package history

import (
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
		writeGolden(t, filepath.Join("testdata", "v1-redacted"))
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
	return g
}

func writeGolden(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir)
	s.segment = 4 << 10
	l := openRoom(t, s)
	say(t, l, 40, 3)
	lost := rooms.Message{Seq: 41, Time: said(41).Time, Kind: rooms.Lost}
	if err := l.Append([]rooms.Message{lost}); err != nil {
		t.Fatal(err)
	}
	next := *l.view.Load()
	next.chain = chainSum{1, 2, 3} // a repair goes on with what it found
	l.view.Store(&next)
	say(t, l, 60, 3)
	for _, target := range []rooms.Seq{35, 38, 60} {
		if err := l.Redact(redaction(l.Head()+1, target)); err != nil {
			t.Fatal(err)
		}
	}
	say(t, l, 66, 1)
	if _, err := l.Retain(rooms.Retention{Messages: 40}, noon); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(someChanges(1, 13)); err != nil {
		t.Fatal(err)
	}
	if err := s.Record(someChanges(14, 20)...); err != nil {
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
