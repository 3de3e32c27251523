package ui

import (
	"fmt"
	"sync"
)

// maxWaiting bounds the bytes of messages that wait for a terminal which does
// not take them; beyond it the oldest are dropped and counted.
const maxWaiting = 8 << 20

// view is what the terminal should show. Everybody writes to it, the display
// draws it. It never calls anybody while it is locked.
type view struct {
	wake chan struct{} // of capacity one: there is something to draw

	mu       sync.Mutex
	now      parts     // guarded by mu, as is all below
	active   bool      // there is a line being typed
	urgent   bool      // to be drawn at once: a person waits for it
	waiting  []string  // messages not drawn yet
	size     int       // their bytes
	dropped  int       // messages lost to maxWaiting
	clear    bool      // empty the screen
	cleared  []string  // messages to draw before that, for the scrollback
	bell     bool      // ring
	pastes   [][]rune  // one for each cmdPaste and cmdReturn under way
	complete Completer // nil: no completion
}

// parts are what the input block is made of.
type parts struct {
	waiting              []string // lines above the prompt; never changed in place
	prompt, hint, status string
	line                 []rune // never changed in place
	pos                  int
	menu                 menu
	question             string // asked by the keyboard; stands in the place of menu and hint
	plain                bool   // no attributes
}

func newView(prompt string) *view {
	return &view{wake: make(chan struct{}, 1), now: parts{prompt: prompt}}
}

// change applies f under the lock and wakes the display.
func (v *view) change(urgent bool, f func()) {
	v.mu.Lock()
	f()
	v.urgent = v.urgent || urgent
	v.mu.Unlock()
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// print queues messages.
func (v *view) print(lines []string) {
	v.change(false, func() {
		for _, line := range lines {
			v.waiting = append(v.waiting, line)
			v.size += len(line)
		}
		for v.size > maxWaiting && len(v.waiting) > 1 {
			v.size -= len(v.waiting[0])
			v.waiting = v.waiting[1:]
			v.dropped++
		}
	})
}

// typed shows the line after a key.
func (v *view) typed(line []rune, pos int, m menu, hint string) {
	v.change(true, func() { v.now.line, v.now.pos, v.now.menu, v.now.hint = line, pos, m, hint })
}

// ask shows a question in the place of menu and hint; empty takes it away.
func (v *view) ask(question string) { v.change(true, func() { v.now.question = question }) }

// neighbour is where the cursor comes to in the row above or below, see the
// function of this name.
func (v *view) neighbour(line []rune, pos, column, by, columns int) (to, kept int, ok bool) {
	v.mu.Lock()
	prompt := v.now.prompt
	v.mu.Unlock()
	return neighbour(prompt, line, pos, column, by, lineWidth(columns))
}

func (v *view) ring()    { v.change(true, func() { v.bell = true }) }
func (v *view) begin()   { v.change(true, func() { v.active = true }) }
func (v *view) refresh() { v.change(true, func() {}) }

// clearScreen empties the screen. What waits is drawn before, for the scrollback.
func (v *view) clearScreen() {
	v.change(true, func() {
		v.clear, v.cleared = true, append(v.cleared, v.waiting...)
		v.waiting = nil
	})
}

// givePaste keeps text until the library has passed its command on.
func (v *view) givePaste(text []rune) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pastes = append(v.pastes, text)
}

// takePaste is the text of the cmdPaste or cmdReturn that arrived.
func (v *view) takePaste() []rune {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pastes) == 0 {
		return nil
	}
	text := v.pastes[0]
	v.pastes = v.pastes[1:]
	return text
}

func (v *view) completer() Completer {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.complete
}

func (v *view) isUrgent() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.urgent
}

// take hands over what is to be drawn now.
func (v *view) take() (f frame, now parts, active bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f = frame{clear: v.clear, before: v.cleared, bell: v.bell, lines: v.waiting}
	if v.dropped > 0 {
		f.lines = append([]string{fmt.Sprintf("(%s not shown: the terminal did not take them)", plural(v.dropped, "line"))}, f.lines...)
	}
	v.clear, v.cleared, v.bell, v.urgent = false, nil, false, false
	v.waiting, v.size, v.dropped = nil, 0, 0
	return f, v.now, v.active
}
