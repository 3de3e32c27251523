package rooms

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ergochat/confusables"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// RoomID identifies a room to people: what they type after /join. It is kept as
// its creator wrote it; two identifiers that differ only in case are the same.
type RoomID string

// fold is the form under which an identifier is looked up.
func (id RoomID) fold() string { return foldName(string(id)) }

// Private rooms carry a random suffix behind this mark. Nobody can choose a name
// with the mark in it, so creating a room never tells whether a private one exists.
const (
	privateMark   = "~"
	suffixLetters = 8
)

// ParseRoomID checks what somebody typed as the identifier of a room that may
// exist. It does not tell whether it does.
func (l Limits) ParseRoomID(s string) (RoomID, *Refusal) {
	base, suffix, marked := strings.Cut(s, privateMark)
	if marked && !isSuffix(strings.ToLower(suffix)) {
		return "", badName("room", s, l.RoomID)
	}
	id, refusal := l.ParseNewRoomID(base)
	if refusal != nil || !marked {
		return id, refusal
	}
	return id + RoomID(privateMark+suffix), nil
}

// ParseNewRoomID checks what somebody typed as the identifier of a room to be
// created.
func (l Limits) ParseNewRoomID(s string) (RoomID, *Refusal) {
	name, ok := cleanName(s, l.RoomID)
	if !ok {
		return "", badName("room", s, l.RoomID)
	}
	return RoomID(name), nil
}

// ParseNick checks what somebody wants to be called.
func (l Limits) ParseNick(s string) (string, *Refusal) {
	name, ok := cleanName(s, l.Nick)
	if !ok {
		return "", badName("nick", s, l.Nick)
	}
	if isReserved(name) {
		return "", Refuse(NameTaken, "choose another nick", "nick %q is reserved", name)
	}
	return name, nil
}

// reserved holds the keys of nicks that could pass for the program speaking.
var reserved = keySet("host", "system", "server", "admin", "everyone", "here", "null", "p2pchat")

func keySet(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		for _, key := range nickKeys(name) {
			set[key] = true
		}
	}
	return set
}

func isReserved(name string) bool {
	return slices.ContainsFunc(nickKeys(name), func(key string) bool { return reserved[key] })
}

func badName(what, s string, limit int) *Refusal {
	if s == "" {
		return Refuse(BadName, "give it one of letters, digits, _ . -", "the %s has no name", what)
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return Refuse(BadName, "take a shorter one", "the name of the %s has %d characters, %d are allowed", what, n, limit)
	}
	return Refuse(BadName, "use letters and digits of one script, and _ . - after the first", "%q can't be the name of a %s", s, what)
}

// cleanName returns s in the form in which it is kept, if it can be a name: 1 to
// limit characters, letters and digits of one script, and _ . - behind the first.
// UTF-8 is checked before anything else looks: x/text has looped on bad input
// (CVE-2026-56852).
func cleanName(s string, limit int) (string, bool) {
	if s == "" || len(s) > 4*limit || !utf8.ValidString(s) {
		return "", false
	}
	s = norm.NFC.String(s)
	if utf8.RuneCountInString(s) > limit {
		return "", false
	}
	marks := 0
	for i, r := range s {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			marks = 0
		case i > 0 && strings.ContainsRune("_.-", r):
			marks = 0
		case i > 0 && unicode.IsMark(r) && marks < 2:
			marks++
		default:
			return "", false
		}
	}
	if !oneScript(s) {
		return "", false
	}
	folded, err := precis.UsernameCaseMapped.String(s)
	return s, err == nil && folded != ""
}

// mixes are the scripts that are written together; any other name keeps to one.
var mixes = [][]string{
	{"Latin", "Han", "Hiragana", "Katakana"},
	{"Latin", "Han", "Hangul"},
	{"Latin", "Han", "Bopomofo"},
}

func oneScript(s string) bool {
	found := map[string]bool{}
	for _, r := range s {
		if name := scriptOf(r); name != "" {
			found[name] = true
		}
	}
	if len(found) <= 1 {
		return true
	}
	for _, mix := range mixes {
		n := 0
		for _, name := range mix {
			if found[name] {
				n++
			}
		}
		if n == len(found) {
			return true
		}
	}
	return false
}

// scriptOf returns the script of r, empty for what all scripts share.
func scriptOf(r rune) string {
	if r < utf8.RuneSelf {
		if unicode.IsLetter(r) {
			return "Latin"
		}
		return ""
	}
	if unicode.In(r, unicode.Common, unicode.Inherited) {
		return ""
	}
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return name
		}
	}
	return "Unknown"
}

// FoldNick returns a form of a nick that it has in common with those that differ only
// in case or width.
func FoldNick(nick string) string { return foldName(nick) }

// foldName maps names that differ only in case or width to one form. One pass is
// not always stable, so it is repeated. What is not UTF-8 is no name: it stays.
func foldName(s string) string {
	if !utf8.ValidString(s) {
		return s
	}
	for range 4 {
		next, err := precis.UsernameCaseMapped.String(s)
		if err != nil || next == s {
			break
		}
		s = next
	}
	return s
}

// nickKeys returns the forms under which a nick is claimed. Two nicks that share
// one of them cannot be told apart at a glance: the same letters, letters that
// look the same in another script, or digits and signs that pass for letters.
// Looks are compared as written and in small letters: only the capital of a
// letter may look like another one.
func nickKeys(nick string) []string {
	folded := foldName(nick)
	keys := []string{"f" + folded}
	for _, s := range []string{nick, folded} {
		looks := foldName(confusables.Skeleton(s))
		keys = append(keys, "s"+looks, "l"+lookAlikes.Replace(looks))
	}
	return keys
}

var lookAlikes = strings.NewReplacer(
	"0", "o", "1", "l", "i", "l", "|", "l", "rn", "m", "vv", "w", "_", "", ".", "", "-", "",
)

func isSuffix(s string) bool {
	if len(s) != suffixLetters {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
