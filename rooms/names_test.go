package rooms_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"p2pchat/rooms"
)

func TestRoomIDs(t *testing.T) {
	limits := rooms.DefaultLimits()
	for _, tt := range []struct{ typed, kept string }{
		{"dev", "dev"},
		{"Dev-Team_2.0", "Dev-Team_2.0"},
		{"7", "7"},
		{"запад", "запад"},
		{"日本語ひらカナ", "日本語ひらカナ"},
		{"한글漢字abc", "한글漢字abc"},
		{"ㄅㄆ漢abc", "ㄅㄆ漢abc"},
		{"שלום", "שלום"},
		{"ｄｅｖ", "ｄｅｖ"},
		{"cafe\u0301", "café"},
		{"dev~abcdefgh", "dev~abcdefgh"},
		{"dev~ABCD2345", "dev~ABCD2345"},
	} {
		if id, refusal := limits.ParseRoomID(tt.typed); refusal != nil || string(id) != tt.kept {
			t.Errorf("%q is room %q, %v; want %q", tt.typed, id, refusal, tt.kept)
		}
	}
	for _, typed := range []string{
		"", " ", "a b", "-dev", "_dev", ".dev", "/dev", "de/v", "dev\n", "\x00", "a\x7f", "#dev", "a,b", "a*",
		"\u0301e", "e\u0323\u0323\u0323\u0323", "dаv", "abcאב", "ひ한", "漢ㄅカ", "a\u202eb", "a\u200bb", "a\u00adb", "a\u00a0b",
		"\xff", "a\xffb", "\xed\xa0\x80", "😀", "a😀", "\ufeffa", "aא", "א1٣",
		"~", "dev~", "~abcdefgh", "dev~abcdefg", "dev~abcdefghi", "dev~abcdefg1", "dev~abcdefgh~abcdefgh", "dev~abcdefg\u00e9",
	} {
		id, refusal := limits.ParseRoomID(typed)
		if refusal == nil {
			t.Errorf("%q was taken for room %q", typed, id)
			continue
		}
		if refusal.Code != rooms.BadName || id != "" {
			t.Errorf("%q: %q, %s", typed, id, refusal.Code)
		}
		wellSaid(t, refusal)
	}
}

func TestNameSentences(t *testing.T) {
	limits := rooms.DefaultLimits()
	for _, tt := range []struct{ typed, want string }{
		{"", "the room has no name; give it one of letters, digits, _ . -"},
		{strings.Repeat("x", 49), "the name of the room has 49 characters, 48 are allowed; take a shorter one"},
		{"a b", `"a b" can't be the name of a room; use letters and digits of one script, and _ . - after the first`},
	} {
		_, refusal := limits.ParseRoomID(tt.typed)
		says(t, refusal, tt.want)
	}
	_, refusal := limits.ParseNick("host")
	says(t, refusal, `nick "host" is reserved; choose another nick`)
	_, refusal = limits.ParseNick(strings.Repeat("é", 25))
	says(t, refusal, "the name of the nick has 25 characters, 24 are allowed; take a shorter one")
}

// TestNameLengths counts characters as they are kept, in every kind of writing.
func TestNameLengths(t *testing.T) {
	limits := rooms.DefaultLimits()
	parse := map[string]struct {
		limit int
		take  func(string) *rooms.Refusal
	}{
		"room": {48, func(s string) *rooms.Refusal { _, r := limits.ParseRoomID(s); return r }},
		"nick": {24, func(s string) *rooms.Refusal { _, r := limits.ParseNick(s); return r }},
	}
	for what, p := range parse {
		for _, sign := range []string{"x", "é", "e\u0301", "猫", "글", "ß", "ж", "𠀀", "ｘ"} {
			for _, n := range []int{1, p.limit - 1, p.limit} {
				if refusal := p.take(strings.Repeat(sign, n)); refusal != nil {
					t.Errorf("%s of %d × %q: %v", what, n, sign, refusal)
				}
			}
			if p.take(strings.Repeat(sign, p.limit+1)) == nil {
				t.Errorf("%s of %d × %q was taken", what, p.limit+1, sign)
			}
		}
		if p.take("") == nil {
			t.Errorf("an empty %s was taken", what)
		}
	}
	if _, refusal := limits.ParseRoomID(strings.Repeat("x", 48) + "~abcdefgh"); refusal != nil {
		t.Errorf("the suffix of a private room counts: %v", refusal)
	}
}

func TestRoomCase(t *testing.T) {
	h := newHost(t)
	alice, bob := h.connect("alice"), h.connect("bob")
	alice.create(rooms.Create{Room: "Straße-Dev"})
	for _, typed := range []string{"straße-dev", "STRAßE-DEV", "ｓtraße-Dev"} {
		enters(rooms.RoomID(typed), bob)
		bob.is("Straße-Dev")
		bob.must(rooms.Leave{})
	}
	says(t, bob.refused(rooms.RoomExists, rooms.Create{Room: "straße-DEV"}),
		`room "straße-DEV" exists already; /join straße-DEV enters it, or choose another name`)

	key, ok := h.reg.Lookup("STRAßE-dev")
	if in, _ := h.reg.Room(alice.id); !ok || in != key {
		t.Errorf("Lookup gives %x, %v; want %x", key, ok, in)
	}
	if _, ok := h.reg.Lookup("other"); ok {
		t.Error("Lookup finds a room that is not there")
	}
}

// TestPrivateRoomCase: nothing of an identifier depends on case, the suffix included.
func TestPrivateRoomCase(t *testing.T) {
	h := newHost(t)
	alice := h.connect("alice")
	id := alice.create(rooms.Create{Room: "Dev", Private: true})
	for _, typed := range []string{strings.ToUpper(string(id)), strings.ToLower(string(id))} {
		alice.must(rooms.Leave{})
		alice.must(rooms.Join{Room: typed})
		alice.is(id)
	}
}

func TestReservedNicks(t *testing.T) {
	limits := rooms.DefaultLimits()
	for _, nick := range []string{
		"host", "system", "server", "admin", "everyone", "here", "null", "p2pchat",
		"HOST", "H0st", "h.o.s.t", "adm1n", "adrnin", "Nu1l", "p2p-chat", "ｈｏｓｔ", "sуstem", "ѕегѵег", "һеге", "НОЅТ",
	} {
		if got, refusal := limits.ParseNick(nick); refusal == nil {
			t.Errorf("%q was granted as %q", nick, got)
		} else {
			wellSaid(t, refusal)
		}
	}
	for _, nick := range []string{"hosts", "ghost", "nulla", "administrator", "hereby", "p2p"} {
		if _, refusal := limits.ParseNick(nick); refusal != nil {
			t.Errorf("%q was refused: %v", nick, refusal)
		}
	}
}

// naughty returns the big list of naughty strings.
func naughty(t testing.TB) []string {
	t.Helper()
	b, err := os.ReadFile("../ui/testdata/blns.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the list of naughty strings (ui/testdata/blns.json) is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 400 {
		t.Fatalf("only %d naughty strings", len(all))
	}
	return all
}

func TestNaughtyNames(t *testing.T) {
	limits := rooms.DefaultLimits()
	nicks, ids := 0, 0
	for _, s := range naughty(t) {
		if nick, refusal := limits.ParseNick(s); refusal == nil {
			nicks++
			clean(t, nick, limits.Nick)
		} else {
			wellSaid(t, refusal)
		}
		if id, refusal := limits.ParseRoomID(s); refusal == nil {
			ids++
			clean(t, string(id), limits.RoomID)
		} else {
			wellSaid(t, refusal)
		}
	}
	if nicks == 0 || ids == 0 {
		t.Errorf("%d nicks and %d rooms were taken: the check refuses everything", nicks, ids)
	}
	t.Logf("%d strings can be a nick, %d a room", nicks, ids)
}

// TestNaughtyEverywhere puts the strings wherever a member may write.
func TestNaughtyEverywhere(t *testing.T) {
	h := newHost(t, func(l *rooms.Limits) { l.Rooms = 0 })
	alice, bob := h.connect("alice"), h.connect("bob")
	for _, s := range naughty(t) {
		for _, cmd := range []rooms.Command{
			rooms.Create{Room: s, Topic: s},
			rooms.Join{Room: s},
			rooms.List{Pattern: s},
			rooms.Rename{Nick: s},
			rooms.Topic{Text: s},
			rooms.Whisper{Nick: s, Text: s},
			rooms.Whisper{Nick: "bob", Text: s},
			rooms.Invite{Room: s},
			rooms.Invites{Room: s},
			rooms.Revoke{ID: s},
			rooms.Kick{Nick: s, Reason: s},
			rooms.Ban{Who: s, Reason: s},
			rooms.Unban{Who: s},
			rooms.Mute{Nick: s},
			rooms.Op{Nick: s},
			rooms.Whois{Nick: s},
			rooms.Close{Room: s},
			rooms.Rename{Nick: "alice"},
		} {
			_, _ = alice.ask(cmd)
		}
		g := h.dial("guest")
		nick := g.must(rooms.Connect{Peer: "peer-x", Nick: s}).(rooms.Welcome).Nick
		clean(t, nick, 24)
		if again, refusal := rooms.DefaultLimits().ParseNick(nick); again != nick {
			t.Errorf("the wish %q got the nick %q, which is none: %v", s, nick, refusal)
		}
		g.must(rooms.Disconnect{})
	}
	bob.must(rooms.Ping{})
}

// clean checks what holds for every name that is taken.
func clean(t testing.TB, name string, limit int) {
	t.Helper()
	base, _, _ := strings.Cut(name, "~")
	if n := utf8.RuneCountInString(base); n < 1 || n > limit {
		t.Errorf("%q has %d characters", name, n)
	}
	if !utf8.ValidString(name) {
		t.Errorf("%q is not UTF-8", name)
	}
	for _, r := range name {
		switch {
		case unicode.IsControl(r), unicode.IsSpace(r), unicode.In(r, unicode.Cf, unicode.Zs, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs):
			t.Errorf("%q holds %U", name, r)
		case unicode.Is(unicode.Bidi_Control, r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
			t.Errorf("%q holds %U, which is not seen", name, r)
		}
	}
}
