package ui

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// offers is what completion knows: the nicks and rooms of the moment, and the
// commands. It is never changed, for the terminal asks it when it likes.
type offers struct {
	nicks, rooms []string
	names        []Candidate // of commands, without their slash
}

// completer completes with the nicks and rooms known now.
func completer(nicks, roomNames []string) Completer {
	o := &offers{nicks: slices.Sorted(slices.Values(nicks)), rooms: slices.Sorted(slices.Values(roomNames))}
	for _, e := range commands() {
		about := strings.TrimSuffix(e.help, ".")
		if e.args != "" {
			about += " · " + e.args
		}
		o.names = append(o.names, Candidate{Text: e.name, About: about})
	}
	slices.SortFunc(o.names, func(a, b Candidate) int { return strings.Compare(a.Text, b.Text) })
	return o.complete
}

func (o *offers) complete(before string) Completion {
	from := strings.LastIndexAny(before, blanks) + 1
	word := before[from:]
	if from > 0 && strings.HasPrefix(before, "/") {
		name, _, _ := cutBlank(before[1:])
		if e := lookup(name); e != nil {
			return o.argument(e, before, len("/"+name+" "))
		}
	}
	nick, isNick := strings.CutPrefix(word, "@")
	switch {
	case isNick:
		return Completion{from, startingWith(o.nicks, nick, "@", "")}
	case strings.HasPrefix(word, "#"):
		return Completion{from, startingWith(o.rooms, word[1:], "#", "")}
	case from > 0 && utf8.RuneCountInString(word) >= nickLetters:
		return Completion{from, startingWith(o.nicks, word, "", "")}
	case from > 0 || word == "":
		return Completion{}
	case word[0] == '/':
		return Completion{from, o.commands(word[1:], "/")}
	}
	return Completion{from, startingWith(o.nicks, word, "", ":")}
}

// argument completes what stands behind a command, from byte behind on.
func (o *offers) argument(e *entry, before string, behind int) Completion {
	from, n := lastWord(before[behind:], e.takesPath())
	between, word := before[behind:behind+from], before[behind+from:]
	from += behind
	kind := offerNothing
	switch n {
	case 0:
		kind = e.word
	case 1:
		kind = e.second
	}
	nick, isNick := strings.CutPrefix(word, "@")
	switch {
	case kind == offerPaths:
		return Completion{from, pathsLike(word)}
	case isNick:
		return Completion{from, startingWith(o.nicks, nick, "@", "")}
	case strings.HasPrefix(word, "-"):
		return Completion{from, startingWith(e.flags(strings.Fields(between)), word, "", "")}
	case kind == offerRooms && !strings.HasPrefix(word, "#"):
		return Completion{from, startingWith(o.rooms, word, "", "")}
	case kind == offerNicks:
		return Completion{from, startingWith(o.nicks, word, "", "")}
	case kind == offerCommands:
		if name, slash := strings.CutPrefix(word, "/"); slash {
			return Completion{from, o.commands(name, "/")}
		}
		return Completion{from, o.commands(word, "")}
	case strings.HasPrefix(word, "#"):
		return Completion{from, startingWith(o.rooms, word[1:], "#", "")}
	case n == 0:
		return Completion{from, startingWith(e.choices(), word, "", "")}
	}
	return Completion{}
}

// commands are those whose name begins with start.
func (o *offers) commands(start, before string) []Candidate {
	var out []Candidate
	for _, c := range o.names {
		if hasPrefixFold(c.Text, start) {
			c.Text = before + c.Text
			out = append(out, c)
		}
	}
	return out
}

// lastWord is where the word being typed begins, and how many stand before it.
func lastWord(text string, paths bool) (from, n int) {
	for at := 0; ; n++ {
		at += len(text[at:]) - len(strings.TrimLeft(text[at:], blanks))
		length := strings.IndexAny(text[at:], blanks)
		if paths {
			_, length, _ = pathWord(text[at:])
		}
		if length < 0 || at+length >= len(text) {
			return at, n
		}
		at += length
	}
}

// takesPath reports whether one of the words behind the command is a path.
func (e *entry) takesPath() bool { return e.word == offerPaths || e.second == offerPaths }

// nickLetters is how much of a nick is typed in the middle of a message before it is
// taken for one.
const nickLetters = 2

// fixedWords finds what a command takes where that is one of some words.
var fixedWords = regexp.MustCompile(`^\[[a-z]+(\|[a-z]+)+\]$`)

// choices are the words of which the command takes one.
func (e *entry) choices() []string {
	if !fixedWords.MatchString(e.args) {
		return nil
	}
	return strings.Split(strings.Trim(e.args, "[]"), "|")
}

// flagName finds the flags in what a command takes.
var flagName = regexp.MustCompile(`--[a-z-]+`)

// flags returns the flags of the command that are not given yet.
func (e *entry) flags(given []string) []string {
	return slices.DeleteFunc(flagName.FindAllString(e.args, -1), func(flag string) bool {
		return slices.ContainsFunc(given, func(word string) bool {
			name, _, _ := strings.Cut(word, "=")
			return name == flag
		})
	})
}
