//go:build unix

package ui

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// canLend reports whether another program can have the terminal for a while.
func (t *tty) canLend() bool { return true }

// run runs a program on the terminal and waits for it. Where there is job
// control the program gets a process group of its own, as a shell would give it:
// its ^C and ^Z do not reach us. When it stops, stop is called, then it goes on.
func (t *tty) run(argv []string, stop func()) error {
	own, jobs := unix.Getpgrp(), false
	attr := &os.ProcAttr{Files: []*os.File{t.in, t.out, t.out}}
	if front, err := unix.IoctlGetInt(int(t.in.Fd()), unix.TIOCGPGRP); err == nil && front == own {
		jobs = true
		attr.Sys = &syscall.SysProcAttr{Foreground: true, Ctty: int(t.in.Fd())}
	}
	pid, err := t.startJob(argv, attr, jobs)
	if err != nil {
		return err
	}
	for {
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, unix.WUNTRACED, nil); errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil {
			return err
		}
		if status.Stopped() {
			t.foreground(own)
			stop()
			if jobs {
				t.foreground(pid)
			}
			t.signalJob(unix.SIGCONT)
			continue
		}
		t.endJob()
		t.foreground(own)
		switch {
		case status.Signaled():
			return errors.New(status.Signal().String())
		case status.ExitStatus() != 0:
			return fmt.Errorf("exit status %d", status.ExitStatus())
		}
		return nil
	}
}

// startJob starts the program, unless the terminal is being given up.
func (t *tty) startJob(argv []string, attr *os.ProcAttr, jobs bool) (pid int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return 0, errStopped
	}
	process, err := os.StartProcess(argv[0], argv, attr)
	if err != nil {
		return 0, err
	}
	pid = process.Pid
	if t.job = pid; jobs {
		t.job = -pid // all of its group
	}
	_ = process.Release()
	return pid, nil
}

func (t *tty) endJob() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.job = 0
}

// signalJob sends a signal to the program that has the terminal, if one has.
func (t *tty) signalJob(sig syscall.Signal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.job != 0 {
		_ = unix.Kill(t.job, sig)
	}
}

// foreground makes a process group the one that the terminal's keys go to. Who
// does so from the background is stopped, unless it ignores that signal.
func (t *tty) foreground(group int) {
	signal.Ignore(unix.SIGTTOU)
	defer signal.Reset(unix.SIGTTOU)
	_ = unix.IoctlSetPointerInt(int(t.in.Fd()), unix.TIOCSPGRP, group)
}

// nudge makes a waiting read return errCalled.
func (t *tty) nudge() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		_, _ = unix.Write(t.wake[1], []byte{0})
	}
}

// interrupt makes read return errStopped from now on, and hangs up on a program
// that has the terminal.
func (t *tty) interrupt() {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.signalJob(unix.SIGHUP)
	t.signalJob(unix.SIGCONT)
	_ = unix.Close(t.wake[1])
}
