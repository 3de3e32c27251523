package history

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHalfWrittenSegmentIsRemoved(t *testing.T) {
	m, last, _ := smallRoom(t)
	path := filepath.Join("/data/rooms/b00102030405060708090a0b0c0d0e0f", rewriteName)
	putFile(t, m, path, segmentsOf(t, m)[0].data)
	v, err := viewOn(m, "/data")
	if err != nil {
		t.Fatal(err)
	}
	expectAll(t, openRoom(t, v), last)
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	expectAll(t, openRoom(t, s), last)
	if _, n, _, err := m.find(path); n != nil || err != nil {
		t.Errorf("%q is still there, %v", path, err)
	}
}

func TestRedactionTakesWhatWasTorn(t *testing.T) {
	m, last, _ := smallRoom(t)
	nodes := segmentsOf(t, m)
	tail := nodes[len(nodes)-1]
	tail.data = slices.Clone(tail.data[:len(tail.data)-1])
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	say(t, l, last, 1)
	if found := m.root.grep(secretOf(last), ""); !strings.Contains(fmt.Sprint(found), "torn") {
		t.Fatalf("the text is in %q", found)
	}
	redact(t, l, last)
	if found := m.root.grep(secretOf(last), ""); len(found) != 0 {
		t.Fatalf("the text is still in %q", found)
	}
}
