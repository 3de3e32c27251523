package ui

import (
	"strconv"
	"strings"
)

// Hyperlinks reports whether the terminal is known to show OSC 8 hyperlinks and to
// swallow them where it does not. There is no way to ask it, so its environment tells;
// in tmux and screen the terminal behind them is not known. FORCE_HYPERLINK (0 or 1)
// decides. The list is the one of the npm package supports-hyperlinks and of the
// terminals' own manuals.
func Hyperlinks(env func(string) string, tty bool) bool {
	if force := env("FORCE_HYPERLINK"); force != "" {
		return tty && force != "0"
	}
	name := env("TERM")
	switch {
	case !tty, name == "dumb", env("TMUX") != "", env("STY") != "", strings.HasPrefix(name, "screen"), strings.HasPrefix(name, "tmux"):
		return false
	case env("WT_SESSION") != "", env("KITTY_WINDOW_ID") != "", env("KONSOLE_VERSION") != "":
		return true
	}
	if vte, err := strconv.Atoi(env("VTE_VERSION")); err == nil {
		return vte >= 5000 && vte != 5000 // 0.50.0 crashed on them
	}
	switch env("TERM_PROGRAM") {
	case "iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "zed":
		return true
	}
	for _, known := range []string{"xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour"} {
		if strings.HasPrefix(name, known) {
			return true
		}
	}
	return false
}

// linked is the text of r, as a hyperlink where r is a link and the terminal shows them.
// The text is the target, so no link can lie about where it leads.
func (p *page) linked(r run) string {
	if !p.links || r.style != link && r.style != oldLink || !webLink(r.text) {
		return r.text
	}
	return "\x1b]8;;" + r.text + "\x1b\\" + r.text + "\x1b]8;;\x1b\\"
}
