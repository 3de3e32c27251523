package ui

import (
	"strconv"
	"strings"
	"time"

	"p2pchat/rooms"
)

// arguments are what stands behind the name of a command.
type arguments struct {
	entry *entry
	rest  string
	qr    bool // set by /invite --qr: how to show the answer, not part of the command
}

// blanks separate words; a pasted line may hold line ends, too.
const blanks = " \t\n"

// more reports whether anything is left.
func (a *arguments) more() bool {
	a.rest = strings.TrimLeft(a.rest, blanks)
	return a.rest != ""
}

// text returns all that is left, as typed.
func (a *arguments) text() string {
	text := strings.Trim(a.rest, blanks)
	a.rest = ""
	return text
}

// word returns the next word. A word may stand in double quotes, and then hold
// blanks, and \" and \\ for the two characters.
func (a *arguments) word() (string, *rooms.Refusal) {
	if !a.more() {
		return "", a.usage("needs %s", a.entry.args)
	}
	if a.rest[0] != '"' {
		end := strings.IndexAny(a.rest, blanks)
		if end < 0 {
			end = len(a.rest)
		}
		word := a.rest[:end]
		a.rest = a.rest[end:]
		return word, nil
	}
	var word strings.Builder
	for i := 1; i < len(a.rest); i++ {
		switch c := a.rest[i]; {
		case c == '"':
			a.rest = a.rest[i+1:]
			return word.String(), nil
		case c == '\\' && i+1 < len(a.rest) && (a.rest[i+1] == '"' || a.rest[i+1] == '\\'):
			i++
			word.WriteByte(a.rest[i])
		default:
			word.WriteByte(c)
		}
	}
	return "", a.usage("has a quote that is not closed")
}

// last returns the next word and refuses any that follows.
func (a *arguments) last() (string, *rooms.Refusal) {
	word, no := a.word()
	if no == nil && a.more() {
		no = a.usage("takes one word only")
	}
	return word, no
}

// nick returns the next word as a nick; it may be written "@nick".
func (a *arguments) nick() (string, *rooms.Refusal) {
	word, no := a.word()
	return strings.TrimPrefix(word, "@"), no
}

// optional returns the only word, or nothing.
func (a *arguments) optional() (string, *rooms.Refusal) {
	if !a.more() {
		return "", nil
	}
	return a.last()
}

// none refuses anything that is left.
func (a *arguments) none() *rooms.Refusal {
	if a.more() {
		return a.usage("takes nothing behind it")
	}
	return nil
}

// flags reads all that is left: "--name value", "--name=value" and, where the
// flag takes no value (its function is in switches), "--name", between at most
// max other words, which it returns.
func (a *arguments) flags(max int, values map[string]func(string) *rooms.Refusal, switches map[string]func()) ([]string, *rooms.Refusal) {
	var words []string
	for a.more() {
		name, value, hasValue := "", "", false
		rest, isFlag := strings.CutPrefix(a.rest, "--")
		if isFlag {
			end := strings.IndexAny(rest, blanks+"=")
			if end < 0 {
				end = len(rest)
			}
			name, hasValue = rest[:end], end < len(rest) && rest[end] == '='
			a.rest = rest[end:]
			if hasValue {
				a.rest = a.rest[1:]
			}
		}
		switch set, flip := values[name], switches[name]; {
		case !isFlag:
			word, no := a.word()
			if no != nil {
				return nil, no
			}
			if words = append(words, word); len(words) > max {
				return nil, a.usage("does not know what to do with %q", word)
			}
		case flip != nil && !hasValue:
			flip()
		case set != nil:
			var no *rooms.Refusal
			if !a.more() {
				return nil, a.usage("needs a value for --%s", name)
			}
			if value, no = a.word(); no == nil {
				no = set(value)
			}
			if no != nil {
				return nil, no
			}
		default:
			return nil, a.usage("has no flag --%s", name)
		}
	}
	return words, nil
}

// usage is the refusal of a line that is not what the command takes.
func (a *arguments) usage(format string, args ...any) *rooms.Refusal {
	e := a.entry
	hint := "usage: " + e.usage()
	if e.example != e.usage() {
		hint += ", for example " + e.example
	}
	return rooms.Refuse(rooms.BadRequest, hint, "/"+e.name+" "+format, args...)
}

// count reads a number that is not negative.
func (a *arguments) count(word string) (int, *rooms.Refusal) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 0 {
		return 0, a.usage("needs a number, not %q", word)
	}
	return n, nil
}

// life reads how long something lasts; "never" ends never, and is negative.
func (a *arguments) life(word string) (time.Duration, *rooms.Refusal) {
	d, err := ParseLife(word)
	if err != nil {
		return 0, a.usage("needs a time like 30m, 24h or 7d, not %q", word)
	}
	return d, nil
}

// never is the life of what does not end.
const never time.Duration = -1

// ParseLife reads how long something lasts, as people write it: 90m, 24h, 7d,
// 1h10m, or never, which is negative.
func ParseLife(s string) (time.Duration, error) {
	if strings.EqualFold(s, "never") {
		return never, nil
	}
	return parseDuration(s)
}

// units are the units of durations, in nanoseconds.
var units = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// parseDuration reads a positive duration such as 24h, 7d or 1h10m: whole
// numbers, each followed by its unit w, d, h, m or s.
func parseDuration(s string) (time.Duration, error) {
	var sum time.Duration
	for rest := strings.ToLower(s); rest != ""; {
		digits := 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 32)
		if err != nil || digits == len(rest) {
			return 0, strconv.ErrSyntax
		}
		unit, ok := units[rest[digits]]
		if !ok {
			return 0, strconv.ErrSyntax
		}
		part := time.Duration(n) * unit
		if part/unit != time.Duration(n) || sum+part < sum {
			return 0, strconv.ErrRange
		}
		sum += part
		rest = rest[digits+1:]
	}
	if sum == 0 {
		return 0, strconv.ErrSyntax
	}
	return sum, nil
}

// quoted writes a word so that it is read back as it is.
func quoted(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
}
