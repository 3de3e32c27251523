package ui

// ctrl is the byte the terminal sends for a letter typed with the control key.
func ctrl(letter byte) byte { return letter & 0x1f }

// controlSequences are keys with an escape sequence (given without its ESC)
// that mean the same as a control key. The library knows fewer: not the Home
// and End of tmux, for one (utils.go:103).
var controlSequences = map[string]byte{
	"[C": ctrl('F'), "OC": ctrl('F'), // Right
	"[D": ctrl('B'), "OD": ctrl('B'), // Left
	"[H": ctrl('A'), "OH": ctrl('A'), "[1~": ctrl('A'), "[7~": ctrl('A'), // Home
	"[F": ctrl('E'), "OF": ctrl('E'), "[4~": ctrl('E'), "[8~": ctrl('E'), // End
	"OM": '\r', // Enter of the number pad
}

// commandSequences are keys with an escape sequence that are commands. Delete
// is one because the library takes it for ^D, which on an empty line ends the
// input (utils.go:120).
var commandSequences = map[string]rune{
	"[A": cmdUp, "OA": cmdUp,
	"[B": cmdDown, "OB": cmdDown,
	"[Z":    cmdCompleteBack, // Shift-Tab
	"[3~":   cmdDelete,
	"[1;5C": cmdWordRight, "[1;3C": cmdWordRight, "[5C": cmdWordRight, "Oc": cmdWordRight,
	"[1;5D": cmdWordLeft, "[1;3D": cmdWordLeft, "[5D": cmdWordLeft, "Od": cmdWordLeft,
	"[3;5~": cmdKillWordRight, "[3;3~": cmdKillWordRight,
	"[13;2u": newlineRune, "[27;2;13~": newlineRune, // Shift-Enter where it can be told
	"[13;3u": newlineRune, "[27;3;13~": newlineRune, // Alt-Enter likewise
}

// metaKeys are keys typed with Alt, which come as ESC and the key.
var metaKeys = map[byte]rune{
	'\r': newlineRune, '\n': newlineRune,
	'b': cmdWordLeft, 'B': cmdWordLeft,
	'f': cmdWordRight, 'F': cmdWordRight,
	'd': cmdKillWordRight, 'D': cmdKillWordRight,
	0x7f: cmdKillWordLeft, 0x08: cmdKillWordLeft,
}

// controlCommands are control keys that are commands. The library's own word
// keys take every letter beyond ASCII for a blank (utils.go:242): its ^W erases
// a whole Russian sentence. What ends a line is a command because only lineEditor knows
// whether it does: in a search it may not.
var controlCommands = map[byte]rune{
	'\r':      cmdEnter,
	ctrl('C'): cmdInterrupt,
	ctrl('D'): cmdEnd,
	ctrl('P'): cmdPrevious,
	ctrl('N'): cmdNext,
	ctrl('R'): cmdSearch,
	'\n':      newlineRune, // Ctrl-J
	'\t':      cmdComplete,
	ctrl('W'): cmdKillBlankWord,
	ctrl('U'): cmdKillToStart,
	ctrl('K'): cmdKillToEnd,
	ctrl('Y'): cmdYank,
}
