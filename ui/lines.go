package ui

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// lineLimit is the longest line of input, in bytes without its line end.
const lineLimit = 1 << 20

// errLineTooLong is what a line over lineLimit reads as; the next line is whole again.
var errLineTooLong = errors.New("the line is over 1 MiB")

// input is one line, or why there is none.
type input struct {
	text string
	err  error
}

// end reports whether no line will follow.
func (in input) end() bool {
	return in.err != nil && !errors.Is(in.err, ErrInterrupt) && !errors.Is(in.err, errLineTooLong)
}

// failure is the error of an end that is not simply the end of the input.
func (in input) failure() error {
	if errors.Is(in.err, io.EOF) {
		return nil
	}
	return in.err
}

// readLines hands over what next returns, one line at a time, until its end or
// until stop is closed. A read that is under way then cannot be interrupted: its
// goroutine ends when that read returns, and drops what it read.
func readLines(next func() (string, error), stop <-chan struct{}) <-chan input {
	lines := make(chan input)
	go func() {
		for {
			text, err := next()
			in := input{text, err}
			select {
			case lines <- in:
			case <-stop:
				return
			}
			if in.end() {
				return
			}
		}
	}()
	return lines
}

// lineReader returns a function that reads the lines of r. The last line needs
// no line end; a line over the limit is errLineTooLong and is skipped whole.
func lineReader(r io.Reader) func() (string, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	return func() (string, error) {
		var line strings.Builder
		for long := false; ; {
			part, err := buffered.ReadSlice('\n')
			long = long || line.Len()+len(part) > lineLimit+len("\r\n")
			if !long {
				line.Write(part)
			}
			switch {
			case errors.Is(err, bufio.ErrBufferFull):
				continue
			case err != nil && !long && line.Len() == 0:
				return "", err
			}
			text := strings.TrimSuffix(strings.TrimSuffix(line.String(), "\n"), "\r")
			if long || len(text) > lineLimit {
				return "", errLineTooLong
			}
			return text, nil
		}
	}
}
