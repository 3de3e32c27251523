package files

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"p2pchat/ui/picture"
)

// NotViewableError is why a file is not opened.
type NotViewableError struct{ Path string }

func (e *NotViewableError) Error() string {
	return fmt.Sprintf("%s is no picture, film, sound, PDF or plain text by name and content, so it is not opened from here", filepath.Base(e.Path))
}

// Open hands a saved file to the system's viewer, as one argument and not through a
// shell, and does not wait for it. Only what viewers show without obeying it is opened,
// when its name and its content agree on that; see [picture.Viewable].
func Open(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	f, err := openRegular(path)
	if err != nil {
		return err
	}
	head := make([]byte, picture.HeadSize)
	n, _ := f.ReadAt(head, 0)
	_ = f.Close()
	if !picture.Viewable(filepath.Base(path), picture.Sniff(head[:n])) {
		return &NotViewableError{path}
	}
	viewer := viewer(path)
	viewer.Env = os.Environ()
	if err := viewer.Start(); err != nil {
		return fmt.Errorf("no viewer could be started (%w); the file is %s", err, path)
	}
	go func() { _ = viewer.Wait() }() // it may outlive us; while we are there, it is to leave no trace when it ends
	return nil
}

// viewer is the program that opens files as a person would with a double click.
func viewer(path string) *exec.Cmd {
	switch runtime.GOOS {
	case "darwin":
		return exec.Command("open", "--", path)
	case "windows":
		return exec.Command("rundll32", "url.dll,FileProtocolHandler", path)
	}
	return exec.Command("xdg-open", path)
}
