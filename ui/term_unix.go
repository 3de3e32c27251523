//go:build unix

package ui

import (
	"errors"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chzyer/readline"
	"golang.org/x/sys/unix"
)

// continueWait is how long a stopped process may take to stop. A process whose
// group has no shell to continue it is never stopped, and goes on after this.
const continueWait = 500 * time.Millisecond

// tty is the terminal itself: its modes, its size, its bytes, its signals.
type tty struct {
	in, out *os.File
	wake    [2]int // a pipe; a byte in it, or its end, makes a waiting read return

	mu   sync.Mutex
	over bool // guarded by mu: the terminal is being given up
	job  int  // guarded by mu: the program that has the terminal, as kill(2) names it

	cooked  atomic.Pointer[readline.State] // modes to restore; nil: they are in force
	retired atomic.Bool                    // the terminal was given back for good
	resized chan os.Signal
	resumed chan os.Signal
	killed  chan os.Signal // one that kills at once came
}

// openTTY takes a terminal over, without changing it yet.
func openTTY(in, out *os.File) (*tty, error) {
	t := &tty{in: in, out: out, resized: make(chan os.Signal, 1), resumed: make(chan os.Signal, 1), killed: make(chan os.Signal, 1)}
	if err := unix.Pipe(t.wake[:]); err != nil {
		return nil, err
	}
	for _, fd := range append(t.wake[:], int(in.Fd())) {
		if fd >= unix.FD_SETSIZE { // select(2) has no bits for it
			t.closePipe()
			return nil, errors.New("too many files are open to use the terminal")
		}
	}
	unix.CloseOnExec(t.wake[0])
	unix.CloseOnExec(t.wake[1])
	signal.Notify(t.resized, unix.SIGWINCH)
	signal.Notify(t.resumed, unix.SIGCONT)
	signal.Notify(t.killed, unix.SIGQUIT)
	return t, nil
}

// raw makes keys arrive one by one and unechoed. The library's raw mode is used
// because it leaves the output alone (term.go:51): what others print, such as a
// panic, keeps its line ends.
func (t *tty) raw() error {
	state, err := readline.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return err
	}
	t.cooked.CompareAndSwap(nil, state)
	return t.still()
}

// cook restores the modes found by raw. Any goroutine may call it at any time.
func (t *tty) cook() {
	if state := t.cooked.Swap(nil); state != nil {
		_ = readline.Restore(int(t.in.Fd()), state)
	}
}

func (t *tty) size() (columns, rows int) { return terminalSize(int(t.out.Fd())) }

// cell is the size of a cell in pixels, where the terminal tells it to the system; else 0.
func (t *tty) cell() (width, height int) {
	size, err := unix.IoctlGetWinsize(int(t.out.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 || size.Row == 0 {
		return 0, 0
	}
	return int(size.Xpixel / size.Col), int(size.Ypixel / size.Row)
}

// read waits for input for at most wait, for ever if that is negative; 0 and no
// error: nothing came. It uses select because poll does not know terminals on
// every system.
func (t *tty) read(p []byte, wait time.Duration) (int, error) {
	fd := int(t.in.Fd())
	for {
		var set unix.FdSet
		set.Set(fd)
		set.Set(t.wake[0])
		var limit *unix.Timeval
		if wait >= 0 {
			tv := unix.NsecToTimeval(int64(wait))
			limit = &tv
		}
		n, err := unix.Select(max(fd, t.wake[0])+1, &set, nil, nil, limit)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, err
		case n == 0:
			return 0, nil
		case set.IsSet(t.wake[0]):
			if n, _ := unix.Read(t.wake[0], make([]byte, 1)); n == 1 {
				return 0, errCalled
			}
			return 0, errStopped
		}
		n, err = unix.Read(fd, p)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
			continue
		case err != nil:
			return 0, err
		case n == 0:
			return 0, os.ErrClosed // the terminal hung up
		}
		return n, nil
	}
}

// release gives up what openTTY took; read must have returned for good.
func (t *tty) release() {
	signal.Stop(t.resized)
	signal.Stop(t.resumed)
	signal.Stop(t.killed)
	_ = unix.Close(t.wake[0])
}

// die lets a signal do what it does to a process that does not handle it.
func (t *tty) die(sig os.Signal) {
	signal.Reset(sig)
	_ = unix.Kill(unix.Getpid(), sig.(unix.Signal))
}

func (t *tty) closePipe() {
	_ = unix.Close(t.wake[0])
	_ = unix.Close(t.wake[1])
}

// canSuspend reports whether somebody could continue this process: a parent in
// the same session. The system does not stop a process nobody could continue.
func (t *tty) canSuspend() bool {
	own, err := unix.Getsid(0)
	if err != nil {
		return false
	}
	parent, err := unix.Getsid(unix.Getppid())
	return err == nil && own == parent
}

// suspend stops this process as ^Z does and returns when it is continued. The
// library signals its parent too (utils_unix.go:23); a shell script or a test
// that started us is not ours to stop.
func (t *tty) suspend() {
	select {
	case <-t.resumed: // from an earlier stop
	default:
	}
	if unix.Kill(unix.Getpid(), unix.SIGTSTP) != nil {
		return
	}
	timer := time.NewTimer(continueWait)
	defer timer.Stop()
	select {
	case <-t.resumed:
	case <-timer.C:
	}
}
