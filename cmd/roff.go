package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// manText sets paragraphs; indented lines are kept as they are.
func manText(text string) string {
	var b strings.Builder
	kept := false
	for line := range strings.Lines(text) {
		if indented := strings.HasPrefix(line, "  "); indented != kept {
			b.WriteString(map[bool]string{true: ".RS 2\n.nf\n", false: ".fi\n.RE\n"}[indented])
			kept = indented
		}
		if line = strings.TrimSpace(line); line == "" {
			line = ".PP"
		} else {
			line = roff(line)
		}
		b.WriteString(line + "\n")
	}
	if kept {
		b.WriteString(".fi\n.RE\n")
	}
	return strings.ReplaceAll(b.String(), ".PP\n.RS", ".sp\n.RS")
}

// manFlag writes a flag as one types it: -n, --number N.
func manFlag(f *pflag.Flag) string {
	value, _ := pflag.UnquoteUsage(f)
	flag := strings.TrimSpace("--" + f.Name + " " + value)
	if f.Shorthand != "" {
		flag = "-" + f.Shorthand + ", " + flag
	}
	return flag
}

// roff keeps a line of plain text from being read as roff.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return glyphs(s)
}

// glyphs writes what is not ASCII so that every roff can read it.
func glyphs(s string) string {
	var b strings.Builder
	for _, r := range strings.ReplaceAll(s, "…", "...") {
		if r > '~' {
			fmt.Fprintf(&b, `\[u%04X]`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
