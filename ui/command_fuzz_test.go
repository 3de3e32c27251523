package ui

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

// spell writes a command the way it could be typed.
func spell(cmd rooms.Command) string {
	switch c := cmd.(type) {
	case rooms.Say:
		if c.Kind == rooms.Action {
			return "/me " + c.Text
		}
		if strings.HasPrefix(c.Text, "/") {
			return "/" + c.Text
		}
		return c.Text
	case rooms.List:
		return optionally("/list", "#", c.Pattern)
	case rooms.Create:
		line := "/create " + quoted("#"+c.Room) + " --topic " + quoted(c.Topic) + fmt.Sprint(" --limit ", c.Limit)
		if c.Private {
			line += " --private"
		}
		if c.NoHistory {
			line += " --no-history"
		}
		return line
	case rooms.Join:
		if c.Room == "" && c.Invite != (rooms.Capability{}) {
			return "/join p2pchat:good"
		}
		return "/join " + quoted("#"+c.Room)
	case rooms.Rename:
		return "/nick " + quoted(c.Nick)
	case rooms.Whisper:
		return "/msg " + quoted("@"+c.Nick) + " " + c.Text
	case rooms.Topic:
		if c.Text == "" {
			return `/topic ""`
		}
		return "/topic " + c.Text
	case rooms.SetLimit:
		return fmt.Sprint("/limit ", c.Limit)
	case rooms.Invite:
		line := "/invite " + quoted("#"+c.Room)
		if c.Uses > 0 {
			line += fmt.Sprint(" --uses ", c.Uses)
		}
		return line + spellLife(" --expires ", c.Life)
	case rooms.Invites:
		return optionally("/invites", "#", c.Room)
	case rooms.Revoke:
		return "/revoke " + quoted(c.ID)
	case rooms.History:
		if c.Last {
			return fmt.Sprint("/history ", c.Limit)
		}
		return "/history" + spellLife(" ", testNow.Sub(c.Since))
	case rooms.Kick:
		return "/kick " + quoted("@"+c.Nick) + " " + c.Reason
	case rooms.Ban:
		life := " never"
		if c.Life > 0 {
			life = spellLife(" ", c.Life)
		}
		return "/ban " + quoted("@"+c.Who) + life + " " + c.Reason
	case rooms.Unban:
		return "/unban " + quoted("@"+c.Who)
	case rooms.Mute:
		return map[bool]string{true: "/mute ", false: "/unmute "}[c.Muted] + quoted("@"+c.Nick)
	case rooms.Op:
		return map[bool]string{true: "/op ", false: "/deop "}[c.Op] + quoted("@"+c.Nick)
	case rooms.Whois:
		return "/whois " + quoted("@"+c.Nick)
	case rooms.Close:
		return optionally("/close", "#", c.Room)
	case rooms.Search:
		return fmt.Sprintf("/search --before %d %s", c.Before, c.Text)
	case rooms.Files:
		if c.Before == 0 {
			return "/files"
		}
		return fmt.Sprintf("/files --before %d", c.Before)
	case rooms.Redact:
		if c.Seq == 0 {
			return "/redact"
		}
		return fmt.Sprintf("/redact %d", c.Seq)
	case rooms.SetRetention:
		return spellRetention(c.Retention)
	case rooms.Leave:
		return "/leave"
	case rooms.Who:
		return "/who"
	case rooms.Bans:
		return "/bans"
	case rooms.Away:
		if c.Text == "" {
			return "/back"
		}
		return "/away " + c.Text
	case rooms.Ping:
		return "/ping"
	}
	return fmt.Sprintf("/unspelt %T", cmd)
}

func spellRetention(r rooms.Retention) string {
	line := "/retention"
	if r.Age > 0 {
		line += spellLife(" ", r.Age)
	}
	if r.Bytes > 0 {
		line += fmt.Sprintf(" %dkb", r.Bytes>>10)
		if r.Bytes%1024 != 0 || r.Bytes < 1024 {
			line = fmt.Sprintf("/unspelt %d bytes", r.Bytes) // a bare number is one of messages
		}
	}
	if r.Messages > 0 {
		line += fmt.Sprintf(" %d", r.Messages)
	}
	if r == (rooms.Retention{}) {
		line += " all"
	}
	return line
}

func optionally(line, mark, word string) string {
	if word == "" {
		return line
	}
	return line + " " + quoted(mark+word)
}

func spellLife(before string, d time.Duration) string {
	switch {
	case d < 0:
		return before + "never"
	case d == 0:
		return ""
	}
	// In pieces, for one number is limited.
	s := before
	for week := 7 * 24 * time.Hour; d >= week; d -= d / week * week {
		s += fmt.Sprintf("%dw", d/week)
	}
	if d > 0 {
		s += fmt.Sprintf("%ds", d/time.Second)
	}
	return s
}

// FuzzParseLine: no line makes the parser panic, every refusal is a bad request
// or a bad invite, and a command that was understood is understood as the same
// command when it is written out again.
func FuzzParseLine(f *testing.F) {
	for _, e := range commands() {
		f.Add(e.example)
		f.Add("/" + e.name)
	}
	for _, line := range []string{"//x", "/create \"a b\" --topic=\"\\\"\\\\\"", "/ban \"x y\" 7d \"z", "/invite --expires never", "/join p2pchat:good", "/msg \"\" x", "a\nb"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got, no := testParser().parse(line)
		if no != nil {
			if no.Code != rooms.BadRequest && no.Code != rooms.InviteInvalid {
				t.Fatalf("%q is refused with %s", line, no.Code)
			}
			return
		}
		if got.cmd == nil {
			if got.entry == nil || got.entry.local == nil {
				t.Fatalf("%q means nothing", line)
			}
			return
		}
		again, no := testParser().parse(spell(got.cmd))
		if no != nil || !reflect.DeepEqual(again.cmd, got.cmd) {
			t.Fatalf("%q is %#v, but %q is %#v, %v", line, got.cmd, spell(got.cmd), again.cmd, no)
		}
	})
}
