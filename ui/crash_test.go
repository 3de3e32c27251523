//go:build unix

package ui

import (
	"reflect"
	"strings"
	"syscall"
	"testing"
)

// Where the process dies in one of our goroutines, or by a signal that kills at
// once, the terminal is given back before.
func TestDyingRestoresTheTerminal(t *testing.T) {
	fresh := openPtyWindow(t, 60, 10, "")
	fresh.order("close", "")
	fresh.expectBoth("eof", "closed true")
	for name, die := range map[string]func(w *ptyWindow){
		"panic: in the library's goroutine": func(w *ptyWindow) { w.press("panic\t") },
		"panic: in the display's goroutine": func(w *ptyWindow) { w.order("panic", "display") },
		"SIGQUIT: quit":                     func(w *ptyWindow) { _ = w.cmd.Process.Signal(syscall.SIGQUIT) },
	} {
		t.Run(name, func(t *testing.T) {
			w := openPtyWindow(t, 60, 10, "")
			w.dies = true
			w.press("half typed \x15")
			die(w)
			w.waitOutput(0, name)
			_ = w.cmd.Wait()
			if !reflect.DeepEqual(modes(t, fresh), modes(t, w)) {
				t.Error("the terminal is left in raw mode")
			}
			before, _, _ := strings.Cut(w.output(), name)
			for on, off := range map[string]string{pasteOn: pasteOff, "\x1b[?25l": "\x1b[?25h", "\x1b[?2026h": "\x1b[?2026l"} {
				if strings.LastIndex(before, on) > strings.LastIndex(before, off) {
					t.Errorf("%q is not taken back", on)
				}
			}
		})
	}
}
