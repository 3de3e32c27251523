package ui

import (
	"regexp"
	"slices"
	"strings"
)

// completer returns what could stand at the end of a line, given the nicks and
// rooms known now. It keeps its own copies: the terminal calls it when it likes.
func completer(nicks, roomNames []string) func(before string) []string {
	nicks, roomNames = slices.Sorted(slices.Values(nicks)), slices.Sorted(slices.Values(roomNames))
	var names []string
	for _, e := range commands() {
		names = append(names, e.name)
	}
	slices.Sort(names)
	return func(before string) []string {
		start := strings.LastIndexAny(before, blanks) + 1
		word := before[start:]
		if start == 0 && strings.HasPrefix(word, "/") {
			return startingWith(names, word[1:], "/", "")
		}
		if at, ok := strings.CutPrefix(word, "@"); ok {
			return startingWith(nicks, at, "@", "")
		}
		if start == 0 && word != "" {
			return startingWith(nicks, word, "", ":")
		}
		if !strings.HasPrefix(before, "/") {
			return nil
		}
		name, between, _ := cutBlank(before[1:start])
		e := lookup(name)
		if e != nil && strings.HasPrefix(word, "-") {
			return startingWith(e.flags(strings.Fields(between)), word, "", "")
		}
		if e == nil || strings.Trim(between, blanks) != "" {
			return nil // only the first word behind a command has a known kind
		}
		switch e.word {
		case offerRooms:
			return startingWith(roomNames, word, "", "")
		case offerNicks:
			return startingWith(nicks, word, "", "")
		case offerCommands:
			return startingWith(names, word, "", "")
		}
		return nil
	}
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

// startingWith returns the words that begin with start, ignoring case, dressed.
func startingWith(words []string, start, before, after string) []string {
	var out []string
	for _, w := range words {
		if len(w) >= len(start) && strings.EqualFold(w[:len(start)], start) {
			out = append(out, before+w+after)
		}
	}
	return out
}
