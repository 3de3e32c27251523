//go:build unix

package files

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
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

// A file of the kernel that says it is empty is not sent as an empty one.
func TestPickRefusesFilesWithoutALength(t *testing.T) {
	const path = "/proc/self/status"
	if b, err := os.ReadFile(path); err != nil || len(b) == 0 {
		t.Skip("no such files here:", err)
	}
	if p, err := Pick(context.Background(), path, PickOptions{Temp: t.TempDir()}); err == nil {
		t.Errorf("took %d bytes of it", p.File.Size)
		_ = p.Close()
	}
}

// A film that stands at the path only when its preview is made is not shown.
func TestPickShowsNoOtherFilm(t *testing.T) {
	film, err := os.ReadFile(filepath.Join("..", "ui", "picture", "testdata", "film.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	var still bytes.Buffer
	if err := png.Encode(&still, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	for _, swap := range []bool{false, true} {
		path, other, shown := put(t, "a.mp4", film), put(t, "secret.mp4", film), put(t, "still.png", still.Bytes())
		ffmpeg := "#!/bin/sh\n"
		if swap {
			ffmpeg += "/bin/mv '" + other + "' '" + path + "'\n"
		}
		tool := put(t, "ffmpeg", []byte(ffmpeg+"/bin/cat '"+shown+"'\n"))
		if err := os.Chmod(tool, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", filepath.Dir(tool))
		p, err := Pick(context.Background(), path, PickOptions{Temp: t.TempDir(), Whole: true})
		if err != nil {
			t.Fatal(err)
		}
		if (len(p.File.Preview) == 0) != swap {
			t.Errorf("swapped %v: a preview of %d bytes", swap, len(p.File.Preview))
		}
		_ = p.Close()
	}
}
