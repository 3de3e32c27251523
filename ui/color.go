package ui

import (
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"
)

// trueColor is the ColorDepth of a terminal with 24-bit colours.
const trueColor = 1 << 24

// IsTerminal reports whether a person may sit at the other end of f.
func IsTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// ColorDepth is how many colours to use: 0, 16, 256 or 1<<24. Mode is what
// --color says: "never", "always", or else automatic, which means none without a
// terminal, with NO_COLOR set, or with TERM=dumb.
func ColorDepth(env func(string) string, mode string, tty bool) int {
	name := env("TERM")
	switch mode {
	case "never":
		return 0
	case "always":
	default:
		nameless := name == "" && runtime.GOOS != "windows"
		if !tty || env("NO_COLOR") != "" || name == "dumb" || nameless {
			return 0
		}
	}
	switch depth := env("COLORTERM"); {
	case depth == "truecolor", depth == "24bit", strings.HasSuffix(name, "-direct"):
		return trueColor
	case env("WT_SESSION") != "" && name == "":
		return trueColor
	case strings.Contains(name, "256color"):
		return 256
	}
	return 16
}

// TerminalWidth is the number of columns of the terminal f; 80 where that is not known.
func TerminalWidth(f *os.File) int {
	columns, _ := terminalSize(int(f.Fd()))
	return columns
}
