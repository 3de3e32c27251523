//go:build unix

package files

import (
	"context"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Pipes and devices are refused, and nobody waits for them.
func TestPickRefusesPipesAndDevices(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no pipes here:", err)
	}
	for _, path := range []string{pipe, "/dev/zero", "/dev/tty", "/dev/null"} {
		if p, err := Pick(context.Background(), path, PickOptions{Temp: t.TempDir()}); err == nil {
			t.Errorf("took %s", path)
			_ = p.Close()
		}
	}
}
