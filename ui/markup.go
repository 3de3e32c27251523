package ui

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// marked gives what people mark in their text its look: *bold*, `code`, lines between
// two lines of ```, lines that begin with ">", links. The marks stay where they are:
// what is on the screen, and what is copied from it, is what was said. The text of the
// runs together is text, which must have passed the sanitiser.
func marked(text string) []run {
	var runs []run
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if end := closingFence(lines, i); end > 0 {
			runs = append(runs, run{dim, line}, run{code, strings.Join(lines[i+1:end], "")}, run{dim, lines[end]})
			i = end
			continue
		}
		base := plain
		if strings.HasPrefix(line, ">") && !strings.HasPrefix(line, ">_") {
			base = cited
		}
		runs = append(runs, inline(line, base)...)
	}
	return runs
}

// closingFence returns the line that closes the block of code that begins at line i; 0:
// none begins there.
func closingFence(lines []string, i int) int {
	const fence = "```"
	if !strings.HasPrefix(lines[i], fence) || strings.Contains(lines[i][len(fence):], "`") {
		return 0
	}
	for end := i + 1; end < len(lines); end++ {
		if strings.TrimRight(lines[end], " \n") == fence {
			return end
		}
	}
	return 0
}

// inline finds the marks within one line.
func inline(line string, base style) []run {
	var runs []run
	from := 0
	take := func(to int, s style) {
		if from < to {
			runs = append(runs, run{s, line[from:to]})
		}
		from = to
	}
	for at := 0; at < len(line); {
		inner, look, size := markAt(line, at)
		if size == 0 {
			_, size = utf8.DecodeRuneInString(line[at:])
			at += size
			continue
		}
		take(at, base)
		take(at+inner, dim)
		if look == strong { // a link or code may stand in it
			runs = append(runs, inline(line[from:at+size-inner], strong)...)
			from = at + size - inner
		}
		take(at+size-inner, look)
		take(at+size, dim)
		at += size
	}
	take(len(line), base)
	return runs
}

// markAt returns what is marked at a place of line: the bytes of the mark on either
// side, the look of what stands between them, and the bytes of it all; 0: nothing.
func markAt(line string, at int) (inner int, look style, size int) {
	switch line[at] {
	case '`':
		return codeAt(line[at:])
	case '*':
		return boldAt(line, at)
	case 'h', 'H':
		return 0, link, linkAt(line, at)
	}
	return 0, plain, 0
}

// codeAt measures text between two runs of equally many backticks.
func codeAt(rest string) (ticks int, look style, size int) {
	body := strings.TrimLeft(rest, "`")
	ticks = len(rest) - len(body)
	for at := 0; ; {
		next := strings.IndexByte(body[at:], '`')
		if next < 0 {
			return 0, plain, 0
		}
		at += next
		end := at
		for end < len(body) && body[end] == '`' {
			end++
		}
		if end-at == ticks {
			return ticks, code, ticks + end
		}
		at = end
	}
}

// boldAt measures words between two asterisks that lean on them.
func boldAt(line string, at int) (inner int, look style, size int) {
	rest := line[at+1:]
	end := strings.IndexByte(rest, '*')
	if letterBefore(line[:at]) || strings.HasSuffix(line[:at], "*") || end <= 0 || letterAfter(rest[end+1:]) || strings.HasPrefix(rest[end+1:], "*") {
		return 0, plain, 0
	}
	first, _ := utf8.DecodeRuneInString(rest)
	last, _ := utf8.DecodeLastRuneInString(rest[:end])
	if unicode.IsSpace(first) || unicode.IsSpace(last) {
		return 0, plain, 0
	}
	return 1, strong, end + 2
}

// withLinks marks the links in text of ours that may hold what others wrote, and nothing else.
func withLinks(text string, base style) []run {
	look := link
	if base == dim {
		look = oldLink
	}
	var runs []run
	from := 0
	for at := 0; at < len(text); at++ {
		size := 0
		if text[at] == 'h' || text[at] == 'H' {
			size = linkAt(text, at)
		}
		if size > 0 {
			runs = append(runs, run{base, text[from:at]}, run{look, text[at : at+size]})
			from, at = at+size, at+size-1
		}
	}
	return append(runs, run{base, text[from:]})
}

// linkAt measures a link of visible ASCII, without the punctuation of the sentence that
// it ends.
func linkAt(line string, at int) int {
	rest := line[at:]
	if letterBefore(line[:at]) || !webLink(rest) {
		return 0
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>`", r) })
	if end < 0 {
		end = len(rest)
	} else if rest[end] > '~' {
		return 0 // a letter that is not ASCII would be cut off: not the link that was meant
	}
	for end > 0 {
		switch last := rest[end-1]; {
		case strings.IndexByte(".,;:!?'*_", last) >= 0:
		case last == ')' && strings.Count(rest[:end], "(") < strings.Count(rest[:end], ")"):
		case last == ']' && strings.Count(rest[:end], "[") < strings.Count(rest[:end], "]"):
		default:
			if !webLink(rest[:end]) {
				return 0
			}
			return end
		}
		end--
	}
	return 0
}

// webLink reports whether text begins with a link to the web that names something.
func webLink(text string) bool {
	for _, scheme := range []string{"https://", "http://"} {
		if len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			return true
		}
	}
	return false
}

// mentions cuts runs around the places where nick stands as a word, ignoring case, and
// says whether there is one. Code and links mention nobody.
func mentions(runs []run, nick string) ([]run, bool) {
	if nick == "" {
		return runs, false
	}
	var out []run
	found := false
	for _, r := range runs {
		if r.style == code || r.style == link {
			out = append(out, r)
			continue
		}
		rest := r.text
		for at := wordIndex(rest, nick); at >= 0; at = wordIndex(rest, nick) {
			found = true
			end := at + len(nick)
			out = append(out, run{r.style, rest[:at]}, run{mentioned, rest[at:end]})
			rest = rest[end:]
		}
		out = append(out, run{r.style, rest})
	}
	return out, found
}
