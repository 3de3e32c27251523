package ui

import (
	"os"
	"sync"

	"p2pchat/ui/picture"
)

// pictures knows how the terminal shows pictures. Where nobody has said so, the
// environment tells, and the terminal itself is asked: its answers come like keys, so the
// key filter hands them over.
type pictures struct {
	query    string // what to ask the terminal; "": nothing
	detected picture.Mode
	cell     func() (width, height int) // pixels of a cell; 0: not known

	mu      sync.Mutex
	answers picture.Answers // guarded by mu
}

func newPictures(wanted picture.Mode, cell func() (int, int)) *pictures {
	p := &pictures{detected: wanted, cell: cell}
	if wanted == picture.Auto || wanted == "" {
		p.detected = picture.Detect(os.Getenv, true)
		p.query = picture.Query(os.Getenv, true)
	}
	return p
}

// take reports whether a sequence that came is an answer, and no key.
func (p *pictures) take(sequence string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	answers, ok := p.answers.Take(sequence)
	p.answers = answers
	return ok
}

// options is how pictures are shown now.
func (p *pictures) options() picture.Options {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := picture.Options{Mode: p.detected, CellWidth: p.answers.CellWidth, CellHeight: p.answers.CellHeight}
	if p.query != "" {
		o.Mode = p.answers.Mode(p.detected)
	}
	if o.CellWidth == 0 || o.CellHeight == 0 {
		o.CellWidth, o.CellHeight = p.cell()
	}
	return o
}

// Pictures says how the terminal shows pictures.
func (t *readlineTerminal) Pictures() picture.Options { return t.pictures.options() }
