package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestSeededBugs puts bugs into the program, one at a time, and wants a test to find
// each: a suite that stays green with a bug that loses messages proves nothing. It is
// slow, so it is run by make bugs.
//
// A file in testdata/bugs is one bug: what it does, which test has to turn red
// ("test: PACKAGE NAME"), and a file of the program with the text that is replaced.
// The tree stays as it is: the go command is told to read the file from elsewhere.
func TestSeededBugs(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "bugs", "*.txtar"))
	if err != nil || len(paths) < 10 {
		t.Fatalf("there are %d bugs, %v", len(paths), err)
	}
	listed, err := os.ReadFile(filepath.Join("docs", "testing.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if b := readBug(t, path); !bytes.Contains(listed, []byte("| "+b.what+" | `"+strings.TrimPrefix(b.pkg, "./")+"` "+b.test+" |")) {
			t.Errorf("docs/testing.md does not list %s", path)
		}
	}
	if os.Getenv("P2PCHAT_BUGS") == "" {
		t.Skip("make bugs puts them in: it builds the program anew for each")
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			b := readBug(t, path)
			out, err := exec.Command("go", "test", "-count=1", "-overlay", b.overlay(t), "-run", "^("+b.test+")$", b.pkg).CombinedOutput()
			switch {
			case err == nil:
				t.Fatalf("%s in %s does not find it:\n%s", b.test, b.pkg, out)
			case bytes.Contains(out, []byte("[build failed]")) || !bytes.Contains(out, []byte("--- FAIL: ")) && !bytes.Contains(out, []byte("panic: ")):
				t.Fatalf("no test failed:\n%s", out)
			}
		})
	}
}

// bug is one of testdata/bugs.
type bug struct {
	what      string
	pkg, test string
	file      string
	old, new  string
}

var caughtBy = regexp.MustCompile(`(?m)^test: (\S+) (\S+)$`)

func readBug(t *testing.T, path string) bug {
	t.Helper()
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := caughtBy.FindSubmatch(a.Comment)
	if m == nil || len(a.Files) != 2 || a.Files[1].Name != "instead" {
		t.Fatalf("%s has no test, or not a file and what stands there instead", path)
	}
	what, _, _ := strings.Cut(string(a.Comment), ".\n")
	return bug{
		what: what, pkg: string(m[1]), test: string(m[2]), file: a.Files[0].Name,
		old: string(a.Files[0].Data), new: string(a.Files[1].Data),
	}
}

// overlay writes the file with the bug, and the go command's directions to it.
func (b bug) overlay(t *testing.T) string {
	t.Helper()
	whole, err := os.ReadFile(b.file)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(whole, []byte(b.old)); n != 1 {
		t.Fatalf("what the bug replaces is %d times in %s", n, b.file)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, filepath.Base(b.file))
	if err := os.WriteFile(changed, bytes.Replace(whole, []byte(b.old), []byte(b.new), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := filepath.Abs(b.file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{at: changed}})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay
}
