package rooms_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"p2pchat/rooms"
)

// FuzzRegistry reads choices out of bytes, one or two for each, and plays the game
// of the model with them: the same oracle, the same checks.
func FuzzRegistry(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a few sessions come, make a room or two and leave again"))
	f.Add([]byte(strings.Repeat("\x00\x01\x02\x03\x05\x08\x0d\x15\x22\x37\x59\x90\xe9", 40)))
	for seed := range uint64(8) {
		b := make([]byte, 400)
		_, _ = seeded(seed).Read(b)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newWorld(t)
		pick := func(n int) int {
			c := 0
			for size := 1; size < n && len(b) > 0; size <<= 8 {
				c, b = c<<8|int(b[0]), b[1:]
			}
			return c % n
		}
		for steps := 0; len(b) > 0 && steps < 400; steps++ {
			w.step(pick)
		}
	})
}

// FuzzNames: whatever is taken for a name is clean, and means itself.
func FuzzNames(f *testing.F) {
	for _, s := range []string{
		"", "dev", "dev~abcdefgh", "DEV~ABCDEFGH", "alice", "cafe\u0301", "日本語", "שלום", "ｄｅｖ", "a\u202eb", "\xff", "host",
		"ب٣", "ΟΔΟΣ", "ǅ", "İ", "ﬀ", "a\u0323\u0301", strings.Repeat("e\u0301", 48), strings.Repeat("한", 24),
	} {
		f.Add(s)
	}
	limits := rooms.DefaultLimits()
	f.Fuzz(func(t *testing.T, s string) {
		id, refusal := limits.ParseRoomID(s)
		if refusal == nil {
			clean(t, string(id), limits.RoomID)
			if again, refusal := limits.ParseRoomID(string(id)); again != id {
				t.Errorf("room %q is %q when read again: %v", id, again, refusal)
			}
		} else {
			wellSaid(t, refusal)
		}
		nick, refusal := limits.ParseNick(s)
		if refusal == nil {
			clean(t, nick, limits.Nick)
			if again, refusal := limits.ParseNick(nick); again != nick {
				t.Errorf("nick %q is %q when read again: %v", nick, again, refusal)
			}
			if strings.Contains(nick, "~") {
				t.Errorf("nick %q holds the mark of private rooms", nick)
			}
		} else {
			wellSaid(t, refusal)
		}
		granted(t, s)
	})
}

// granted connects with a wish, and another member with the same one.
func granted(t *testing.T, wish string) {
	h := newHost(t)
	a, b := h.dial("a"), h.dial("b")
	first := a.must(rooms.Connect{Peer: a.peer, Nick: wish}).(rooms.Welcome).Nick
	second := b.must(rooms.Connect{Peer: b.peer, Nick: wish}).(rooms.Welcome).Nick
	for _, nick := range []string{first, second} {
		if again, refusal := rooms.DefaultLimits().ParseNick(nick); again != nick || !utf8.ValidString(nick) {
			t.Errorf("the wish %q got the nick %q, which is none: %v", wish, nick, refusal)
		}
	}
	if strings.EqualFold(first, second) {
		t.Errorf("two members are called %q and %q", first, second)
	}
	for _, cmd := range []rooms.Command{
		rooms.Whois{Nick: wish},
		rooms.List{Pattern: wish},
		rooms.Join{Room: wish},
		rooms.Create{Room: wish},
		rooms.Kick{Nick: wish},
		rooms.Unban{Who: wish},
		rooms.Revoke{ID: wish},
		rooms.Close{},
	} {
		_, _ = a.ask(cmd)
	}
	if m := b.must(rooms.Whois{Nick: first}).(rooms.Member); m.Nick != first {
		t.Errorf("%q is %+v", first, m)
	}
}
