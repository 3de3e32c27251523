//go:build !linux && !darwin

package files

import (
	"errors"
	"os"
)

// move would give a file another name, if that is free, in one step: not here.
func move(*os.Root, string, string) error { return errors.ErrUnsupported }
