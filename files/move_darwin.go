package files

import (
	"os"

	"golang.org/x/sys/unix"
)

// move gives a file in root another name, if that is free, in one step.
func move(root *os.Root, from, to string) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.RenameatxNp(int(dir.Fd()), from, int(dir.Fd()), to, unix.RENAME_EXCL)
}
