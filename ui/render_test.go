package ui

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"p2pchat/rooms"
)

func testPage(width, color int) *page {
	return &page{width: func() int { return width }, color: color, now: newFakeClock().Now}
}

func TestRenderMessage(t *testing.T) {
	action := posted(1, bob, "bob", "waves at the whole long room")
	action.Kind = rooms.Action
	for _, c := range []struct {
		width int
		m     rooms.Posted
		rows  []string
	}{
		{80, posted(1, bob, "bob", "hi"), []string{"00:01 bob hi"}},
		{0, posted(1, bob, "bob", strings.Repeat("long ", 30)), []string{"00:01 bob " + strings.Repeat("long ", 30)}},
		{80, posted(1, bob, "bob", "a\n00:02 alice pay mallory\n"), []string{"00:01 bob a", "    │ 00:02 alice pay mallory", "    │ "}},
		{0, posted(1, bob, "bob", "a\r\n00:02 alice x"), []string{"00:01 bob a ", "    │ 00:02 alice x"}},
		{34, posted(1, bob, "bob", "the quick brown fox jumps over it"), []string{"00:01 bob the quick brown fox", "    │ jumps over it"}},
		{20, posted(1, bob, "bob", "the quick brown fox jumps"), []string{"00:01 bob the quick", "│ brown fox jumps"}},
		{20, posted(1, bob, "bob", "你好你好你好你好你好"), []string{"00:01 bob", "│ 你好你好你好你好你", "│ 好"}},
		{34, posted(1, bob, "bob", "xxxxxxxxxxxxxxxxxxxxxxxx\u00a000:02\u00a0alice\u00a0pay"), []string{"00:01 bob", "    │ xxxxxxxxxxxxxxxxxxxxxxxx\u00a000:", "    │ 02\u00a0alice\u00a0pay"}},
		{34, posted(1, bob, "bob", "see https://example.org/a/very/long/way/indeed ok"), []string{"00:01 bob see", "    │ https://example.org/a/very/long/way/indeed", "    │ ok"}},
		{34, posted(1, bob, "bob", "https://x\u00a0xxxxxxxxxxxxxxxxxxxxxxxxxxx"), []string{"00:01 bob", "    │ https://x\u00a0xxxxxxxxxxxxxxxxxx", "    │ xxxxxxxxx"}},
		{34, posted(1, bob, "b o\x1bb", "\x1b]52;c;eA==\a"), []string{"00:01 b_o^[b ^[]52;c;eA==^G"}},
		{20, posted(1, bob, strings.Repeat("n", 24), "hi"), []string{"00:01", "│ nnnnnnnnnnnnnnnnnn", "│ nnnnnn hi"}},
		{34, action, []string{"00:01 * bob waves at the whole", "    │ long room"}},
	} {
		rows, _ := testPage(c.width, 0).message(c.m.Message, "alice", false)
		if !slices.Equal(rows, c.rows) {
			t.Errorf("at %d %q:\n%s\nwant:\n%s", c.width, c.m.Text, strings.Join(rows, "\n"), strings.Join(c.rows, "\n"))
		}
	}
}

func TestRenderColors(t *testing.T) {
	m := posted(1, bob, "bob", "hi").Message
	for depth, want := range map[int]string{
		0:   "00:01 bob hi",
		16:  "\x1b[2m00:01 \x1b[0m\x1b[3Xmbob\x1b[0m hi",
		256: "\x1b[2m00:01 \x1b[0m\x1b[38;5;Xmbob\x1b[0m hi",
	} {
		rows, _ := testPage(80, depth).message(m, "alice", false)
		pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "X", `\d+`)
		if !regexp.MustCompile("^" + pattern + "$").MatchString(rows[0]) {
			t.Errorf("%d colours: %q", depth, rows[0])
		}
	}
	p := testPage(80, 256)
	if again := testPage(80, 256); p.nickStyle(bob) != again.nickStyle(bob) || p.nickStyle(bob) == p.nickStyle(alice) {
		t.Error("the colour does not follow the key")
	}
	rows, _ := p.message(m, "hi", true)
	if rows[0] != "\x1b[2m00:01 \x1b[0m\x1b[2mbob\x1b[0m\x1b[2m \x1b[0m\x1b[2mhi\x1b[0m\x1b[2m\x1b[0m" && strings.Contains(rows[0], "1;7") {
		t.Errorf("earlier message: %q", rows[0])
	}
}

func TestWordIndex(t *testing.T) {
	for _, c := range []struct {
		text, word string
		at         int
	}{
		{"hi Alice!", "alice", 3},
		{"malice", "alice", -1},
		{"alices", "alice", -1},
		{"@alice", "alice", 1},
		{"alice_ alice", "alice", 7},
		{"ÉVE: hi", "éve", 0},
		{"", "x", -1},
		{"\xe2\x82", "\ufffd", -1},
	} {
		if at := wordIndex(c.text, c.word); at != c.at {
			t.Errorf("wordIndex(%q, %q) = %d, want %d", c.text, c.word, at, c.at)
		}
	}
}

func TestQRCodeOnlyWhereItFits(t *testing.T) {
	link := "p2pchat:" + strings.Repeat("a", 96)
	rows := qrCode(link, 80)
	if len(rows) == 0 || len(rows) > 24 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		if n := utf8.RuneCountInString(row); n != utf8.RuneCountInString(rows[0]) || n > 45 {
			t.Fatalf("a row of %d columns", n)
		}
	}
	for _, width := range []int{0, 20, 40, utf8.RuneCountInString(rows[0]) - 1} {
		if qrCode(link, width) != nil {
			t.Errorf("a code on %d columns", width)
		}
	}
	if qrCode(strings.Repeat("a", 5000), 1000) != nil {
		t.Error("a code of a link that is too long")
	}
}

func TestHelp(t *testing.T) {
	for _, width := range []int{0, 20, 34, 80} {
		p := testPage(width, 0)
		if rows := p.helpFor(""); width == 80 && len(rows) > 20 {
			t.Errorf("/help fills a screen: %d rows", len(rows))
		}
		all := strings.Join(append(p.helpFor("all"), p.helpFor("")...), "\n")
		for _, e := range commands() {
			if !strings.Contains(all, "/"+e.name) {
				t.Errorf("at %d the help lacks /%s", width, e.name)
			}
			if one := p.helpFor("/" + strings.ToUpper(e.name)); len(one) < 2 {
				t.Errorf("/help %s: %q", e.name, one)
			}
		}
		for _, row := range strings.Split(all, "\n") {
			if width > 0 && columns(row) > width {
				t.Errorf("at %d: %q", width, row)
			}
		}
	}
	if got := testPage(0, 0).helpFor("hepl")[0]; !strings.Contains(got, "did you mean /help?") {
		t.Errorf("%q", got)
	}
}

func TestHelpTellsOptionsAndDefaults(t *testing.T) {
	for name, words := range map[string]string{
		"create": "--limit --private --topic --no-history", "invite": "100 24h never 1.", "ban": "good whole",
		"msg": "another", "close": "disk.", "bans": "whole",
	} {
		help := strings.Join(testPage(0, 0).helpFor(name), "\n")
		for _, word := range strings.Fields(words) {
			if !strings.Contains(help, word) {
				t.Errorf("/help %s lacks %q:\n%s", name, word, help)
			}
		}
	}
	for _, e := range commands() {
		for _, flag := range e.flags(nil) {
			if !strings.Contains(strings.Join(e.more, "\n"), flag) {
				t.Errorf("/help %s does not explain %s", e.name, flag)
			}
		}
	}
}

func TestTimesOfBansAndInvites(t *testing.T) {
	p := testPage(80, 0)
	for left, want := range map[time.Duration][2]string{
		10*time.Second - time.Millisecond: {"in 10s", "for 10s"},
		24*time.Hour - time.Second:        {"in 24h", "for 24h"},
		7*24*time.Hour - time.Second:      {"in 7d", "until 7 January 2000, 23:59"},
		-time.Second:                      {"now", "until now"},
	} {
		end := p.now().Add(left)
		if got := [2]string{p.until(end), p.banned(end)}; got != want {
			t.Errorf("%v: %q, want %q", left, got, want)
		}
	}
}

func TestByteSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 186368: "182 KiB", 5 << 20: "5 MiB", 3 << 40: "3 TiB"} {
		if got := byteSize(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// hostile is text that tries everything at once.
const hostile = "a\x1b[2J\x9b\u009b\a\b\r\n14:02 alice\u202e\u2066 \u00a0x\x7f\ue00a"

// Every kind of event and answer, with hostile text in every string, shows
// nothing that could steer a terminal, at every width.
func TestRenderIsSafe(t *testing.T) {
	author := rooms.Author{Peer: hostile, Nick: hostile}
	person := rooms.Member{Peer: hostile, Nick: hostile, Room: hostile, Path: hostile, Muted: true, Away: hostile}
	room := rooms.RoomInfo{Room: hostile, Topic: hostile, Members: 2}
	message := rooms.Message{Room: hostile, Kind: rooms.Text, From: author, Text: hostile}
	file := message
	file.Kind, file.File = rooms.FileUp, &rooms.File{Name: hostile, MIME: hostile}
	for _, width := range []int{0, 1, 8, 20, 34, 80} {
		p := testPage(width, 0)
		var rows []string
		for _, ev := range []rooms.Event{
			rooms.Listing{Rooms: []rooms.RoomInfo{room}},
			rooms.Roster{Room: hostile, Members: []rooms.Member{person}},
			rooms.Page{Messages: []rooms.Message{message, file}},
			rooms.Invited{Invite: rooms.InviteInfo{ID: hostile, Room: hostile}, Link: hostile},
			rooms.InviteList{Invites: []rooms.InviteInfo{{ID: hostile, Room: hostile, By: hostile}}},
			rooms.BanList{Bans: []rooms.BanInfo{{Peer: hostile, Nick: hostile, By: hostile, Reason: hostile}}},
			person,
			rooms.HostStatus{Version: hostile, Peer: hostile, Name: hostile, Target: hostile, Addrs: []string{hostile}, Rooms: []rooms.RoomInfo{room}, Members: []rooms.Member{person}},
			rooms.Refuse(rooms.Busy, hostile, "%s", hostile),
		} {
			rows = append(rows, p.answer(ev)...)
		}
		for what := rooms.MemberJoined; what <= rooms.MemberBack; what++ {
			rows = append(rows, p.member(rooms.MemberChanged{What: what, Member: person, Old: hostile, By: hostile, Reason: hostile}, false)...)
		}
		rows = append(rows, p.whisper(rooms.Whispered{From: author, To: author, Text: hostile})...)
		rows = append(rows, p.notice("%s", wayText(rooms.Path{Path: hostile, Transport: hostile, Why: hostile}))...)
		rows = append(rows, p.entered(room, alice, hostile, []rooms.Member{person})...)
		rows = append(rows, p.updated(rooms.RoomInfo{}, room, hostile)...)
		rows = append(rows, p.helpFor(hostile)...)
		rows = append(rows, p.alarm("%s", newCircle(Options{}).warning(change{hostile, hostile, hostile, true}))...)
		for _, row := range rows {
			if i := strings.IndexFunc(row, func(r rune) bool {
				return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r)
			}); i >= 0 || !utf8.ValidString(row) {
				t.Errorf("at %d: %q", width, row)
			}
			if strings.HasPrefix(row, "14:02") {
				t.Errorf("at %d a message is forged: %q", width, row)
			}
		}
	}
}

// FuzzLayout: no text escapes its width or its margin, and none of it is lost.
func FuzzLayout(f *testing.F) {
	f.Add("00:01 bob the quick brown fox", uint8(20))
	f.Add("你好 https://example.org/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", uint8(34))
	f.Add("a\n\nb  c", uint8(9))
	f.Fuzz(func(t *testing.T, text string, width uint8) {
		text = SanitizeBody(text)
		var shown strings.Builder
		for i, row := range layout([]run{{plain, text}}, int(width)) {
			if i > 0 {
				if row[0].text != margin && row[0].text != narrowMargin {
					t.Fatalf("row %d of %q begins with %q", i, text, row[0].text)
				}
			}
			cols := 0
			for j, r := range row {
				cols += columns(r.text)
				if i == 0 || j > 0 {
					shown.WriteString(r.text)
				}
			}
			if int(width) >= widestCluster+columns(narrowMargin) && cols > int(width) && !strings.Contains(text, ":") {
				t.Fatalf("row %d of %q has %d of %d columns", i, text, cols, width)
			}
		}
		squeeze := strings.NewReplacer(" ", "", "\n", "")
		if squeeze.Replace(shown.String()) != squeeze.Replace(text) {
			t.Fatalf("%q is shown as %q", text, shown.String())
		}
	})
}
