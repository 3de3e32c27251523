//go:build !linux

package natlab

import (
	"errors"
	"io"
	"time"
)

var errLinux = errors.New("network namespaces exist on Linux only")

func missing() string { return "Linux" }

func (ns *namespace) do(func() error) error { return errLinux }

func (m *Machine) capture(io.Writer) (func() error, error) { return nil, errLinux }

type delay struct{}

func startDelay(*namespace, time.Duration) (*delay, error) { return nil, errLinux }

func (d *delay) set(time.Duration) {}

func (d *delay) Close() error { return nil }
