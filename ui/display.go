package ui

import (
	"time"

	"golang.org/x/term"
)

// frameGap is the time from one frame to the next that only brings messages:
// 30 frames a second, however many messages come.
const frameGap = time.Second / 30

// display is the one goroutine that writes to the terminal.
type display struct {
	tty    *tty
	view   *view
	screen screen        // owned by run
	calls  chan func()   // to be run between two frames
	stop   chan struct{} // closed: draw what waits, then end
	done   chan struct{} // closed: run has ended
}

func newDisplay(t *tty, v *view) *display {
	return &display{
		tty: t, view: v, screen: screen{out: t.out},
		calls: make(chan func()), stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// run draws until stop is closed. It sleeps while there is nothing to draw.
func (d *display) run() {
	defer close(d.done)
	pause := time.NewTimer(frameGap)
	resting, due := true, false
	for {
		select {
		case <-d.stop:
			d.finish()
			return
		case call := <-d.calls:
			call()
			continue
		case <-d.tty.resized:
			d.view.refresh()
		case <-d.tty.resumed:
			d.resume()
		case <-d.view.wake:
			due = true
		case <-pause.C:
			resting = false
		}
		if due && (!resting || d.view.isUrgent()) {
			d.draw()
			due, resting = false, true
			pause.Reset(frameGap)
		}
	}
}

// draw brings the terminal up to date in one write.
func (d *display) draw() {
	columns, rows := d.tty.size()
	d.screen.resize(columns)
	f, now, active := d.view.take()
	if active {
		block := layOut(now, columns, rows)
		f.block = &block
	}
	d.screen.draw(f)
}

// finish draws the last messages and takes the block away.
func (d *display) finish() {
	columns, _ := d.tty.size()
	d.screen.resize(columns)
	f, _, _ := d.view.take()
	f.bell = false
	d.screen.draw(f)
}

// lend gives the terminal back, does something, and takes it over again. Runs in
// the display's goroutine, so nothing is drawn meanwhile and messages gather.
func (d *display) lend(f func()) {
	d.finish()
	_, _ = d.tty.out.WriteString(pasteOff)
	d.tty.cook()
	f()
	select {
	case <-d.tty.resumed: // what happened meanwhile is over
	default:
	}
	if d.tty.raw() != nil { // given back meanwhile
		return
	}
	_, _ = d.tty.out.WriteString(pasteOn)
	d.draw()
}

// resume draws afresh after the process was stopped and continued from outside:
// the shell has changed the modes and written where our block was.
func (d *display) resume() {
	_ = d.tty.raw()
	_, _ = d.tty.out.WriteString("\r\n" + pasteOn)
	d.screen.forget()
	d.view.refresh()
}

// do runs f between two frames and waits for it.
func (d *display) do(f func()) {
	finished := make(chan struct{})
	select {
	case d.calls <- func() { f(); close(finished) }:
		<-finished
	case <-d.done:
	}
}

// terminalSize is the size of the terminal behind a descriptor; a terminal that
// does not know its size is taken for the usual one.
func terminalSize(fd int) (columns, rows int) {
	columns, rows, err := term.GetSize(fd)
	if err != nil || columns <= 0 || rows <= 0 {
		return 80, 24
	}
	return columns, rows
}

// retire gives the terminal back for good. Any goroutine may call it.
func (t *tty) retire() {
	t.retired.Store(true)
	t.cook()
}

// still undoes raw where the terminal was given back for good meanwhile: whoever comes
// second sees what the first has done.
func (t *tty) still() error {
	if !t.retired.Load() {
		return nil
	}
	t.cook()
	return errStopped
}
