package cmd

import (
	"bufio"
	"errors"
	"html/template"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"p2pchat/history"
	"p2pchat/rooms"
	"p2pchat/ui"
)

func historyExport(s *settings) *cobra.Command {
	var format, file string
	c := &cobra.Command{
		Use:   "export ROOM",
		Short: "write a room's whole history: jsonl, text or html",
		Long: `Write a room's whole history: as JSON lines, as text with tabs between the fields,
or as one HTML page, which loads and runs nothing.`,
		Args: takes("ROOM"),
		RunE: func(_ *cobra.Command, args []string) error {
			return withRoom(s, args[0], func(id rooms.RoomID, l *history.Log) error {
				return output(file, func(out io.Writer) error { return export(out, format, id, l) })
			})
		},
	}
	choose(c.Flags(), &format, "format", "FORMAT", "how it is written", "jsonl", "text", "html")
	c.Flags().StringVarP(&file, "output", "o", "", "write to a new file (default: standard output)")
	nameValues(c.Flags(), "output", "FILE")
	return c
}

// output lets f write to a new file, or to standard output.
func output(file string, f func(io.Writer) error) error {
	if file == "" {
		w := bufio.NewWriter(stdout)
		return errors.Join(f(w), w.Flush())
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	return errors.Join(f(w), w.Flush(), out.Sync(), out.Close())
}

func export(out io.Writer, format string, id rooms.RoomID, l *history.Log) error {
	if format == "html" {
		return exportHTML(out, id, l)
	}
	return messages(l, 0, func(m rooms.Message) error { return writeMessage(out, id, m, format == "jsonl") })
}

// The page of an export. All that members wrote is text in it: html/template escapes
// it, the sanitiser shows what would reorder or hide text, and the policy forbids the
// browser to load or to run anything.
var pageHTML = template.Must(template.New("").Funcs(template.FuncMap{
	"line": ui.Sanitize, "body": ui.SanitizeBody, "nick": ui.SanitizeNick,
	"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"clock": func(t time.Time) string { return t.UTC().Format("15:04") },
	"day":   func(t time.Time) string { return t.UTC().Format("Monday, 2 January 2006") },
}).Parse(`
{{- define "begin" -}}
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>#{{line .}}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
p { margin: .2rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
time, .gone { color: #767676 } h2 { font-size: 1rem; margin: 1.5rem 0 .5rem }
</style>
<h1>#{{line .}}</h1>
{{end}}
{{- define "day" -}}
<h2>{{day .}}</h2>
{{end}}
{{- define "message" -}}
<p id="m{{.Seq}}" dir="auto"><time datetime="{{stamp .Time}}">{{clock .Time}}</time>
{{- if .From.Nick}} <b title="{{line (print .From.Peer)}}">{{nick .From.Nick}}</b>{{end}}
{{- if .Gone}} <i class="gone">{{.Gone}}</i>{{end}}
{{- if .Action}} <i>{{body .Text}}</i>{{else if .Text}} {{body .Text}}{{end}}
{{- with .File}} [{{line .Name}}, {{line .MIME}}, {{.Size}} bytes]{{end}}</p>
{{end}}
{{- define "end" -}}
<p class="gone">times are in UTC</p>
</html>
{{end}}`))

// entryHTML is a message of the page.
type entryHTML struct {
	rooms.Message
	Action bool
	Gone   string // what to say where there is no text
}

func exportHTML(out io.Writer, id rooms.RoomID, l *history.Log) error {
	if err := pageHTML.ExecuteTemplate(out, "begin", string(id)); err != nil {
		return err
	}
	day := ""
	err := messages(l, 0, func(m rooms.Message) error {
		if d := m.Time.UTC().Format(time.DateOnly); d != day {
			day = d
			if err := pageHTML.ExecuteTemplate(out, "day", m.Time); err != nil {
				return err
			}
		}
		e := entryHTML{Message: m, Action: m.Kind == rooms.Action}
		switch {
		case m.Redacted:
			e.Gone = "removed"
		case m.Kind == rooms.Redaction:
			e.Gone = "removed a message"
		case m.Kind == rooms.Lost:
			e.Gone = "a message that the host's disk has lost"
		}
		return pageHTML.ExecuteTemplate(out, "message", e)
	})
	return errors.Join(err, pageHTML.ExecuteTemplate(out, "end", nil)) // also behind what was left out
}
