package natlab

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// missing names what a lab needs and this machine has not; "" if it has all.
func missing() string {
	if os.Geteuid() != 0 {
		return "root"
	}
	for _, name := range []string{"ip", "nft", "conntrack"} {
		if _, err := exec.LookPath(name); err != nil {
			return name
		}
	}
	return ""
}

// do runs fn with its thread inside the namespace.
func (ns *namespace) do(fn func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer before.Close()
	if err := unix.Setns(int(ns.file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering namespace %q: %w", ns.name, err)
	}
	defer func() {
		// A thread that stayed inside would run other goroutines there.
		if err := unix.Setns(int(before.Fd()), unix.CLONE_NEWNET); err != nil {
			panic(fmt.Sprintf("leaving namespace %q: %v", ns.name, err))
		}
	}()
	return fn()
}
