package cmd

import (
	"fmt"
	"io"
	"os"
	"time"

	"p2pchat/ui"
)

// connecting tells a person at a terminal that a host is being connected to, and for how
// long by now, on one row that stop takes away again. Where rows can't be redrawn, one
// line says it.
func connecting(w io.Writer, what string, redraw bool) (stop func()) {
	text := "connecting to " + ui.Sanitize(what)
	if !redraw {
		fmt.Fprintf(w, "%s …\n", text)
		return func() {}
	}
	row := func(more string) {
		fmt.Fprint(w, "\r", ui.CutRow(text+" …"+more, ui.TerminalWidth(os.Stderr)), "\x1b[K")
	}
	row("")
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for begun := time.Now(); ; {
			select {
			case <-over:
				fmt.Fprint(w, "\r\x1b[K")
				return
			case <-tick.C:
				row(fmt.Sprintf(" %.0f s, Ctrl-C stops", time.Since(begun).Seconds()))
			}
		}
	}()
	return func() { close(over); <-ended }
}
