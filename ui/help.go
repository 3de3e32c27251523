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

// helpFor explains one command, or with an empty name all of them.
func (p *page) helpFor(name string) []string {
	name = strings.TrimPrefix(strings.TrimSpace(name), "/")
	if name == "" {
		return p.helpAll()
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
	rows = append(rows, p.item("For example: "+e.example)...)
	if len(e.aliases) > 0 {
		rows = append(rows, p.item("Also: /"+strings.Join(e.aliases, " /"))...)
	}
	if e.who != everybody {
		rows = append(rows, p.item("For: "+strings.ToLower(audiences[e.who].title))...)
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
