package history

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// needle finds a text whatever its case is: two runes are the same when Unicode
// folds them onto each other one by one, so that "É" is "é", the Kelvin sign is "k",
// and "ß" is not "ss".
type needle struct {
	runes [][][]byte // every way to write each rune, in UTF-8
	first [256]bool  // the bytes that the first of them may begin with
	any   bool       // it has broken UTF-8, or U+FFFD: compared rune by rune
	text  []rune     // folded, with any
}

// newNeedle prepares a text to be looked for.
func newNeedle(text string) *needle {
	n := &needle{}
	for _, r := range text {
		n.any = n.any || r == utf8.RuneError
		n.text = append(n.text, folded(r))
		var ways [][]byte
		for _, same := range orbit(r) {
			ways = append(ways, utf8.AppendRune(nil, same))
		}
		n.runes = append(n.runes, ways)
	}
	if len(n.runes) > 0 {
		for _, way := range n.runes[0] {
			n.first[way[0]] = true
		}
	}
	return n
}

// in tells whether text holds the needle. It allocates nothing.
func (n *needle) in(text []byte) bool {
	if n.any {
		return n.among(text)
	}
	if len(n.runes) == 0 {
		return true
	}
	for i, b := range text {
		if n.first[b] && n.begins(text[i:]) {
			return true
		}
	}
	return false
}

// begins tells whether text begins with the needle.
func (n *needle) begins(text []byte) bool {
next:
	for _, ways := range n.runes {
		for _, way := range ways {
			if bytes.HasPrefix(text, way) {
				text = text[len(way):]
				continue next
			}
		}
		return false
	}
	return true
}

// among is in for a needle that is no valid text: each broken byte counts as U+FFFD.
func (n *needle) among(text []byte) bool {
	for len(text) > 0 {
		rest, i := text, 0
		for i < len(n.text) && len(rest) > 0 {
			r, size := utf8.DecodeRune(rest)
			if folded(r) != n.text[i] {
				break
			}
			rest, i = rest[size:], i+1
		}
		if i == len(n.text) {
			return true
		}
		_, size := utf8.DecodeRune(text)
		text = text[size:]
	}
	return false
}

// orbit returns all runes that r is folded with, r among them.
func orbit(r rune) []rune {
	all := []rune{r}
	for same := unicode.SimpleFold(r); same != r; same = unicode.SimpleFold(same) {
		all = append(all, same)
	}
	return all
}

// folded returns the least rune of r's orbit.
func folded(r rune) rune {
	least := r
	for same := unicode.SimpleFold(r); same != r; same = unicode.SimpleFold(same) {
		least = min(least, same)
	}
	return least
}
