package history

import (
	"errors"
	"fmt"

	"p2pchat/rooms"
)

// ErrReadOnly says that a log, or the state, takes no more changes: it failed
// before, it is damaged, or it was opened by View. The error that carries it names
// the file and, where there is one, keeps the error of the operating system.
var ErrReadOnly = errors.New("read-only")

// ErrClosed says that the store or the log was closed.
var ErrClosed = errors.New("history is closed")

// ErrNoMessage says that a redaction names no message with a text or a file: it was
// never said, it was removed or lost, it is a redaction itself, or what it said was
// taken out before.
var ErrNoMessage = errors.New("there is nothing to take out")

// InUseError says that another process has the store open.
type InUseError struct {
	Dir string
	PID int // 0: not known
}

// Error names the directory and the process.
func (e *InUseError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%q is in use by another process", e.Dir)
	}
	return fmt.Sprintf("%q is in use by process %d", e.Dir, e.PID)
}

// DamageError says that a file holds something that no crash can leave behind.
type DamageError struct {
	File   string
	Offset int64     // bytes from the start of the file
	After  rooms.Seq // the last message (or change) that is whole before the damage
	Before rooms.Seq // the first whole one behind it; 0: none is known
	Reason string
}

// Error names the file and the place.
func (e *DamageError) Error() string {
	where := fmt.Sprintf("after %d", e.After)
	if e.Before != 0 {
		where = fmt.Sprintf("between %d and %d", e.After, e.Before)
	}
	return fmt.Sprintf("%q is damaged %s, at byte %d: %s", e.File, where, e.Offset, e.Reason)
}

// Bounds are the last whole message before the damage, and the first one that is known
// to be whole behind it; 0: none is.
func (e *DamageError) Bounds() (after, beyond rooms.Seq) { return e.After, e.Before }

// VersionError says that a file was written by a later version of the program.
type VersionError struct {
	File    string
	Version int // of the file
}

// Error names the file and both versions.
func (e *VersionError) Error() string {
	return fmt.Sprintf("%q has format version %d, this program knows up to %d: use a newer p2pchat",
		e.File, e.Version, version)
}

// readOnly is the error of everything that comes after cause broke file.
func readOnly(file string, cause error) error {
	return fmt.Errorf("%q is %w: %w", file, ErrReadOnly, cause)
}
