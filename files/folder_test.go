package files

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// save saves content in one piece.
func save(f Folder, name string, content []byte) (string, error) {
	s, err := f.Begin(name, int64(len(content)), sha256.Sum256(content))
	if err != nil {
		return "", err
	}
	defer s.Close()
	if _, err := s.WriteAt(content[s.Offset():], s.Offset()); err != nil {
		return "", err
	}
	return s.Finish()
}

// listing is what stands in a folder.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestSaveOverwritesNothing(t *testing.T) {
	f := Folder{Dir: filepath.Join(t.TempDir(), "new", "folder")}
	for i, want := range []string{"cat.tar.gz", "cat (1).tar.gz", "cat (2).tar.gz"} {
		path, err := save(f, "../cat.tar.gz", []byte{byte(i)})
		if err != nil || filepath.Base(path) != want {
			t.Fatalf("saved as %s: %v", path, err)
		}
		info, err := os.Stat(path)
		if err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
			t.Errorf("%s: mode %v: %v", path, info.Mode(), err)
		}
	}
	f.Fixed = true
	if _, err := save(f, "cat.tar.gz", []byte("x")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over what is there: %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(f.Dir, "cat.tar.gz")); err != nil || !bytes.Equal(got, []byte{0}) {
		t.Errorf("the first one is %v now", got)
	}
	if got := listing(t, f.Dir); len(got) != 3 {
		t.Errorf("left behind: %v", got)
	}
}

// A file of which a part came is not there; another run goes on with it.
func TestSaveGoesOn(t *testing.T) {
	f, content := Folder{Dir: t.TempDir()}, bytes.Repeat([]byte("0123456789"), 1000)
	for cut := 0; cut < len(content); cut += 1234 {
		s, err := f.Begin("a.bin", int64(len(content)), sha256.Sum256(content))
		if err != nil {
			t.Fatal(err)
		}
		if at := s.Offset(); at != int64(max(0, cut-1234)) && cut > 0 {
			t.Fatalf("goes on at %d, not %d", at, cut-1234)
		}
		if _, err := s.WriteAt(content[s.Offset():cut], s.Offset()); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if got := listing(t, f.Dir); slices.Contains(got, "a.bin") {
			t.Fatal("a part is visible")
		}
	}
	path, err := save(f, "a.bin", content)
	if got, _ := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
		t.Fatalf("%v", err)
	}
	if got := listing(t, f.Dir); !slices.Equal(got, []string{"a.bin"}) {
		t.Errorf("left behind: %v", got)
	}
}

// What could not be begun leaves nothing behind, and an error does not name what a person
// does not know of.
func TestSaveThatDoesNotBegin(t *testing.T) {
	f := Folder{Dir: t.TempDir()}
	s, err := f.Begin("a.bin", 10, sha256.Sum256(nil))
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if got := listing(t, f.Dir); len(got) > 0 {
		t.Errorf("left behind: %v", got)
	}
	file := filepath.Join(f.Dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, "/proc/nowhere", "/proc"} {
		s, err := Folder{Dir: dir}.Begin("a.bin", 10, sha256.Sum256(nil))
		if err == nil {
			s.Close()
			t.Skipf("%s can be written to here", dir)
		}
		if text := err.Error(); !strings.HasPrefix(text, "nothing can be saved in "+dir+": ") || strings.Contains(text, ".part") || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q", text)
		}
	}
}

func TestSaveChecksTheHash(t *testing.T) {
	f := Folder{Dir: t.TempDir()}
	for _, came := range []string{"wrong!", "short", ""} {
		s, err := f.Begin("a", 6, sha256.Sum256([]byte("right!")))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.WriteAt([]byte(came), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Finish(); !errors.Is(err, ErrHash) {
			t.Errorf("%q: %v", came, err)
		}
		s.Close()
		if got := listing(t, f.Dir); len(got) > 0 {
			t.Errorf("left behind: %v", got)
		}
	}
	s, err := f.Begin("a", 6, sha256.Sum256([]byte("right!")))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.WriteAt([]byte("right!!"), 0); err == nil {
		t.Error("takes more than was promised")
	}
}

// Links in the folder lead nowhere.
func TestSaveFollowsNoLinks(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(outside, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := Folder{Dir: t.TempDir()}
	content := []byte("from a stranger")
	s := &Saving{hash: sha256.Sum256(content)}
	for _, at := range []string{"a.txt", s.partName()} {
		if err := os.Symlink(outside, filepath.Join(f.Dir, at)); err != nil {
			t.Skip("no links here:", err)
		}
	}
	if path, err := save(f, "a.txt", content); err == nil {
		t.Errorf("saved through a link, as %s", path)
	}
	if err := os.Remove(filepath.Join(f.Dir, s.partName())); err != nil {
		t.Fatal(err)
	}
	path, err := save(f, "a.txt", content)
	if err != nil || filepath.Base(path) != "a (1).txt" {
		t.Errorf("beside a link: %s, %v", path, err)
	}
	if got, _ := os.ReadFile(outside); string(got) != "precious" {
		t.Errorf("the file outside is %q now", got)
	}
}

func TestSaveManyOfOneName(t *testing.T) {
	f := Folder{Dir: t.TempDir()}
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			if _, err := save(f, "cat.png", []byte{byte(i), 1}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := listing(t, f.Dir); len(got) != 50 {
		t.Errorf("%d files: %v", len(got), got)
	}
}
