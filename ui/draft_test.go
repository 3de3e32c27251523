//go:build unix

package ui

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// useEditor makes a shell script the person's editor; $1 is the file.
func useEditor(t *testing.T, script string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "editor")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("VISUAL", path+" --wait")
	t.Setenv("TMPDIR", t.TempDir())
}

func TestEditor(t *testing.T) {
	useEditor(t, `echo "FILE $2 END"; cat "$2"; stty -a | grep -o ' icanon'; read key; echo "read $key"
printf 'one\r\n\ttwo\033[2J你\n\n' > "$2"`)
	w := openPtyWindow(t, 100, 14, "")
	before := modes(t, w)
	w.press("abc\x02") // there is a line already
	w.waitFor("#lobby> abc")
	w.order("edit", "the beginning")
	w.waitFor("the beginning\n icanon")
	found := regexp.MustCompile(`(?s)FILE (.*?) END`).FindStringSubmatch(w.text())
	path := strings.ReplaceAll(found[1], "\n", "")
	for name, perm := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != perm {
			t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
		}
	}
	w.order("edit", "again")
	w.order("print", "meanwhile")
	w.order("width", "")
	w.expect("width 100") // the order before has been obeyed
	if s := w.text(); strings.Contains(s, "meanwhile") {
		t.Errorf("drawn over the editor:\n%s", s)
	}
	w.press("typed for it\n") // not for us
	w.waitFor("read typed for it")
	w.press("typed for it\n") // nor that, when it is asked the second time
	w.waitFor("meanwhile\n")
	w.waitFor("#lobby> abone⏎\n        →two[2J你one⏎\n        →two[2J你c")
	if !reflect.DeepEqual(before, modes(t, w)) {
		t.Error("the modes are not those of before")
	}
	w.press("\x15\x0bok\r")
	w.expect(`line "ok"`)
	if left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "p2pchat-*")); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}

func TestEditorThatFails(t *testing.T) {
	useEditor(t, `echo no > "$2"; exit 3`)
	w := openPtyWindow(t, 100, 14, "")
	w.order("edit", "my text")
	w.waitFor("-- the editor failed, and the text is as it was: exit status 3\n#lobby> my text")
	useEditor(t, `yes | head -c 70000 > "$2"`)
	w = openPtyWindow(t, 100, 14, "")
	w.order("edit", "my text")
	w.waitFor("-- one line takes 64 KiB; what you wrote is in " + os.Getenv("TMPDIR"))
	if left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*", "message.txt")); len(left) != 1 {
		t.Errorf("the text is in %q", left)
	}
	t.Setenv("VISUAL", "no-such-editor -x")
	w = openPtyWindow(t, 100, 14, "")
	w.order("edit", "")
	w.expect(`refused there is no "no-such-editor", which $VISUAL names`)
}

// A chat that ends while somebody writes hangs up on the editor, and says where
// the text is.
func TestCloseDuringTheEditor(t *testing.T) {
	useEditor(t, `echo saved > "$2"; echo ready; read key`)
	w := openPtyWindow(t, 100, 14, "")
	w.order("edit", "")
	w.waitFor("ready")
	w.order("close", "")
	w.expectBoth("eof", "closed true")
	w.waitFor("-- the chat is over; what you wrote is in ")
	fresh := openPtyWindow(t, 60, 10, "")
	fresh.order("close", "")
	fresh.expectBoth("eof", "closed true")
	if !reflect.DeepEqual(modes(t, fresh), modes(t, w)) {
		t.Error("the modes are not restored")
	}
}

func TestEditorByKey(t *testing.T) {
	useEditor(t, `echo edited >> "$2"`)
	w := openPtyWindow(t, 60, 10, "")
	w.press("my line\x18\x05")
	w.waitFor("#lobby> my line⏎\n        edited")
	w.press("\r")
	w.expect(`line "my line\nedited"`)
	t.Setenv("VISUAL", "no-such-editor")
	w = openPtyWindow(t, 60, 10, "")
	w.press("my line\x18\x05")
	w.waitFor(`!! there is no "no-such-editor", which $VISUAL names` + "\n#lobby> my line")
}

func TestFindEditor(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	none := func(string) string { return "" }
	if editor, err := findEditor(none); err == nil {
		t.Errorf("found %q", editor)
	}
	path := filepath.Join(os.Getenv("PATH"), "vi")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if editor, err := findEditor(none); err != nil || editor[0] != path {
		t.Errorf("found %q, %v", editor, err)
	}
	named := func(name string) string { return map[string]string{"EDITOR": " vi  -R $(x) "}[name] }
	if editor, err := findEditor(named); err != nil || !reflect.DeepEqual(editor, []string{path, "-R", "$(x)"}) {
		t.Errorf("found %q, %v", editor, err)
	}
}

// An editor that stops itself goes on where nobody could continue us.
func TestEditorThatStops(t *testing.T) {
	useEditor(t, `kill -STOP $$; echo went on > "$2"`)
	w := openPtyWindow(t, 60, 10, "")
	w.order("edit", "")
	w.waitFor("#lobby> went on")
	w.press("\r")
	w.expect(`line "went on"`)
}
