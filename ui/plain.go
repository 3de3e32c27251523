package ui

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"sync"
)

// maxInput is the number of bytes of one line of input, typed, pasted or piped.
// It is far above what a host accepts, so that the host refuses a line that is
// too long, as it does for everybody, and nothing is cut in silence.
const maxInput = 64 << 10

// plainTerminal writes and reads lines and nothing else.
type plainTerminal struct {
	in *bufio.Reader // owned by the one caller of ReadLine

	mu  sync.Mutex
	out io.Writer // guarded by mu
}

// NewPlain is a Terminal for pipes and screen readers: every line is printed
// once, in order, without colours or cursor movements, and there is no prompt, no
// status and nothing that waits. A line of input beyond 64 KiB arrives cut to that length. Close does
// not close in, so it does not end a ReadLine that waits.
func NewPlain(in io.Reader, out io.Writer) Terminal {
	return &plainTerminal{in: bufio.NewReader(in), out: out}
}

func (p *plainTerminal) Print(lines ...string) {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(withoutLooks(line))
		b.WriteByte('\n')
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.out, b.String())
}

func (p *plainTerminal) SetPrompt(string)       {}
func (p *plainTerminal) SetStatus(string)       {}
func (p *plainTerminal) SetWaiting(...string)   {}
func (p *plainTerminal) SetCompleter(Completer) {}
func (p *plainTerminal) Return(string)          {}
func (p *plainTerminal) Clear()                 {}
func (p *plainTerminal) Width() int             { return 0 }
func (p *plainTerminal) Close() error           { return nil }

// Edit is refused: nobody may be at a screen.
func (p *plainTerminal) Edit(string) error {
	return errors.New("there is no screen here to give to an editor")
}

func (p *plainTerminal) ReadLine() (string, error) {
	var line []byte
	for {
		part, err := p.in.ReadSlice('\n')
		line = append(line, part[:min(len(part), maxInput+2-len(line))]...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && len(line) == 0 {
			return "", err
		}
		text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
		return strings.ToValidUTF8(text[:min(len(text), maxInput)], "\uFFFD"), nil
	}
}
