package ui

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/windows"
)

// tty is the console: its modes, its size, its bytes.
//
// Windows 10 and later understand the escape sequences we write when the output
// has ENABLE_VIRTUAL_TERMINAL_PROCESSING, and send those of a Unix terminal for
// keys when the input has ENABLE_VIRTUAL_TERMINAL_INPUT. With both set nothing
// else differs from Unix, and the library's translation for old consoles, which
// knows too few sequences (ansi_windows.go:132), is never in use: it sees neither
// our output nor the console. A console that does not know bracketed paste sends
// what is pasted like keys; keyFilter takes a burst of them for a paste.
//
// There is no SIGWINCH. With ENABLE_WINDOW_INPUT changes of size would come as input
// records, but os.File reads characters. So the size is read for every frame, and
// watched in between.
type tty struct {
	in, out *os.File
	chunks  chan []byte // what pump has read
	stop    chan struct{}
	watched chan struct{} // closed when watchSize has ended
	rest    []byte        // owned by read

	cooked  atomic.Pointer[consoleModes] // modes to restore; nil: they are in force
	retired atomic.Bool                  // the terminal was given back for good
	resized chan os.Signal               // by watchSize
	resumed chan os.Signal               // never signalled
	killed  chan os.Signal               // never signalled
}

type consoleModes struct{ in, out uint32 }

func openTTY(in, out *os.File) (*tty, error) {
	t := &tty{
		in: in, out: out, chunks: make(chan []byte), stop: make(chan struct{}),
		watched: make(chan struct{}), resized: make(chan os.Signal, 1), resumed: make(chan os.Signal), killed: make(chan os.Signal),
	}
	go t.pump()
	go t.watchSize()
	return t, nil
}

// sizeGap is how often the size is looked at.
const sizeGap = 250 * time.Millisecond

// watchSize notices changes of size between frames.
func (t *tty) watchSize() {
	defer close(t.watched)
	tick := time.NewTicker(sizeGap)
	defer tick.Stop()
	columns, rows := t.size()
	for {
		select {
		case <-tick.C:
		case <-t.stop:
			return
		}
		c, r := t.size()
		if c == columns && r == rows {
			continue
		}
		columns, rows = c, r
		select {
		case t.resized <- os.Interrupt: // any signal will do
		default:
		}
	}
}

// manyEnds is how many ends of input in a row are believed: os.File takes each ^Z
// typed on a console for one (fd_windows.go, readConsole).
const manyEnds = 1000

// pump reads the console, whose read cannot wait for a limited time and cannot
// be cancelled: after stop it ends with the next key or with the process.
func (t *tty) pump() {
	defer close(t.chunks)
	for ends := 0; ; {
		buf := make([]byte, 4096)
		n, err := t.in.Read(buf)
		switch {
		case err == nil:
			ends = 0
		case errors.Is(err, io.EOF) && ends < manyEnds:
			ends++
			buf[0], n = ctrl('Z'), 1
		default:
			return
		}
		select {
		case t.chunks <- buf[:n]:
		case <-t.stop:
			return
		}
	}
}

// raw makes keys arrive one by one and unechoed, as escape sequences, and the
// console obey ours.
func (t *tty) raw() error {
	in, out := windows.Handle(t.in.Fd()), windows.Handle(t.out.Fd())
	var modes consoleModes
	if err := windows.GetConsoleMode(in, &modes.in); err != nil {
		return err
	}
	if err := windows.GetConsoleMode(out, &modes.out); err != nil {
		return err
	}
	const lineMode = windows.ENABLE_ECHO_INPUT | windows.ENABLE_PROCESSED_INPUT | windows.ENABLE_LINE_INPUT
	const output = windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	if err := windows.SetConsoleMode(out, modes.out|output); err != nil {
		return err // a console from before Windows 10: the plain terminal is for it
	}
	if err := windows.SetConsoleMode(in, modes.in&^lineMode|windows.ENABLE_VIRTUAL_TERMINAL_INPUT); err != nil {
		_ = windows.SetConsoleMode(out, modes.out)
		return err
	}
	t.cooked.CompareAndSwap(nil, &modes)
	return t.still()
}

// cook restores the modes found by raw. Any goroutine may call it at any time.
func (t *tty) cook() {
	if modes := t.cooked.Swap(nil); modes != nil {
		_ = windows.SetConsoleMode(windows.Handle(t.in.Fd()), modes.in)
		_ = windows.SetConsoleMode(windows.Handle(t.out.Fd()), modes.out)
	}
}

func (t *tty) size() (columns, rows int) { return terminalSize(int(t.out.Fd())) }

// cell is not known: the console does not tell.
func (t *tty) cell() (width, height int) { return 0, 0 }

// read waits for input for at most wait, for ever if that is negative; 0 and no
// error: nothing came.
func (t *tty) read(p []byte, wait time.Duration) (int, error) {
	if len(t.rest) == 0 {
		var limit <-chan time.Time
		if wait >= 0 {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			limit = timer.C
		}
		select {
		case chunk, ok := <-t.chunks:
			if !ok {
				return 0, os.ErrClosed
			}
			t.rest = chunk
		case <-limit:
			return 0, nil
		case <-t.stop:
			return 0, errStopped
		}
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

// interrupt makes read return an error from now on.
func (t *tty) interrupt() { close(t.stop) }

// release gives up what openTTY took.
func (t *tty) release() { <-t.watched }

// canSuspend is false: consoles have no job control.
func (t *tty) canSuspend() bool { return false }

func (t *tty) suspend() {}

// canLend is false: pump cannot be kept from reading keys meant for an editor.
func (t *tty) canLend() bool { return false }

func (t *tty) run([]string, func()) error { return errStopped }

func (t *tty) nudge() {}

func (t *tty) die(os.Signal) {}
