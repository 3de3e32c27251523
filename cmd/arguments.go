package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// meanings say what the arguments of commands are.
var meanings = map[string]string{
	"TARGET": "what the host printed, or a saved name",
	"ROOM":   "as p2pchat history list shows it",
	"TEXT":   "what to look for",
	"FILE":   "of the backup; - is standard output or input",
	"ID":     "as p2pchat invite list shows it",
	"SHELL":  either(shells),
}

// takes checks arguments against their names; one in brackets can be left out.
func takes(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > len(names) {
			if len(args) > 1 && names[0] == "[TARGET]" && strings.HasPrefix(args[0], "/") {
				return usagef("the address has a blank or a line break in it: put it in one piece, as the host printed it")
			}
			surplus := fmt.Sprintf("%q is one argument too many for %s", args[len(names)], c.CommandPath())
			if len(names) > 0 && strings.Trim(names[len(names)-1], "[]") == "TEXT" {
				return usagef("%s; put a TEXT of several words in quotes", surplus)
			}
			return usagef("%s; see %s --help", surplus, c.CommandPath())
		}
		for _, name := range names[len(args):] {
			if !strings.HasPrefix(name, "[") {
				return usagef("%s needs %s %s: %s", strings.TrimPrefix(c.CommandPath(), "p2pchat "), article(name), name, meanings[name])
			}
		}
		return nil
	}
}

func article(noun string) string {
	if strings.ContainsRune("AEIOU", rune(noun[0])) {
		return "an"
	}
	return "a"
}

// askWhich makes every command that only has subcommands ask for one.
func askWhich(c *cobra.Command) {
	for _, sub := range c.Commands() {
		askWhich(sub)
	}
	if !c.HasSubCommands() {
		return
	}
	c.SuggestionsMinimumDistance = 2
	c.Args = known
	c.RunE = func(c *cobra.Command, _ []string) error {
		if !c.HasParent() {
			return c.Help()
		}
		return usagef("say which; %s --help shows what there is", c.CommandPath())
	}
}

// known refuses what is no subcommand.
func known(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return usagef("there is no command %q; did you mean %q?", args[0], near[0])
	}
	return usagef("there is no command %q; see %s --help", args[0], c.CommandPath())
}

// nearest returns the word that is at most two mistakes away; empty: none is.
func nearest(wanted string, words []string) string {
	best, least := "", 3
	for _, word := range words {
		if n := distance([]rune(wanted), []rune(word)); n < least {
			best, least = word, n
		}
	}
	return best
}

// distance counts the characters to insert, take out or replace.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		corner := row[0]
		row[0] = i + 1
		for j, y := range b {
			replaced := corner
			if x != y {
				replaced++
			}
			corner = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
