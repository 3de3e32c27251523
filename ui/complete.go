package ui

import (
	"fmt"
	"slices"
	"strings"
)

// typedText turns the edited line into what the person means by it.
var typedText = strings.NewReplacer(string(newlineRune), "\n", string(tabRune), "\t")

// complete completes the word that ends at pos: by the one candidate and a
// blank, or by what all candidates begin with. When that is nothing new, the
// candidates are the hint.
func (e *lineEditor) complete(line []rune, pos int) ([]rune, int, string) {
	ask := e.view.completer()
	if ask == nil {
		return line, pos, ""
	}
	candidates := ask(typedText.Replace(string(line[:pos])))
	if len(candidates) == 0 {
		e.view.ring()
		return line, pos, ""
	}
	start := pos
	for start > 0 && notBlank(line[start-1]) {
		start--
	}
	insert := commonPrefix(candidates)
	if len(candidates) == 1 {
		if !strings.HasSuffix(candidates[0], "/") && (pos == len(line) || notBlank(line[pos])) {
			insert = append(insert, ' ')
		}
	} else if len(insert) <= pos-start {
		shown := make([]string, len(candidates))
		for i, c := range candidates {
			shown[i] = Sanitize(c)
		}
		return line, pos, strings.Join(shown, choiceGap)
	}
	return slices.Replace(line, start, pos, insert...), start + len(insert), ""
}

// choiceGap stands between the candidates of a hint; no candidate holds it.
const choiceGap = "\t"

// choices writes the candidates of a hint in one row of at most width columns, and
// how many there are beyond it. Another hint stays as it is.
func choices(hint string, width int) string {
	words := strings.Split(hint, choiceGap)
	text := strings.Join(words, "  ")
	for n := len(words) - 1; n > 0 && shownWidth(text) > width; n-- {
		text = fmt.Sprintf("%s  … %d more", strings.Join(words[:n], "  "), len(words)-n)
	}
	return text
}

// commonPrefix is what all words begin with.
func commonPrefix(words []string) []rune {
	common := []rune(words[0])
	for _, word := range words[1:] {
		n := 0
		for _, r := range word {
			if n == len(common) || common[n] != r {
				break
			}
			n++
		}
		common = common[:n]
	}
	return common
}
