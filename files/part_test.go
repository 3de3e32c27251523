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
	"sync"
	"sync/atomic"
	"testing"
)

// begun is a file of which all has come, but that has no name yet.
func begun(t *testing.T, f Folder, name string, content []byte) *Saving {
	t.Helper()
	s, err := f.Begin(name, int64(len(content)), sha256.Sum256(content))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.WriteAt(content, 0); err != nil {
		t.Fatal(err)
	}
	return s
}

// Two who save one content do not share a file: what is finished, nobody changes.
func TestSaveOneAtATime(t *testing.T) {
	f, content := Folder{Dir: t.TempDir()}, []byte("right!")
	a := begun(t, f, "cat.png", content)
	if _, err := f.Begin("other.png", 6, sha256.Sum256(content)); !errors.Is(err, ErrBusy) {
		t.Fatalf("a second one at the same time: %v", err)
	}
	path, err := a.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.WriteAt([]byte("WRONG!"), 0); err == nil {
		t.Error("writes to a finished file")
	}
	b := begun(t, f, "cat.png", []byte("right!")) // A is not closed yet
	if _, err := b.WriteAt([]byte("WRONG!"), 0); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, content) {
		t.Errorf("the finished file is %q now", got)
	}
	if _, err := b.Finish(); !errors.Is(err, ErrHash) {
		t.Error(err)
	}
	if got := listing(t, f.Dir); !slices.Equal(got, []string{"cat.png"}) {
		t.Errorf("in the folder: %v", got)
	}
}

// Whoever of many finishes has a whole file; who doesn't leaves nothing.
func TestSaveManyOfOneContent(t *testing.T) {
	f, content := Folder{Dir: t.TempDir()}, bytes.Repeat([]byte("cat"), 10_000)
	var all sync.WaitGroup
	var saved atomic.Int32
	for range 50 {
		all.Go(func() {
			switch _, err := save(f, "cat.png", content); {
			case err == nil:
				saved.Add(1)
			case !errors.Is(err, ErrBusy):
				t.Error(err)
			}
		})
	}
	all.Wait()
	names := listing(t, f.Dir)
	if len(names) != int(saved.Load()) || len(names) == 0 {
		t.Errorf("%d were saved: %v", saved.Load(), names)
	}
	var seen []os.FileInfo
	for _, name := range names {
		path := filepath.Join(f.Dir, name)
		if got, _ := os.ReadFile(path); !bytes.Equal(got, content) {
			t.Errorf("%s has %d bytes", name, len(got))
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(seen, func(other os.FileInfo) bool { return os.SameFile(info, other) }) {
			t.Errorf("%s is another name of a file", name)
		}
		seen = append(seen, info)
	}
}

// A run that was killed between the two steps of link leaves a file with two names.
func TestSaveLeavesAFinishedFileAlone(t *testing.T) {
	f, content := Folder{Dir: t.TempDir()}, []byte("right!")
	s := begun(t, f, "cat.png", content)
	if err := s.root.Link(s.at, "cat.png"); err != nil {
		t.Skip("no links here:", err)
	}
	_ = s.Close()
	s = begun(t, f, "cat.png", []byte("right!"))
	if _, err := s.WriteAt([]byte("WRONG!"), 0); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(f.Dir, "cat.png")); !bytes.Equal(got, content) {
		t.Errorf("the finished file is %q now", got)
	}
	if _, err := s.WriteAt(content, 0); err != nil {
		t.Fatal(err)
	}
	path, err := s.Finish()
	if err != nil || filepath.Base(path) != "cat (1).png" {
		t.Errorf("saved as %s: %v", path, err)
	}
	a, _ := os.Stat(filepath.Join(f.Dir, "cat.png"))
	if b, err := os.Stat(path); err != nil || os.SameFile(a, b) {
		t.Errorf("one file has two names: %v", err)
	}
}

// A part that was there makes no program of the file.
func TestSaveTakesNoMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes here")
	}
	f, content := Folder{Dir: t.TempDir()}, []byte("#!/bin/sh")
	at := filepath.Join(f.Dir, (&Saving{hash: sha256.Sum256(content)}).partName())
	if err := os.WriteFile(at, content[:3], 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(at, 0o777); err != nil {
		t.Fatal(err)
	}
	path, err := save(f, "cat.png", content)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v: %v", info.Mode(), err)
	}
}

// A part that was removed behind our back ends in an error, not in an empty file.
func TestSaveOfAPartThatIsGone(t *testing.T) {
	f := Folder{Dir: t.TempDir()}
	s := begun(t, f, "cat.png", []byte("right!"))
	if err := os.Remove(filepath.Join(f.Dir, s.at)); err != nil {
		t.Skip("an open file can't be removed here:", err)
	}
	if path, err := s.Finish(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("saved as %s: %v", path, err)
	}
	for name, way := range map[string]func(string) error{"claim": s.claim, "link": s.link, "hold": s.hold} {
		if err := way("cat.png"); !errors.Is(err, fs.ErrNotExist) || lacks(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := listing(t, f.Dir); len(got) > 0 {
		t.Errorf("left behind: %v", got)
	}
}

// Every way to a name takes one that is free, and no other.
func TestSaveByEveryWay(t *testing.T) {
	ways := map[string]func(*Saving, string) error{
		"claim": (*Saving).claim, "link": (*Saving).link, "hold": (*Saving).hold,
		"move": func(s *Saving, name string) error { return move(s.root, s.at, name) },
	}
	for way, claim := range ways {
		f := Folder{Dir: t.TempDir()}
		if err := os.WriteFile(filepath.Join(f.Dir, "cat.png"), []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := begun(t, f, "cat.png", []byte("right!"))
		err := claim(s, "cat.png")
		if lacks(err) {
			t.Logf("%s: not here: %v", way, err)
			continue
		}
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s, over what is there: %v", way, err)
		}
		if err := claim(s, "dog.png"); err != nil {
			t.Errorf("%s: %v", way, err)
		}
		for name, want := range map[string]string{"cat.png": "precious", "dog.png": "right!"} {
			if got, _ := os.ReadFile(filepath.Join(f.Dir, name)); string(got) != want {
				t.Errorf("%s: %s is %q", way, name, got)
			}
		}
		if got := listing(t, f.Dir); len(got) != 2 {
			t.Errorf("%s left behind: %v", way, got)
		}
	}
}

// Where a part can't be locked, it is nobody else's and goes at the end.
func TestSaveWithoutLocks(t *testing.T) {
	for _, finish := range []bool{false, true} {
		f, content := Folder{Dir: t.TempDir()}, []byte("right!")
		s := begun(t, f, "cat.png", content)
		if err := s.Discard(); err != nil {
			t.Fatal(err)
		}
		_ = s.part.Close()
		if err := s.begin(); err != nil {
			t.Fatal(err)
		}
		s.done = false
		if _, err := s.WriteAt(content, 0); err != nil {
			t.Fatal(err)
		}
		if finish {
			if path, err := s.Finish(); err != nil || filepath.Base(path) != "cat.png" {
				t.Errorf("saved as %s: %v", path, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got := listing(t, f.Dir); len(got) > 0 != finish {
			t.Errorf("finished %v, in the folder: %v", finish, got)
		}
	}
}

// Who has opened a part just before it was finished does not write to it.
func TestSaveTakesNoFinishedFile(t *testing.T) {
	f := Folder{Dir: t.TempDir()}
	a := begun(t, f, "cat.png", []byte("right!"))
	late, err := os.OpenFile(filepath.Join(f.Dir, a.at), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if err := a.secure(late); !errors.Is(err, ErrBusy) {
		t.Errorf("while it is saved: %v", err)
	}
	if _, err := a.Finish(); err != nil {
		t.Skip("an open file can't be moved here:", err)
	}
	if err := a.part.Close(); err != nil { // which unlocks it
		t.Fatal(err)
	}
	if err := a.secure(late); !errors.Is(err, errGone) {
		t.Errorf("once it is saved: %v", err)
	}
}
