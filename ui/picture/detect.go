package picture

import "strings"

// Detect says how to show pictures in the terminal that the environment describes,
// without asking it. A multiplexer swallows all graphics, so within tmux and screen
// it is blocks; so it is on a terminal that nothing is known of, until [Query] has
// been answered. Without a terminal, or with a dumb one, it is none.
func Detect(env func(string) string, tty bool) Mode {
	term, program := env("TERM"), env("TERM_PROGRAM")
	switch {
	case !tty || term == "dumb" || env("NO_COLOR") != "":
		return None
	case multiplexed(env):
		return Blocks
	case env("KITTY_WINDOW_ID") != "", term == "xterm-kitty", term == "xterm-ghostty", program == "ghostty", env("GHOSTTY_RESOURCES_DIR") != "":
		return Kitty
	case program == "WezTerm", program == "iTerm.app", env("LC_TERMINAL") == "iTerm2", program == "mintty", env("KONSOLE_VERSION") != "":
		return ITerm
	case term == "foot", strings.HasPrefix(term, "foot-"), strings.HasPrefix(term, "mlterm"), term == "yaft-256color", strings.HasPrefix(term, "contour"):
		return Sixel
	}
	return Blocks
}

// multiplexed reports whether a multiplexer stands between us and the terminal.
func multiplexed(env func(string) string) bool {
	term := env("TERM")
	return env("TMUX") != "" || env("STY") != "" || env("ZELLIJ") != "" ||
		strings.HasPrefix(term, "screen") || strings.HasPrefix(term, "tmux")
}
