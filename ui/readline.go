package ui

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chzyer/readline"

	"p2pchat/ui/picture"
)

// closeLimit is how long Close waits for the library, which can hang
// (terminal.go:220).
const closeLimit = 500 * time.Millisecond

// againTime is how soon a second Ctrl-D on the host's own console means it.
const againTime = 5 * time.Second

// ReadlineOptions say what NewReadline works with.
type ReadlineOptions struct {
	Stdin, Stdout *os.File // both must be terminals; nil: those of the process
	HistoryFile   string   // "": what was typed is forgotten at the end
	Prompt        string

	Images picture.Mode // how pictures are shown; "": as the terminal says that it can

	// NoSuspend is for the host's own console: ^Z does not stop the process, and
	// the first one is explained. ^D leaves when it comes twice within 5 s.
	NoSuspend bool

	// Plain uses no attributes of the terminal, such as dim and reverse: what is
	// chosen in a menu stands in brackets.
	Plain bool
}

// Restorer is implemented by the Terminal of NewReadline. Restore gives the
// terminal back like Close, but at once and without waiting for anybody: it is
// for the way out through a panic or a fatal signal.
type Restorer interface{ Restore() }

// readlineTerminal is a Terminal with line editing.
//
// The library (github.com/chzyer/readline) only edits: it is told that it has no
// terminal and draws nothing, because what it draws destroys messages
// (runebuf.go:512). We filter what it reads, learn from its Listener what the
// line has become, and draw that and the messages ourselves.
type readlineTerminal struct {
	tty      *tty
	view     *view
	display  *display
	keyboard *keyboard
	pictures *pictures
	rl       *readline.Instance
	typed    *os.File // what was typed before; nil: it is kept nowhere

	noSuspend bool
	explained bool // why ^Z does nothing; belongs to the keyboard's goroutine

	warned time.Time // of the end of the host's own console; belongs to lineEditor

	reading chan struct{} // holds a token while ReadLine runs
	over    bool          // the library has ended; belongs to who holds the token
	watched chan struct{} // closed when watch has ended
	closing sync.Once
	closed  atomic.Bool
}

// NewReadline takes the terminal over until Close. Keys are read only while
// ReadLine waits, ^C included, so somebody should always wait there. A history
// file that cannot be used is left alone: the history then ends with the process.
func NewReadline(opts ReadlineOptions) (Terminal, error) {
	if opts.Stdin == nil {
		opts.Stdin = os.Stdin
	}
	if opts.Stdout == nil {
		opts.Stdout = os.Stdout
	}
	if !IsTerminal(opts.Stdin) || !IsTerminal(opts.Stdout) {
		return nil, errors.New("line editing needs a terminal as input and output")
	}
	if os.Getenv("TERM") == "dumb" {
		return nil, errors.New("line editing needs a terminal that can move its cursor, not TERM=dumb")
	}
	device, err := openTTY(opts.Stdin, opts.Stdout)
	if err != nil {
		return nil, err
	}
	t := &readlineTerminal{
		tty: device, view: newView(opts.Prompt), keyboard: newKeyboard(),
		noSuspend: opts.NoSuspend, reading: make(chan struct{}, 1), watched: make(chan struct{}),
	}
	t.view.now.plain = opts.Plain
	t.pictures = newPictures(opts.Images, device.cell)
	t.display = newDisplay(device, t.view)
	if err = device.raw(); err == nil {
		err = t.startLibrary(t.openTyped(opts.HistoryFile))
	}
	if err != nil {
		device.cook()
		device.interrupt()
		device.release()
		_ = t.typed.Close()
		return nil, err
	}
	_, _ = device.out.WriteString(pasteOn + t.pictures.query)
	t.keyboard.answers = t.pictures.take
	t.keyboard.act, t.keyboard.paste = t.act, t.view.givePaste
	t.keyboard.source = func(p []byte, f *keyFilter) (int, error) { return device.read(p, f.patience()) }
	go t.guarded(t.display.run)
	go t.guarded(t.keyboard.run)
	go t.watch()
	return t, nil
}

// guarded runs f. If it panics the terminal is given back first: the process ends
// without running anybody else's deferred calls. A panic in a goroutine of
// another package, or in the library itself, can't be caught so, nor can kill -9:
// then the terminal is left raw, and "stty sane" or "reset" mends it.
func (t *readlineTerminal) guarded(f func()) {
	finished := false
	defer func() {
		if !finished {
			t.Restore()
		}
	}()
	f()
	finished = true
}

// watch gives the terminal back before a signal that kills at once does so.
func (t *readlineTerminal) watch() {
	defer close(t.watched)
	select {
	case sig := <-t.tty.killed:
		t.Restore()
		t.tty.die(sig)
	case <-t.keyboard.stop:
	}
}

// openTyped opens the file of what was typed before; one that cannot be used is left alone.
func (t *readlineTerminal) openTyped(path string) *recall {
	if path == "" {
		return newRecall(nil, nil)
	}
	file, text, err := openHistory(path)
	if err != nil {
		return newRecall(nil, nil)
	}
	t.typed = file
	return newRecall(file, text)
}

// startLibrary sets the library up as an editor that owns no terminal.
func (t *readlineTerminal) startLibrary(typed *recall) error {
	nothing := func() error { return nil }
	editor := &lineEditor{
		view: t.view, typed: typed, columns: t.Width, column: -1, pending: t.keyboard.open, again: t.keyboard.repeat,
		draft: t.Edit,
	}
	if t.noSuspend {
		editor.leaves = func() bool { return t.leaves(time.Now()) }
	}
	config := &readline.Config{
		Stdin:                  t.keyboard,
		Stdout:                 librarySink{t.view},
		Stderr:                 librarySink{t.view},
		DisableAutoSaveHistory: true, // lineEditor has a history of its own
		UniqueEditLine:         true,
		Listener: readline.FuncListener(func(line []rune, pos int, key rune) (newLine []rune, newPos int, ok bool) {
			t.guarded(func() { newLine, newPos, ok = editor.OnChange(line, pos, key) })
			return newLine, newPos, ok
		}),
		AutoComplete:       noCompletion{},
		FuncIsTerminal:     func() bool { return false },
		FuncMakeRaw:        nothing,
		FuncExitRaw:        nothing,
		FuncGetWidth:       func() int { return 1 << 20 }, // it draws nothing that could wrap
		FuncOnWidthChanged: func(func()) {},
	}
	var err error
	t.rl, err = readline.NewEx(config)
	return err
}

// leaves is asked about the end of input on the host's own console, where one slip
// of the finger would end the host for everybody: only the second one counts.
func (t *readlineTerminal) leaves(now time.Time) bool {
	if !t.warned.IsZero() && now.Sub(t.warned) <= againTime {
		return true
	}
	t.warned = now
	t.Print("-- Ctrl-D again stops the host for everybody")
	return false
}

// act does what a key asks for beside the line.
func (t *readlineTerminal) act(key keyPress) {
	switch key.act {
	case actClear:
		t.view.clearScreen()
	case actSuspend:
		if t.noSuspend {
			t.view.ring()
			if !t.explained {
				t.explained = true
				t.Print("-- Ctrl-Z would stop the host for everybody")
			}
			return
		}
		if t.tty.canSuspend() {
			t.display.do(func() { t.display.lend(t.tty.suspend) })
			return
		}
		t.view.ring()
	case actBell:
		t.view.ring()
	case actAsk:
		t.view.ask(key.note)
	}
}

// stoppable is what happens when a program on our terminal stops: so do we.
func (t *readlineTerminal) stoppable() func() {
	if t.noSuspend || !t.tty.canSuspend() {
		return func() {}
	}
	return t.tty.suspend
}

func (t *readlineTerminal) Print(lines ...string) {
	if t.closed.Load() {
		// The display is gone; last words go out as they are.
		_, _ = t.tty.out.WriteString(strings.Join(lines, "\n") + "\n")
		return
	}
	t.view.print(lines)
}

func (t *readlineTerminal) SetPrompt(prompt string) {
	t.view.change(true, func() { t.view.now.prompt = firstLine(prompt) })
}

func (t *readlineTerminal) SetStatus(status string) {
	t.view.change(false, func() { t.view.now.status = status })
}

func (t *readlineTerminal) SetWaiting(rows ...string) {
	rows = slices.Clone(rows)
	t.view.change(false, func() { t.view.now.waiting = rows })
}

func (t *readlineTerminal) SetCompleter(complete Completer) {
	t.view.change(false, func() { t.view.complete = complete })
}

func (t *readlineTerminal) Return(text string) {
	if line := lineRunes(text); len(line) > 0 {
		t.keyboard.putBack(line)
	}
}

func (t *readlineTerminal) Clear() { t.view.clearScreen() }

func (t *readlineTerminal) Width() int {
	columns, _ := t.tty.size()
	return columns
}

// ReadLine returns the text that stood in the line also with ErrInterrupt.
func (t *readlineTerminal) ReadLine() (string, error) {
	t.reading <- struct{}{}
	defer func() { <-t.reading }()
	if t.over || t.closed.Load() {
		return "", io.EOF
	}
	t.view.begin()
	t.keyboard.open()
	line, err := t.rl.Readline()
	switch {
	case errors.Is(err, readline.ErrInterrupt):
		err = ErrInterrupt
	case err != nil && t.keyboard.drained.Load():
		t.over = true
	}
	return typedText.Replace(line), err
}

// Close draws the messages that wait, removes the prompt and restores the
// terminal. A ReadLine that waits returns io.EOF.
func (t *readlineTerminal) Close() error {
	t.closing.Do(func() {
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			t.shutDown()
		}()
		limit := time.NewTimer(closeLimit)
		defer limit.Stop()
		select {
		case <-finished:
		case <-limit.C: // a terminal that takes no output, or the library
			t.closed.Store(true)
			t.tty.retire()
		}
	})
	return nil
}

// shutDown ends the goroutines one after the other and waits for each.
func (t *readlineTerminal) shutDown() {
	close(t.keyboard.stop)
	t.tty.interrupt()
	<-t.keyboard.ended
	<-t.watched
	close(t.display.stop)
	<-t.display.done
	if !t.closed.Swap(true) {
		_, _ = t.tty.out.WriteString(pasteOff)
		t.tty.retire()
	}
	t.tty.release()
	t.reading <- struct{}{} // the last ReadLine has returned
	if !t.over {
		// Its goroutines end at the end of input, and one of them hands that
		// over (operation.go:127); closing first would be a race (terminal.go:119).
		_, _ = t.rl.Readline()
	}
	_ = t.rl.Close()
	_ = t.typed.Close() // nil has nothing to close
	<-t.reading
}

// Restore implements Restorer. It takes no lock: whoever holds one may be the
// goroutine that panicked.
func (t *readlineTerminal) Restore() {
	if t.closed.Swap(true) {
		return
	}
	_, _ = t.tty.out.WriteString(endFrame + pasteOff + "\x1b[0m\r\n\x1b[J")
	t.tty.retire()
}
