package ui

import (
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
		return line, pos, strings.Join(shown, "  ")
	}
	return slices.Replace(line, start, pos, insert...), start + len(insert), ""
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
