package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"p2pchat/ui"
)

var update = flag.Bool("update", false, "write the slash commands into README.md")

// The README's table of slash commands is the one that /help is made of.
func TestReadmeCommands(t *testing.T) {
	const begin, end = "<!-- the slash commands: go test -run TestReadmeCommands . -update -->\n", "<!-- end -->\n"
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(data), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("README.md has no place for the slash commands")
	}
	want := "\n" + ui.CommandsMarkdown() + "\n"
	if *update {
		if err := os.WriteFile("README.md", []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Error("README.md does not have the slash commands as they are: go test -run TestReadmeCommands . -update")
	}
}
