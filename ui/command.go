package ui

import (
	"slices"
	"strings"
	"time"

	"p2pchat/rooms"
)

// entry is one slash command. Its row in the table is all there is to know
// about it: how it is read, completed, explained and documented.
type entry struct {
	name    string
	aliases []string
	args    string
	help    string
	more    []string // its options and defaults, in /help COMMAND
	example string
	who     audience
	word    offer                                                        // what completion offers for the first word behind it
	lines   bool                                                         // it takes a text of several lines
	second  offer                                                        // and for the second one
	build   func(p parser, a *arguments) (rooms.Command, *rooms.Refusal) // asks the host
	local   func(h hands, arg string)                                    // or is done here
	done    func(cmd rooms.Command) string                               // what to say at Done, where no event says it
}

// audience is who may use a command.
type audience int

const (
	everybody audience = iota
	operators
	owner
)

// offer is what completion offers behind a command.
type offer int

const (
	offerNothing offer = iota
	offerRooms
	offerNicks
	offerCommands
	offerPaths
)

// hands does the commands that the host need not be asked about.
type hands interface {
	showTopic(arg string)
	showRetention(arg string)
	ignore(arg string)
	unignore(arg string)
	setBell(arg string)
	sendFiles(arg string)
	saveFile(arg string)
	openFile(arg string)
	cancelFile(arg string)
	verify(arg string)
	clear(arg string)
	state(arg string)
	help(arg string)
	edit(arg string)
	quit(arg string)
}

// usage returns the command as it is typed.
func (e *entry) usage() string {
	if e.args == "" {
		return "/" + e.name
	}
	return "/" + e.name + " " + e.args
}

// parser reads lines. Relative times count from now.
type parser struct {
	now    func() time.Time
	invite func(string) (rooms.Capability, error)
	recent int
}

// typed is what a line means: a command for the host, or something to do here.
type typed struct {
	entry *entry // nil for what is simply said
	cmd   rooms.Command
	arg   string // of a local command
	qr    bool   // the answer, an invite, is to be shown as a QR code, too
}

// parse reads a line: a slash command, or something to say.
func (p parser) parse(line string) (typed, *rooms.Refusal) {
	rest, ok := strings.CutPrefix(line, "/")
	if !ok || strings.HasPrefix(rest, "/") {
		return typed{cmd: rooms.Say{Kind: rooms.Text, Text: strings.TrimPrefix(line, "/")}}, nil
	}
	name, rest, _ := cutBlank(rest)
	e := lookup(name)
	if e == nil {
		return typed{}, unknown(name)
	}
	if !e.lines && strings.Contains(strings.Trim(line, blanks), "\n") {
		return typed{}, rooms.Refuse(rooms.BadRequest, "put a second / in front to say it as it is", "/%s takes one line, and this has several", e.name)
	}
	a := &arguments{entry: e, rest: rest}
	if e.build == nil {
		return typed{entry: e, arg: a.text()}, nil
	}
	cmd, no := e.build(p, a)
	if no != nil {
		return typed{}, no
	}
	if cmd == nil { // asked without what would make it a command, such as /topic alone
		return typed{entry: e}, nil
	}
	return typed{entry: e, cmd: cmd, qr: a.qr}, nil
}

// cutBlank cuts s at its first blank.
func cutBlank(s string) (before, after string, found bool) {
	if i := strings.IndexAny(s, blanks); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// lookup returns the command with this name or alias, ignoring case, or nil.
func lookup(name string) *entry {
	name = strings.ToLower(name)
	for _, e := range commands() {
		if e.name == name || slices.Contains(e.aliases, name) {
			return e
		}
	}
	return nil
}

// unknown is the refusal of a command that does not exist.
func unknown(name string) *rooms.Refusal {
	hint := "/help lists the commands; //" + name + " says it"
	if near := nearest(name); near != "" {
		hint = "did you mean /" + near + "? " + hint
	}
	return rooms.Refuse(rooms.BadRequest, hint, "there is no command /%s", name)
}

// nearest returns the command or alias that name was most likely meant to be:
// the one with the fewest letters wrong, if these are few enough; or "".
func nearest(name string) string {
	name = strings.ToLower(name)
	best, least := "", max(1, min(2, len(name)/2))+1
	if len(name) > 32 {
		return ""
	}
	for _, e := range commands() {
		for _, known := range append([]string{e.name}, e.aliases...) {
			if d := distance(name, known); d < least {
				best, least = known, d
			}
		}
	}
	return best
}

// distance counts the letters to put in, take out, change or swap with their
// neighbour to make b of a.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	rows := make([][]int, len(from)+1)
	for i := range rows {
		rows[i] = make([]int, len(to)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(from); i++ {
		for j := 1; j <= len(to); j++ {
			cost := 1
			if from[i-1] == to[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(from)][len(to)]
}
