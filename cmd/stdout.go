package cmd

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// stdout is where every command writes its data. What can't be written is told once,
// when the command ends.
var stdout = &dataWriter{to: os.Stdout}

// dataWriter is a writer that remembers its first error.
type dataWriter struct {
	to io.Writer

	mu  sync.Mutex // guards err
	err error
}

// Write passes the bytes on.
func (o *dataWriter) Write(b []byte) (int, error) {
	n, err := o.to.Write(b)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.err == nil {
			o.err = fmt.Errorf("standard output: %w; what was written there is not whole", err)
		}
	}
	return n, err
}

// failed returns the first error.
func (o *dataWriter) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}
