package rooms_test

import (
	"strings"
	"testing"

	"github.com/ergochat/confusables"

	"p2pchat/rooms"
)

// TestLookAlikes: a nick is not granted next to one that it could be taken for.
func TestLookAlikes(t *testing.T) {
	for _, tt := range []struct {
		taken string
		wish  []string
	}{
		{"alice", []string{"al1ce", "ALICE", "Alice", "a1ice", "aIice", "alіce", "ａｌｉｃｅ", "al-ice", "a.l.i.c.e", "alice_", "AL1CE-"}},
		{"modern", []string{"rnodern", "MODERN", "modem", "rnodem", "m0dern", "mo_dern"}},
		{"wally", []string{"vvally", "wa11y", "VVally"}},
		{"bob", []string{"b0b", "B0B", "ｂob", "bob."}},
		{"сор", []string{"cop", "COP", "c0p", "сор.", "cop.", "с0р"}},
		{"ace", []string{"асе", "асе.", "а_се", "Асе"}},
		{"rose", []string{"гоѕе"}},
		{"Ångström", []string{"A\u030angstro\u0308m", "ångström", "ÅNGSTRÖM"}},
		{"straße", []string{"STRAßE"}},
		{"οδοσ", []string{"ΟΔΟΣ"}},
	} {
		h := newHost(t)
		h.connect(tt.taken)
		for _, wish := range tt.wish {
			refused(t, h, tt.taken, wish)
		}
	}
}

// refused checks that a wish is refused, as a nick not at all or as taken.
func refused(t *testing.T, h *host, taken, wish string) {
	t.Helper()
	g := h.dial("other")
	answer, refusal := g.ask(rooms.Connect{Peer: g.peer, Nick: wish, Fixed: true})
	if refusal == nil {
		t.Errorf("next to %q, %q was granted: %+v", taken, wish, answer)
		g.must(rooms.Disconnect{})
		return
	}
	if refusal.Code != rooms.NameTaken && refusal.Code != rooms.BadName {
		t.Errorf("next to %q, %q: %s", taken, wish, refusal.Code)
	}
}

// TestConfusables walks through all runes that pass for ASCII letters or digits.
func TestConfusables(t *testing.T) {
	skeletons := map[string]rune{}
	for r := '0'; r <= 'z'; r++ {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			skeletons[confusables.Skeleton(string(r))] = r
		}
	}
	h := newHost(t)
	tried := 0
	for r := rune(0x80); r < 0x20000; r++ {
		original, ok := skeletons[confusables.Skeleton(string(r))]
		if !ok {
			continue
		}
		tried++
		g := h.dial("original")
		g.must(rooms.Connect{Peer: g.peer, Nick: "x" + string(original), Fixed: true})
		refused(t, h, "x"+string(original), "x"+string(r))
		g.must(rooms.Rename{Nick: "nobody"})
		g.must(rooms.Rename{Nick: string(original)})
		refused(t, h, string(original), string(r))
		g.must(rooms.Rename{Nick: "nobody"})
		g.must(rooms.Disconnect{})
	}
	if tried < 500 {
		t.Errorf("only %d look-alikes were tried", tried)
	}
	t.Logf("%d look-alikes", tried)
}

func TestLookAlikeSentences(t *testing.T) {
	h := newHost(t)
	h.connect("alice")
	bob := h.connect("bob")
	says(t, bob.refused(rooms.NameTaken, rooms.Rename{Nick: "ALICE"}), `nick "ALICE" is taken; choose another`)
	says(t, bob.refused(rooms.NameTaken, rooms.Rename{Nick: "al1ce"}),
		`nick "al1ce" looks like "alice", which is taken; choose one that can't be mistaken`)
}

// TestOwnLookAlike: a member may vary its own nick.
func TestOwnLookAlike(t *testing.T) {
	h := newHost(t)
	alice, bob := h.connect("alice"), h.connect("bob")
	for _, nick := range []string{"Alice", "al1ce", "a-l-i-c-e", "alice"} {
		alice.must(rooms.Rename{Nick: nick})
		bob.refused(rooms.NameTaken, rooms.Rename{Nick: strings.ToUpper(nick)})
	}
	alice.must(rooms.Rename{Nick: "carol"})
	bob.must(rooms.Rename{Nick: "al1ce"})
}
