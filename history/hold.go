package history

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// How long somebody waits for a file that another process changes, and how long it looks
// away in between.
const (
	holdPatience = 5 * time.Second
	holdPause    = 5 * time.Millisecond
)

// Hold keeps other processes from changing a file until the closer is closed: who reads
// a file and then replaces it loses nothing that another one puts there. It is kept by a
// lock beside it, path.lock, for which it waits up to 5 s. On a system without locks nobody
// is kept away.
func Hold(path string) (io.Closer, error) { return hold(disk{}, path) }

func hold(fsys fs, path string) (io.Closer, error) {
	for end := time.Now().Add(holdPatience); ; {
		l, err := fsys.Lock(path + ".lock")
		var busy *InUseError
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			return io.NopCloser(nil), nil
		case err == nil || !errors.As(err, &busy):
			return l, err
		case time.Now().After(end):
			return nil, fmt.Errorf("%s is being changed by another process", path)
		}
		time.Sleep(holdPause + rand.N(holdPause)) // so that two do not go in step
	}
}
