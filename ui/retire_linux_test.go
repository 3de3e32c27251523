//go:build linux

package ui

import (
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// A terminal that was given back for good stays as it is, whoever comes late.
func TestRetiredTerminalStaysCooked(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("no pty here:", err)
	}
	defer master.Close()
	defer slave.Close()
	device, err := openTTY(slave, slave)
	if err != nil {
		t.Fatal(err)
	}
	defer device.release()
	defer device.interrupt()
	echoes := func() bool {
		mode, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return mode.Lflag&unix.ECHO != 0
	}
	if err := device.raw(); err != nil || echoes() {
		t.Fatalf("not raw: %v", err)
	}
	device.retire()
	if err := device.raw(); err == nil || !echoes() {
		t.Errorf("raw again: %v", err)
	}
}
