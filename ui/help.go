package ui

import (
	"fmt"
	"strings"
)

// audiences are the headings of the help.
var audiences = []struct {
	who   audience
	title string
}{
	{everybody, "Everybody"},
	{operators, "Operators of the room"},
	{owner, "The owner of the host"},
}

// helpFor explains one command, all of them, or the keys; with an empty name it names the
// commands.
func (p *page) helpFor(name string) []string {
	name = strings.TrimPrefix(strings.TrimSpace(name), "/")
	switch strings.ToLower(name) {
	case "":
		return p.helpBrief()
	case "all":
		return p.helpAll()
	case "keys":
		return p.helpKeys()
	}
	e := lookup(name)
	if e == nil {
		return p.refusal(unknown(name))
	}
	rows := p.notice("%s", e.usage())
	rows = append(rows, p.item(e.help)...)
	for _, text := range e.more {
		rows = append(rows, p.item(text)...)
	}
	if e.example != e.usage() {
		rows = append(rows, p.item("For example: "+e.example)...)
	}
	if len(e.aliases) > 0 {
		rows = append(rows, p.item("Also: /"+strings.Join(e.aliases, " /"))...)
	}
	if e.who != everybody {
		rows = append(rows, p.item("For: "+strings.ToLower(audiences[e.who].title))...)
	}
	return rows
}

// helpBrief names the commands, in few enough rows for every screen.
func (p *page) helpBrief() []string {
	var rows []string
	for _, a := range audiences {
		var names []string
		for _, e := range commands() {
			if e.who == a.who {
				names = append(names, "/"+e.name)
			}
		}
		if len(names) > 0 {
			rows = append(rows, p.notice("%s: %s", a.title, strings.Join(names, " "))...)
		}
	}
	return append(rows, p.notice("/help COMMAND explains one, /help all all of them, /help keys the keys; //x says /x")...)
}

// keyHelp is what a person needs to know of the keys; docs/terminal.md has all of them.
var keyHelp = [][2]string{
	{"Tab", "completes commands, flags, @nicks, #rooms, paths; again: the next one; Shift-Tab: back"},
	{"Up, Down", "what you typed before"},
	{"Ctrl-R", "search in that"},
	{"Alt-Enter", "a new line (also Ctrl-J)"},
	{"Ctrl-C", "empties the line; on an empty one stops what takes long"},
	{"Ctrl-D", "leaves"},
	{"Ctrl-Z", "suspends; fg goes on"},
	{"Ctrl-L", "empties the screen"},
}

func (p *page) helpKeys() []string {
	rows := p.notice("Keys:")
	for _, k := range keyHelp {
		rows = append(rows, p.item(pad(k[0], len("Alt-Enter"))+"  "+k[1])...)
	}
	return rows
}

func (p *page) helpAll() []string {
	var rows []string
	for _, a := range audiences {
		wide, any := 0, false
		for _, e := range commands() {
			if e.who == a.who {
				wide, any = max(wide, len(e.name)), true
			}
		}
		if !any {
			continue
		}
		rows = append(rows, p.notice("%s:", a.title)...)
		for _, e := range commands() {
			if e.who == a.who {
				rows = append(rows, p.item("/"+pad(e.name, wide)+"  "+e.help)...)
			}
		}
	}
	return append(rows, p.notice("/help COMMAND shows more; //x says /x")...)
}

// CommandsMarkdown returns the slash commands as a Markdown table.
func CommandsMarkdown() string {
	var b strings.Builder
	b.WriteString("| command | what it does | who may |\n|---|---|---|\n")
	for _, e := range commands() {
		usage := strings.ReplaceAll(e.usage(), "|", `\|`)
		fmt.Fprintf(&b, "| `%s`%s | %s | %s |\n", usage, also(e, "`/%s`"), e.help, strings.ToLower(audiences[e.who].title))
	}
	return b.String()
}

// CommandsMan returns the slash commands as tagged paragraphs of a man page.
func CommandsMan() string {
	escape := strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace
	var b strings.Builder
	for _, e := range commands() {
		fmt.Fprintf(&b, ".TP\n\\fB/%s\\fR %s\n%s%s\n", e.name, escape(e.args), escape(e.help), also(e, `\fB/%s\fR`))
	}
	return b.String()
}

// also lists the aliases of a command.
func also(e *entry, format string) string {
	if len(e.aliases) == 0 {
		return ""
	}
	names := make([]string, len(e.aliases))
	for i, a := range e.aliases {
		names[i] = fmt.Sprintf(format, a)
	}
	return " (also " + strings.Join(names, ", ") + ")"
}
