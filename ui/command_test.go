package ui

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

var testNow = time.Date(2026, 11, 22, 14, 2, 11, 0, time.UTC)

func testParser() parser {
	return parser{now: func() time.Time { return testNow }, invite: parseTestInvite, recent: 10}
}

func TestParseLine(t *testing.T) {
	good := rooms.Capability{Secret: [16]byte{1}}
	for line, want := range map[string]rooms.Command{
		"hello":       rooms.Say{Kind: rooms.Text, Text: "hello"},
		" /list":      rooms.Say{Kind: rooms.Text, Text: " /list"},
		"//list":      rooms.Say{Kind: rooms.Text, Text: "/list"},
		"a\nb":        rooms.Say{Kind: rooms.Text, Text: "a\nb"},
		"/list":       rooms.List{},
		"/LIST dev*":  rooms.List{Pattern: "dev*"},
		"/create dev": rooms.Create{Room: "dev"},
		"/create #dev --limit 3 --private --topic \"a \\\"b\\\" c\" --no-history": rooms.Create{Room: "dev", Limit: 3, Private: true, Topic: `a "b" c`, NoHistory: true},
		"/create --topic=x --limit=3 dev":                                         rooms.Create{Room: "dev", Limit: 3, Topic: "x"},
		"/join dev":                                                               rooms.Join{Room: "dev", Recent: 10},
		"/join  #dev ":                                                            rooms.Join{Room: "dev", Recent: 10},
		"/join p2pchat:good":                                                      rooms.Join{Invite: good, Recent: 10},
		"/leave":                                                                  rooms.Leave{},
		"/part":                                                                   rooms.Leave{},
		"/who":                                                                    rooms.Who{},
		"/names":                                                                  rooms.Who{},
		"/nick bob":                                                               rooms.Rename{Nick: "bob"},
		"/me waves  twice":                                                        rooms.Say{Kind: rooms.Action, Text: "waves  twice"},
		"/msg @bob \"hi\"  there":                                                 rooms.Whisper{Nick: "bob", Text: "\"hi\"  there"},
		"/topic what we build":                                                    rooms.Topic{Text: "what we build"},
		`/topic ""`:                                                               rooms.Topic{},
		"/limit 10":                                                               rooms.SetLimit{Limit: 10},
		"/invite":                                                                 rooms.Invite{},
		"/invite --expires 7d --uses 5":                                           rooms.Invite{Uses: 5, Life: 7 * 24 * time.Hour},
		"/invite dev --expires never --qr":                                        rooms.Invite{Room: "dev", Life: never},
		"/invites":                                                                rooms.Invites{},
		"/revoke k7f2":                                                            rooms.Revoke{ID: "k7f2"},
		"/history":                                                                rooms.History{Last: true, Limit: recentHistory},
		"/history 5":                                                              rooms.History{Last: true, Limit: 5},
		"/history 1h10m":                                                          rooms.History{Since: testNow.Add(-70 * time.Minute)},
		"/search low tide":                                                        rooms.Search{Text: "low tide", Limit: recentHistory},
		"/search --before 12 low  tide":                                           rooms.Search{Text: "low  tide", Before: 12, Limit: recentHistory},
		"/search low tide --before 12":                                            rooms.Search{Text: "low tide", Before: 12, Limit: recentHistory},
		"/search --before=12 tide":                                                rooms.Search{Text: "tide", Before: 12, Limit: recentHistory},
		"/search --beforehand":                                                    rooms.Search{Text: "--beforehand", Limit: recentHistory},
		"/redact":                                                                 rooms.Redact{},
		"/redact 12":                                                              rooms.Redact{Seq: 12},
		"/retention all":                                                          rooms.SetRetention{},
		"/retention 30d 100MiB 5000":                                              rooms.SetRetention{Retention: rooms.Retention{Age: 30 * 24 * time.Hour, Bytes: 100 << 20, Messages: 5000}},
		"/kick bob":                                                               rooms.Kick{Nick: "bob"},
		"/kick bob too \"loud\"":                                                  rooms.Kick{Nick: "bob", Reason: "too \"loud\""},
		"/ban bob":                                                                rooms.Ban{Who: "bob"},
		"/ban bob 24h":                                                            rooms.Ban{Who: "bob", Life: 24 * time.Hour},
		"/ban bob never again":                                                    rooms.Ban{Who: "bob", Reason: "again"},
		"/ban bob never 3 strikes":                                                rooms.Ban{Who: "bob", Reason: "3 strikes"},
		"/ban bob too loud":                                                       rooms.Ban{Who: "bob", Reason: "too loud"},
		"/ban bob 1h10m too loud":                                                 rooms.Ban{Who: "bob", Life: 70 * time.Minute, Reason: "too loud"},
		"/unban bob":                                                              rooms.Unban{Who: "bob"},
		"/bans":                                                                   rooms.Bans{},
		"/mute bob":                                                               rooms.Mute{Nick: "bob", Muted: true},
		"/unmute bob":                                                             rooms.Mute{Nick: "bob"},
		"/op bob":                                                                 rooms.Op{Nick: "bob", Op: true},
		"/deop bob":                                                               rooms.Op{Nick: "bob"},
		"/whois bob":                                                              rooms.Whois{Nick: "bob"},
		"/close":                                                                  rooms.Close{},
		"/close dev":                                                              rooms.Close{Room: "dev"},
		"/away":                                                                   rooms.Away{Text: "away"},
		"/away to  lunch":                                                         rooms.Away{Text: "to  lunch"},
		"/back":                                                                   rooms.Away{},
		"/ping":                                                                   rooms.Ping{},
	} {
		got, no := testParser().parse(line)
		if no != nil || !reflect.DeepEqual(got.cmd, want) {
			t.Errorf("%q: %#v, %v; want %#v", line, got.cmd, no, want)
		}
	}
}

func TestParseLineHere(t *testing.T) {
	for line, want := range map[string][2]string{
		"/topic": {"topic", ""}, "/ignore bob": {"ignore", "bob"}, "/unignore  bob ": {"unignore", "bob"}, "/status": {"status", ""},
		"/clear": {"clear", ""}, "/help create": {"help", "create"}, "/exit": {"quit", ""}, "/QUIT": {"quit", ""},
	} {
		got, no := testParser().parse(line)
		if no != nil || got.cmd != nil || got.entry.name != want[0] || got.arg != want[1] {
			t.Errorf("%q: %#v, %v", line, got, no)
		}
	}
}

func TestParseLineRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"/":                     "there is no command /",
		"/lsit":                 "did you mean /list?",
		"/etc/passwd":           "//etc/passwd says it",
		"/create":               "/create needs an ID for the room",
		"/create a b":           `does not know what to do with "b"`,
		"/create a --limit":     "needs a value for --limit",
		"/create a --limit x":   `needs a number, not "x"`,
		"/create a --limit -1":  `needs a number, not "-1"`,
		"/create a --colour":    "has no flag --colour",
		"/create a --private=1": "has no flag --private",
		"/create a --":          "has no flag --",
		"/create \"a":           "quote that is not closed",
		"/join":                 "/join needs ID|INVITE",
		"/join a b":             "takes one word only",
		"/join p2pchat:bad":     "this is no invite",
		"/leave now":            "takes nothing behind it",
		"/msg bob":              "needs something to say",
		"/me ":                  "needs what you do",
		"/invite --expires 5":   "needs a time like 30m, 24h or 7d, not \"5\"",
		"/invite --uses 0":      "has 1 to 100 uses, not 0",
		"/invite --uses 101":    "has 1 to 100 uses, not 101",
		"/history 0":            "needs at least 1",
		"/history x":            "an age like 30m",
		"/retention 30":         "keeps 100 messages or more; an age has a unit, such as 30d",
		"/retention 1s":         "keeps what is younger than 1h, or more",
		"/retention 5kb":        "keeps 64 KiB or more",
		"/limit 1.5":            "needs a number",
		"/kick":                 "needs NICK",
		"/search":               "needs something to look for",
		"/search --before x y":  `needs a number, not "x"`,
		"/search --before 3":    "needs something to look for",
		"/redact 0":             "needs the number of a message",
		"/redact last":          `needs a number, not "last"`,
		"/retention 100M":       `not "100M"`,
		"/retention 30d 7d":     `not "7d"`,
		"/retention all 5":      `not "all"`,
		"/retention 0":          `not "0"`,
	} {
		got, no := testParser().parse(line)
		if no == nil || !strings.Contains(no.Error(), want) {
			t.Errorf("%q: %#v, %v; want %q", line, got, no, want)
		}
		if no != nil && no.Hint == "" && !strings.Contains(line, "bad") {
			t.Errorf("%q is refused without a hint", line)
		}
	}
}

func TestNearestCommand(t *testing.T) {
	for name, want := range map[string]string{
		"jion": "join", "lst": "list", "halp": "help", "histroy": "history", "qiut": "quit", "creat": "create", "unbann": "unban",
		"zzz": "", "": "", "deploy": "", strings.Repeat("x", 1000): "",
	} {
		if got := nearest(name); got != want {
			t.Errorf("nearest(%.20q) = %q, want %q", name, got, want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"24h": 24 * time.Hour, "7d": 168 * time.Hour, "1h10m": 70 * time.Minute, "2w": 336 * time.Hour, "30S": 30 * time.Second,
		"": 0, "5": 0, "h": 0, "1h5": 0, "-1h": 0, "0h": 0, "1y": 0, "99999999w": 0, "2147483647h2147483647h": 0, "1.5h": 0,
	} {
		if got, err := parseDuration(in); got != want || (err == nil) != (want != 0) {
			t.Errorf("parseDuration(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 90 * time.Minute: "1h30m", 24 * time.Hour: "24h", 25*time.Hour + 3*time.Second: "25h", 9 * 24 * time.Hour: "9d", time.Hour + time.Second: "1h",
		24*time.Hour - time.Second: "24h", 7*24*time.Hour - time.Millisecond: "7d", 50 * time.Hour: "2d2h", time.Hour - time.Millisecond: "1h",
		10*time.Second - time.Millisecond: "10s", 48*time.Hour - time.Millisecond: "2d", 90 * time.Second: "1m30s", 300 * time.Millisecond: "0s",
	} {
		if got := lasting(d); got != want {
			t.Errorf("lasting(%v) = %q, want %q", d, got, want)
		}
	}
}

// The table is what the help, the completion and the documents are made from.
func TestCommandTable(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range commands() {
		for _, name := range append([]string{e.name}, e.aliases...) {
			if seen[name] || name != strings.ToLower(name) {
				t.Errorf("%q stands twice, or not in small letters", name)
			}
			seen[name] = true
		}
		if e.build == nil && e.local == nil {
			t.Errorf("/%s does nothing", e.name)
		}
		if !strings.HasSuffix(e.help, ".") || !strings.HasPrefix(e.example, "/"+e.name) {
			t.Errorf("/%s: help %q, example %q", e.name, e.help, e.example)
		}
		if _, no := testParser().parse(e.example); no != nil {
			t.Errorf("the example %q is refused: %v", e.example, no)
		}
		if !strings.Contains(CommandsMarkdown(), "`"+strings.ReplaceAll(e.usage(), "|", `\|`)+"`") || !strings.Contains(CommandsMan(), `/`+e.name+`\fR`) {
			t.Errorf("/%s is not documented", e.name)
		}
	}
	for _, name := range strings.Fields("list create join leave part who names nick me msg topic limit invite invites revoke history kick ban unban bans mute unmute op deop whois close ping ignore unignore clear status help quit exit") {
		if !seen[name] {
			t.Errorf("there is no /%s", name)
		}
	}
}
