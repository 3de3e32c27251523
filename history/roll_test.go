package history

import (
	"testing"

	"p2pchat/rooms"
)

func TestRenewMakesAnotherEpoch(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	l := openRoom(t, s)
	seen := map[uint64]bool{l.Epoch(): true}
	for last := rooms.Seq(0); last <= 40; last += 20 {
		say(t, l, last, 3)
		for range 2 { // the second time the segment is empty
			if err := l.Renew(); err != nil {
				t.Fatal(err)
			}
			if seen[l.Epoch()] {
				t.Fatal("the epoch is an old one")
			}
			seen[l.Epoch()] = true
		}
	}
	epoch := l.Epoch()
	s.Close()
	s = openStore(t, dir)
	l = openRoom(t, s)
	if l.Epoch() != epoch {
		t.Errorf("the epoch is %x, was %x", l.Epoch(), epoch)
	}
	say(t, l, 60, 4)
	expectAll(t, l, 60)
	expectWhole(t, s, 60)
}
