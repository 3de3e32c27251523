package ui

import (
	"testing"
	"time"

	"p2pchat/rooms"
)

func TestBell(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		seq := rooms.Seq(2)
		rings := func(text string) bool {
			s.forget()
			seq++
			s.pass(bellPause)
			s.tell(posted(seq, bob, "bob", text))
			return s.term.printed[0][0] == '\a'
		}
		for _, c := range []struct {
			set, answer  string
			named, other bool
		}{
			{"", "-- the bell rings when you are named, and at whispers", true, false},
			{"all", "-- the bell rings at everything that others say", true, true},
			{"OFF", "-- the bell is off", false, false},
			{"mention", "-- the bell rings when you are named, and at whispers", true, false},
		} {
			s.forget()
			s.say("/bell " + c.set)
			s.want(c.answer)
			if rings("hi alice") != c.named || rings("hi") != c.other {
				t.Errorf("/bell %s rings wrongly", c.set)
			}
		}
		s.forget()
		s.say("/bell loud")
		s.want("!! the bell has no setting \"loud\"; usage: /bell off, /bell mention or /bell all")
		own := posted(seq+1, alice, "alice", "alice speaks")
		s.pass(bellPause)
		s.say("/bell all")
		s.forget()
		s.tell(own)
		if s.term.printed[0][0] == '\a' {
			t.Error("rang at an own line")
		}
	})
}

// What a notification says can't begin another sequence or another field.
func TestNotify(t *testing.T) {
	now := time.Unix(1e9, 0)
	for notify, want := range map[Notify]string{
		NotifyNone:   "\a",
		NotifyOSC9:   "\a\x1b]9;p2pchat: 4,bob in #dev\x1b\\",
		NotifyOSC777: "\a\x1b]777;notify;p2pchat;4,bob in #dev\x1b\\",
	} {
		r := ringer{notify: notify}
		if got := r.ring(true, now, Sanitize("4;bob in #dev")); got != want {
			t.Errorf("%s: %q", notify, got)
		}
		if got := r.ring(true, now.Add(time.Second), "again"); got != "" {
			t.Errorf("%s rings again at once: %q", notify, got)
		}
	}
}
