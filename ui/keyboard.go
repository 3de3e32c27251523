package ui

import (
	"errors"
	"io"
	"sync/atomic"
)

var (
	errStopped = errors.New("reading the terminal was stopped")
	errCalled  = errors.New("reading the terminal was interrupted for a call")
)

// keyboard reads the terminal in a goroutine of its own and is the library's
// standard input. It hands keys over only while a line is being read (the gate
// is open), so that the library never has a line that nobody waits for.
type keyboard struct {
	// source blocks; 0 and no error: nothing came in time; errCalled: there is a call.
	source func(p []byte, filter *keyFilter) (int, error)
	act    func(keyPress) // does what needs no library
	paste  func([]rune)

	answers func(sequence string) bool // takes what the terminal answers; nil: it was asked nothing

	keys  chan keyPress
	again chan byte     // of capacity one: a key of lineEditor that ends the line, before any other
	back  chan []rune   // of capacity one: text to be put back
	gate  chan struct{} // holds a token while it is open
	calls chan func()   // of capacity one: to be run between two reads
	stop  chan struct{} // closed by the owner
	ended chan struct{} // closed when nothing will come any more

	drained atomic.Bool // the library has been told of the end

	rest []byte // rest of a key; owned by Read, as is last
	last []byte // what the library is told before the end
}

func newKeyboard() *keyboard {
	return &keyboard{
		keys: make(chan keyPress), again: make(chan byte, 1), back: make(chan []rune, 1), gate: make(chan struct{}, 1), calls: make(chan func(), 1),
		stop: make(chan struct{}), ended: make(chan struct{}),
		// At the end of input the library submits a half-typed line
		// (operation.go:131). ^E leaves a search, killing the line empties it.
		last: append([]byte{ctrl('E')}, ctrl('U')),
	}
}

// run reads until the terminal or the owner ends it.
func (k *keyboard) run() {
	defer close(k.ended)
	filter := &keyFilter{emit: k.pressed, answered: k.answers}
	buf := make([]byte, 4096)
	for {
		n, err := k.source(buf, filter)
		if errors.Is(err, errCalled) {
			(<-k.calls)()
			continue
		}
		if err != nil {
			return
		}
		if n == 0 {
			filter.quiet()
			continue
		}
		filter.feed(buf[:n])
	}
}

// pressed passes one key on, when the library takes it.
func (k *keyboard) pressed(key keyPress) {
	if key.act != actType && key.act != actPaste {
		k.act(key)
		return
	}
	select {
	case k.keys <- key:
	case <-k.stop:
	}
}

// stopped reports whether the owner has ended it.
func (k *keyboard) stopped() bool {
	select {
	case <-k.stop:
		return true
	default:
		return false
	}
}

// open lets keys through until one ends the line.
func (k *keyboard) open() {
	select {
	case k.gate <- struct{}{}:
	default:
	}
}

// repeat gives the library a key when the gate opens next. lineEditor calls it
// while it holds the gate.
func (k *keyboard) repeat(b byte) {
	select {
	case k.again <- b:
	default:
	}
}

// putBack lets text be put into the line if that is empty. Where another text is on
// its way, the line will not be.
func (k *keyboard) putBack(text []rune) {
	select {
	case k.back <- text:
	default:
	}
}

// Read implements io.Reader for the library; only its reading goroutine calls it.
func (k *keyboard) Read(p []byte) (int, error) {
	if len(k.rest) == 0 {
		key, ok := k.next()
		if !ok {
			if len(k.last) == 0 {
				k.drained.Store(true)
				return 0, io.EOF
			}
			key.bytes, k.last = k.last, nil
		}
		k.rest = key.bytes
		switch key.act {
		case actPaste:
			k.paste(key.text)
			k.rest = []byte(string(cmdPaste))
		case actReturn:
			k.paste(key.text)
			k.rest = []byte(string(cmdReturn))
		}
	}
	n := copy(p, k.rest)
	k.rest = k.rest[n:]
	return n, nil
}

// next waits for the gate, then for a key; false at the end.
func (k *keyboard) next() (keyPress, bool) {
	select {
	case <-k.gate:
	case <-k.ended:
		return keyPress{}, false
	}
	select {
	case b := <-k.again:
		return keyPress{bytes: []byte{b}}, true
	default:
	}
	select {
	case key := <-k.keys:
		if !key.ends {
			k.open()
		}
		return key, true
	case text := <-k.back:
		k.open()
		return keyPress{act: actReturn, text: text}, true
	case <-k.ended:
		return keyPress{}, false
	}
}

// Close implements io.Closer for the library; the owner closes stop.
func (k *keyboard) Close() error { return nil }
