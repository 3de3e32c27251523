package ui

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestChatEdits(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		s.forget()
		s.say("/edit  a long\nstory ")
		s.say("/edit")
		if want := []string{"a long\nstory", ""}; !slices.Equal(s.term.edited, want) {
			t.Errorf("edited %q, want %q", s.term.edited, want)
		}
		s.want()
		s.term.noEditor = errors.New("there is no editor")
		s.say("/edit")
		s.want("!! there is no editor; type here; Alt-Enter begins a new line")
	})
}

func TestNoScreenNoEditor(t *testing.T) {
	if err := NewPlain(strings.NewReader(""), &strings.Builder{}).Edit(""); err == nil {
		t.Error("a plain terminal has an editor")
	}
	var out, problems strings.Builder
	h := newFakeHost()
	h.events <- welcome()
	err := Pipe(context.Background(), Options{Session: h, Now: newFakeClock().Now, Commands: true}, strings.NewReader("/edit x\n"), &out, &problems)
	if err == nil || !strings.Contains(problems.String(), "a pipe has no screen for an editor") {
		t.Errorf("%v, and the pipe says %q", err, problems.String())
	}
}
