package cmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"p2pchat/ui"
)

// keys, environment and stored are tables of the manual page.
var (
	keys = [][2]string{
		{"Enter", "say the line, or run the command that begins with /"},
		{"Alt-Enter", "begin a new line of the same message"},
		{"Up, Down", "bring back what was typed before; in a text of several lines, move in it first (Ctrl-P, Ctrl-N do not)"},
		{"Ctrl-R", "search in what was typed before; Enter sends what is found, Esc gives the line back"},
		{"Tab", "complete a command, a nick, a room or a path; again: the next choice, Shift-Tab: the one before, Esc: none"},
		{"paste", "becomes part of the line; over 8 lines or 2000 characters Enter inserts it and Esc drops it, and what is typed meanwhile follows"},
		{"Ctrl-C", "throw the line away; on an empty one, stop what takes long, then drop lines that wait"},
		{"Ctrl-D", "on an empty line, leave; where a host runs, twice within 5 s"},
		{"Ctrl-X Ctrl-E", "open an editor with the line, as /edit does"},
		{"Ctrl-Z", "suspend the program, fg brings it back; not where a host runs"},
	}
	environment = [][2]string{
		{"P2PCHAT_FLAG", "the value of a flag that is not on the command line: P2PCHAT_LOG_LEVEL=info is --log-level info"},
		{"VISUAL, EDITOR", "the editor of /edit and Ctrl-X Ctrl-E"},
		{"NO_COLOR", "no colours, unless --color asks for them"},
		{"XDG_DATA_HOME", "where the data directory p2pchat is; without it, ~/.local/share"},
	}
	stored = [][2]string{
		{identityFile, "the key: who this machine is, as a host and on others' hosts"},
		{selfFile, "the key of its owner as a member of its own host"},
		{savedFile, "the hosts that were saved, one a line"},
		{typedFile, "what was typed at the prompt"},
		{"p2pchat.log", "the log of a host"},
	}
)

// manCommand prints the manual page.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "print the manual page; read it with: p2pchat man | man -l -",
		Args:  takes(),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := io.WriteString(stdout, manual(c.Root()))
			return err
		},
	}
}

// manual writes the manual page of a command tree, in roff with the macros of man.
func manual(root *cobra.Command) string {
	var b, uses, commands strings.Builder
	walkLeaves(root, func(c *cobra.Command) {
		use, text := c.Parent().CommandPath()+" "+c.Use, c.Long
		if text == "" {
			text = c.Short
		}
		fmt.Fprintf(&uses, "%s\n", roff(use))
		fmt.Fprintf(&commands, ".SS \"%s\"\n%s%s", roff(use), manText(text), manFlags(c.LocalNonPersistentFlags()))
	})
	fmt.Fprintf(&b, ".TH \"P2PCHAT\" \"1\" \"\" \"p2pchat %s\" \"p2pchat\"\n", roff(version))
	fmt.Fprintf(&b, ".SH NAME\np2pchat \\- %s\n.SH SYNOPSIS\n.nf\n%s.fi\n", roff(root.Short), uses.String())
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s.SH COMMANDS\n%s", manText(root.Long), commands.String())
	fmt.Fprintf(&b, ".SH OPTIONS\nEvery command takes these.\n%s", manFlags(root.PersistentFlags()))
	fmt.Fprintf(&b, ".SH \"IN THE CHAT\"\n%s.SH KEYS\n%s", glyphs(ui.CommandsMan()), manTable(keys))
	b.WriteString(".SH \"EXIT STATUS\"\n")
	for code, meaning := range exitCodes {
		fmt.Fprintf(&b, ".TP\n.B %d\n%s\n", code, roff(meaning))
	}
	fmt.Fprintf(&b, ".SH ENVIRONMENT\n%s.SH FILES\nIn the data directory:\n%s", manTable(environment), manTable(stored))
	return b.String()
}

// walkLeaves calls f for every command that does something.
func walkLeaves(c *cobra.Command, f func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		if sub.Hidden || sub.Name() == "help" {
			continue
		}
		if !sub.HasSubCommands() {
			f(sub)
		}
		walkLeaves(sub, f)
	}
}

// manFlags explains flags.
func manFlags(flags *pflag.FlagSet) string {
	var rows [][2]string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		usage := f.Usage
		if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "false" {
			usage += " (default " + f.DefValue + ")"
		}
		rows = append(rows, [2]string{manFlag(f), usage})
	})
	return manTable(rows)
}

// manTable explains words.
func manTable(rows [][2]string) string {
	var b strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n%s\n", roff(row[0]), roff(row[1]))
	}
	return b.String()
}
