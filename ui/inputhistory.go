package ui

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
)

const (
	historyLimit = 1000     // lines typed before that can be had again
	historyBytes = 16 << 20 // of a history file that is read at all
)

// openHistory opens the file of lines typed before, for more of them: one that only
// its owner can read, and short enough. text is what is in it.
func openHistory(path string) (file *os.File, text []byte, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, err
	}
	if text, err = prepareHistory(path); err != nil {
		return nil, nil, err
	}
	file, err = os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	return file, text, err
}

// prepareHistory makes the file what openHistory promises and reads it.
func prepareHistory(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > historyBytes {
		return nil, errors.New("not a history file")
	}
	if err := file.Chmod(0o600); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return text, shortenHistory(path, text)
}

// shortenHistory replaces the file at path when it has too many lines.
func shortenHistory(path string, text []byte) error {
	lines := bytes.SplitAfter(text, []byte("\n"))
	if len(lines) <= historyLimit {
		return nil
	}
	kept, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(kept.Name())
	_, err = kept.Write(bytes.Join(lines[len(lines)-historyLimit/2:], nil))
	if err = errors.Join(err, kept.Close()); err != nil {
		return err
	}
	return os.Rename(kept.Name(), path)
}
