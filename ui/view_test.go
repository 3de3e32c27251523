package ui

import (
	"slices"
	"strings"
	"testing"
)

func TestViewDropsTheOldestMessages(t *testing.T) {
	v := newView("> ")
	big := strings.Repeat("x", maxWaiting/4)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		v.print([]string{name + big})
	}
	f, _, active := v.take()
	if active || len(f.lines) != 4 || f.lines[0] != "(2 lines not shown: the terminal did not take them)" || f.lines[1][0] != 'c' {
		t.Errorf("%d lines, the first %.60q", len(f.lines), f.lines[0])
	}
	if f, _, _ = v.take(); len(f.lines) != 0 {
		t.Errorf("drawn twice: %.60q", f.lines)
	}
}

func TestViewClear(t *testing.T) {
	v := newView("> ")
	v.print([]string{"old"})
	v.clearScreen()
	v.print([]string{"new"})
	f, _, _ := v.take()
	if !f.clear || !slices.Equal(f.before, []string{"old"}) || !slices.Equal(f.lines, []string{"new"}) {
		t.Errorf("got %+v", f)
	}
}

func TestViewWakesOnce(t *testing.T) {
	v := newView("> ")
	v.print([]string{"a"})
	v.print([]string{"b"})
	<-v.wake
	if v.isUrgent() {
		t.Error("a message is as urgent as a key")
	}
	v.typed([]rune("x"), 1, menu{}, "")
	if !v.isUrgent() {
		t.Error("a key is not urgent")
	}
	<-v.wake
	select {
	case <-v.wake:
		t.Error("woken without a reason")
	default:
	}
}
