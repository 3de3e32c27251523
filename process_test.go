package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// process is a program that a script has started in the background.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *stream
	err   *stream
	log   *transcript
	ended chan struct{} // closed when it has ended and all that it wrote was read
}

func begin(name string, cmd *exec.Cmd, log *transcript) (*process, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	problems, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	log.add(name+" $", strings.Join(cmd.Args, " "))
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, in: in, log: log, ended: make(chan struct{})}
	p.out = newStream(name, log, p.ended)
	p.err = newStream(name+":err", log, p.ended)
	go func() {
		var reading sync.WaitGroup
		reading.Go(func() { p.out.read(out) })
		reading.Go(func() { p.err.read(problems) })
		reading.Wait()
		_ = cmd.Wait()
		log.add(name+" $", cmd.ProcessState.String())
		close(p.ended)
	}()
	return p, nil
}

// tell writes a line to its input.
func (p *process) tell(line string) error {
	p.log.add(p.out.name+" <", line)
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return fmt.Errorf("%s does not listen: %w", p.out.name, err)
	}
	return nil
}

func (p *process) closeInput() {
	p.log.add(p.out.name+" <", "(end)")
	_ = p.in.Close()
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// wait returns the exit code; -1 if a signal ended it.
func (p *process) wait() (int, error) {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-t.C:
		return 0, fmt.Errorf("%s is still running", p.out.name)
	}
}

// kill ends it at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stream is what a process writes, line by line.
type stream struct {
	name  string
	log   *transcript
	ended <-chan struct{}
	next  int // the line where the next expect begins; owned by the script

	mu    sync.Mutex // guards the fields below
	lines []string
	more  chan struct{} // closed when a line comes, and replaced
}

func newStream(name string, log *transcript, ended <-chan struct{}) *stream {
	return &stream{name: name, log: log, ended: ended, more: make(chan struct{})}
}

func (s *stream) read(r io.Reader) {
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadString('\n')
		if line != "" {
			s.add(strings.TrimSuffix(line, "\n"))
		}
		if err != nil {
			return
		}
	}
}

func (s *stream) add(line string) {
	s.log.add(s.name+" >", line)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
	close(s.more)
	s.more = make(chan struct{})
}

func (s *stream) soFar() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines[:len(s.lines):len(s.lines)]
}

// after returns the lines from one on, and what tells that there are more.
func (s *stream) after(at int) ([]string, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines[at:len(s.lines):len(s.lines)], s.more
}

// await returns the first line behind the last one awaited that is wanted. With
// move, the next one begins behind it.
func (s *stream) await(wanted func(string) bool, move bool) (string, error) {
	t := time.NewTimer(patience)
	defer t.Stop()
	for at, over := s.next, false; ; {
		lines, more := s.after(at)
		for i, line := range lines {
			if wanted(line) {
				if move {
					s.next = at + i + 1
				}
				return line, nil
			}
		}
		at += len(lines)
		if over {
			return "", errors.New("it has ended without a line like this")
		}
		select {
		case <-more:
		case <-s.ended:
			over = true // look once more: the last lines came before the end
		case <-t.C:
			return "", fmt.Errorf("no line like this in %v", patience)
		}
	}
}

// transcript is all that was said, in order.
type transcript struct {
	began time.Time
	mu    sync.Mutex // guards text
	text  strings.Builder
}

func newTranscript() *transcript { return &transcript{began: time.Now()} }

func (t *transcript) add(who, line string) {
	const widest = 2000
	if len(line) > widest {
		line = fmt.Sprintf("%s… (%d bytes)", line[:widest], len(line))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(&t.text, "%6.3f %s %s\n", time.Since(t.began).Seconds(), who, strings.ToValidUTF8(line, "\uFFFD"))
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
