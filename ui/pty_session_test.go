//go:build unix

package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chzyer/readline"
)

// sessionLeader gives the program a session with the terminal as its own.
func sessionLeader() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Setctty: true}
}

func TestMessagesAboveHalfTypedText(t *testing.T) {
	w := openPtyWindow(t, 60, 12, "")
	w.press("half ty")
	w.waitFor("#lobby> half ty")
	w.order("print", "14:02 bob hi all")
	w.order("print", "14:02 carol two\nlines")
	w.press("ped")
	w.waitFor("14:02 bob hi all\n14:02 carol two\nlines\n#lobby> half typed")
	w.waitCursor(len("#lobby> half typed"), 3)
	w.press("\r")
	w.expect(`line "half typed"`)
	w.wait("empty prompt", func(s string) bool { return strings.HasSuffix(s, "lines\n#lobby>") })
}

// The documented way to print messages with the library loses seven of these
// eight, from the scrollback too.
func TestMessagesOverWrappedInput(t *testing.T) {
	for _, toStart := range []string{"\x01", strings.Repeat("\x1b[D", 90)} {
		w := openPtyWindow(t, 40, 18, "")
		w.press(strings.Repeat("abcdefghi ", 9)) // three rows of 39
		w.wait("three rows", func(s string) bool { return strings.Count(s, "\n") == 2 })
		w.press(toStart)
		w.waitCursor(8, 0)
		for i := range 8 {
			w.order("print", fmt.Sprintf("message %d", i))
		}
		want := "message 0\nmessage 1\nmessage 2\nmessage 3\nmessage 4\nmessage 5\nmessage 6\nmessage 7\n#lobby> abcdefghi"
		w.wait("eight messages above three rows", func(s string) bool {
			return strings.HasPrefix(s, want) && strings.Count(s, "\n") == 10
		})
		w.waitCursor(8, 8)
	}
}

// What stands before the cursor is written once more, so that the cursor is where the
// terminal itself has it.
func TestCursorAmongWideCharacters(t *testing.T) {
	w := openPtyWindow(t, 60, 10, "")
	const family = "👩‍👩‍👧"
	for _, step := range []struct{ keys, before string }{
		{"a你好b", "a你好b"},
		{"\x1b[D", "a你好"},
		{"\x1b[D", "a你"},
		{"\x1b[D", ""},
		{"\x05" + family, "a你好b" + family},
		{"\x02", "a你好b"}, // one step for the whole family
		{"\x06", "a你好b" + family},
		{"e\u0301", "a你好b" + family + "e\u0301"},
		{"\x7f", "a你好b" + family}, // letter and accent go together
		{"\x7f", "a你好b"},          // and so does the family
	} {
		from := len(w.output())
		w.press(step.keys)
		if step.before == "" {
			w.waitOutput(from, "\x1b[10G") // all before it is ASCII: behind the prompt and "a"
			continue
		}
		w.waitOutput(from, "\r#lobby> "+step.before+"\x1b[0m"+endFrame)
	}
	w.press("\r")
	w.expect(`line "a你好b"`)
}

func TestPasteIsOneLine(t *testing.T) {
	w := openPtyWindow(t, 60, 10, "")
	w.press("\x1b[200~one\r\ntwo\n\tthree\x1b[2J\x03\x1b[201~")
	w.waitFor("#lobby> one⏎\n        two⏎\n        →three")
	w.waitCursor(8+6, 2)
	w.press("!\r")
	w.expect(`line "one\ntwo\n\tthree!"`)
	w.press("first\x1b\rsecond\nthird\r") // Alt-Enter, Ctrl-J
	w.expect(`line "first\nsecond\nthird"`)
	w.press("\x1b[200~end lost")
	w.waitFor("end lost") // after a while, by itself
	w.press("\r")
	w.expect(`line "end lost"`)
	big := strings.Repeat("x", maxInput)
	w.press("\x1b[200~" + big + "overflow\x1b[201~")
	w.waitFor("paste its first 64 KiB?")
	w.press("\r\r")
	w.waitOutput(0, "\a")
	w.expect(`line "` + big + `"`)
}

func TestPasteOf200Lines(t *testing.T) {
	w := openPtyWindow(t, 60, 24, "")
	var text []string
	for i := range 200 {
		text = append(text, fmt.Sprintf("line %03d", i))
	}
	for name, paste := range map[string]string{
		"marked": "\x1b[200~" + strings.Join(text, "\r") + "\x1b[201~", "unmarked": strings.Join(text, "\r"),
	} {
		t.Log(name)
		w.press(paste)
		w.waitFor("#lobby>\npaste 200 lines, 1,799 characters, as one message? Enter\ninserts it, Esc drops it")
		w.press("\x1b")
		w.wait("nothing", func(s string) bool { return s == "#lobby>" })
		w.press(paste)
		w.waitFor("paste 200 lines")
		w.press("\r")
		w.wait("the end of the text", func(s string) bool {
			return strings.HasPrefix(s, "        line 192⏎\n") && strings.HasSuffix(s, "line 199\nrows 193 to 200 of 200")
		})
		w.waitCursor(8+8, 7)
		w.press("\x1b[A")
		w.waitCursor(8+8, 6)
		w.press("\r")
		w.expect(fmt.Sprintf("line %q", strings.Join(text, "\n")))
		w.wait("nothing", func(s string) bool { return s == "#lobby>" })
	}
}

func TestPathCompletion(t *testing.T) {
	tree(t, "my cat.png", "my dog.png", "other/")
	w := openPtyWindow(t, 60, 10, "")
	w.press("/send my\t")
	w.waitFor("#lobby> /send \"my\nmy cat.png  my dog.png")
	w.press("\t\t")
	w.waitFor("#lobby> /send \"my dog.png\"\n")
	w.press(" \x15/send o\t")
	w.wait("directory", func(s string) bool { return s == "#lobby> /send other/" })
}

func TestWaitingAboveThePrompt(t *testing.T) {
	w := openPtyWindow(t, 30, 16, "")
	w.order("waiting", "one two three four five")
	w.waitFor("one\ntwo\nthree\n… 2 more\n#lobby>")
	w.order("print", "message")
	w.press("typed")
	w.waitFor("message\none\ntwo\nthree\n… 2 more\n#lobby> typed")
	w.waitCursor(13, 5)
	w.order("waiting", "")
	w.wait("nothing that waits", func(s string) bool { return s == "message\n#lobby> typed" })
}

func TestKeysThatCrashedTheLibrary(t *testing.T) {
	w := openPtyWindow(t, 60, 10, "")
	for _, keys := range []string{"\x13\x03", "\x12\x03", "\x12\x07", "\x12\x03", "\x14\x14x", "\x00", "\x1b\x14", "\x12abc\x03", "\x12\x7f\x03", "\x1b[3~", "\x11"} {
		w.press(keys)
	}
	w.press("\x15still here\r")
	for {
		report := <-w.reports
		if strings.HasPrefix(report, "interrupt") {
			continue
		}
		if report != `line "still here"` {
			t.Fatalf("the program reports %q", report)
		}
		break
	}
}

func TestEndOfInputAndInterrupt(t *testing.T) {
	w := openPtyWindow(t, 60, 10, "")
	w.press("typed\x03")
	w.expect(`interrupt "typed"`)
	w.press("ab\x01\x04\r") // ^D in text deletes
	w.expect(`line "b"`)
	w.press("\x04")
	w.expect("eof")
}

func TestSuspendOfAConsole(t *testing.T) {
	t.Setenv("P2PCHAT_TEST_CONSOLE", "1")
	w := openPtyWindow(t, 60, 10, "")
	w.press("go\x1a\x1a on\r")
	w.expect(`line "go on"`)
	w.waitFor("-- Ctrl-Z would stop the host for everybody")
	if n := strings.Count(w.text(), "Ctrl-Z"); n != 1 {
		t.Errorf("said %d times:\n%s", n, w.text())
	}
}

func TestEndOfAConsole(t *testing.T) {
	t.Setenv("P2PCHAT_TEST_CONSOLE", "1")
	w := openPtyWindow(t, 60, 10, "")
	w.press("ab\x01\x04\r") // in text it deletes
	w.expect(`line "b"`)
	w.press("\x04")
	w.waitFor("-- Ctrl-D again stops the host for everybody\n#lobby>")
	w.press("on\r")
	w.expect(`line "on"`)
	w.press("\x04\x04")
	w.expect("eof")
}

func TestTheSecondEndSoonAfterTheFirst(t *testing.T) {
	terminal := &readlineTerminal{view: newView("")}
	now := time.Unix(0, 0)
	for _, step := range []struct {
		wait time.Duration
		want bool
	}{{0, false}, {againTime + 1, false}, {againTime, true}} {
		now = now.Add(step.wait)
		if got := terminal.leaves(now); got != step.want {
			t.Errorf("at %v it leaves: %v", now, got)
		}
	}
}

// A search that finds nothing once ran the command it had found before.
func TestSearchThatFindsNothingSendsNothing(t *testing.T) {
	w := openPtyWindow(t, 60, 10, "")
	w.press("/quit\r")
	w.expect(`line "/quit"`)
	w.press("draft\x12quit")
	w.waitFor("#lobby> /quit\n(search) quit")
	w.press("x")
	w.waitFor("#lobby> draft\n(search, nothing found) quitx")
	w.press("\r")
	w.wait("the draft", func(s string) bool { return s == "#lobby> draft" })
	w.press("!\r")
	w.expect(`line "draft!"`)
}

func TestTextThatWasRefusedComesBack(t *testing.T) {
	w := openPtyWindow(t, 60, 10, "")
	w.order("return", "too\nlong")
	w.waitFor("#lobby> too⏎\n        long")
	w.order("return", "another")
	w.order("width", "")
	w.expect("width 60")
	w.press("!\r")
	w.expect(`line "too\nlong!"`)
}

func TestKeysDuringAQuestion(t *testing.T) {
	w := openPtyWindow(t, 60, 24, "")
	w.press("\x1b[200~" + lines(9) + "\x1b[201~")
	w.waitFor("paste 9 lines, 44 characters, as one message? Enter inserts")
	w.press("typed on")
	w.waitFor("then follows: typed on")
	w.press("\r\r")
	w.expect(`line "` + strings.Repeat(`line\n`, 8) + `linetyped on"`)
}

func TestHistoryOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir", "typed")
	w := openPtyWindow(t, 60, 10, path)
	w.press("first line\r")
	w.expect(`line "first line"`)
	w.press("second\x1b\rline\r")
	w.expect(`line "second\nline"`)
	w.press("\x12irst")
	w.waitFor("(search) irst")
	w.waitFor("#lobby> first line")
	w.press("\r") // sends what was found; the library would save an empty line
	w.expect(`line "first line"`)
	w.press("\x1b[A\x1b[A")
	w.waitFor("#lobby> second⏎\n        line")
	w.press("\r")
	w.expect(`line "second\nline"`)
	w.order("close", "")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("history file: %v, %v", info.Mode(), err)
	}
	again := openPtyWindow(t, 60, 10, path)
	again.press("\x10")
	again.waitFor("#lobby> second⏎\n        line")
}

func TestCompletion(t *testing.T) {
	w := openPtyWindow(t, 60, 10, "")
	w.press("/l\t")
	w.waitFor("#lobby> /l\n/leave  /list")
	w.press("i\t")
	w.wait("completed word", func(s string) bool { return s == "#lobby> /list" })
	w.press("WO\t\t\t")
	w.waitFor("#lobby> /list word01\nword00  word01  word02")
	w.press("\x1b[Z\x1b[Z")
	w.waitFor("#lobby> /list word39\n")
	w.press("\x1b") // Esc gives back what was typed
	w.wait("no menu", func(s string) bool { return s == "#lobby> /list WO" })
	w.press("\t\t\t\x7f\x7f\x7f\x7f\x7f\x7f") // another key takes the word
	w.wait("no menu", func(s string) bool { return s == "#lobby> /list" })
	w.press("日\t")
	w.waitFor("#lobby> /list 日本")
	w.press("\r")
	w.expect(`line "/list 日本"`)
}

func TestStatusAndPrompt(t *testing.T) {
	w := openPtyWindow(t, 30, 10, "")
	w.order("status", "sending a file with a very long name 94%")
	w.waitFor("#lobby>\nsending a file with a very l…")
	w.order("prompt", "#dev> ")
	w.press("x")
	w.waitFor("#dev> x\nsending")
	w.order("status", "")
	w.wait("no status", func(s string) bool { return s == "#dev> x" })
	w.order("print", "one")
	w.waitFor("one\n#dev> x")
	w.press("\x0c")
	w.wait("clear screen", func(s string) bool { return s == "#dev> x" })
}

func TestResizeStorm(t *testing.T) {
	w := openPtyWindow(t, 60, 12, "")
	w.press(strings.Repeat("0123456789", 12))
	w.waitFor("0123456789")
	for i := range 60 {
		w.resize(25+(i*7)%50, 6+i%10)
		w.order("print", fmt.Sprintf("message %d", i))
		w.press("x")
	}
	w.resize(80, 24)
	w.press("\x15done")
	w.wait("last message and prompt", func(s string) bool { return strings.HasSuffix(s, "message 59\n#lobby> done") })
	w.order("width", "")
	w.expect("width 80")
	w.press("\r")
	w.expect(`line "done"`)
}

func TestFloodWhileTyping(t *testing.T) {
	w := openPtyWindow(t, 60, 12, "")
	w.order("flood", "1000")
	for _, r := range "typing all the while" {
		from := len(w.output())
		w.press(string(r))
		w.waitOutput(from, "#lobby> ")
	}
	w.expect("flooded")
	w.waitFor("flood 0999\n#lobby> typing all the while")
	out := w.output()
	for i := range 1000 {
		if strings.Count(out, fmt.Sprintf("flood %04d\r", i)) != 1 {
			t.Fatalf("message %d was not written once", i)
		}
	}
	if frames := strings.Count(out, beginFrame); frames > 200 {
		t.Errorf("%d frames for 1000 messages and 20 keys", frames)
	}
}

// modes are the terminal modes of the window, comparable.
func modes(t *testing.T, w *ptyWindow) *readline.State {
	t.Helper()
	state, err := readline.GetState(int(w.tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func TestCloseRestoresTheTerminal(t *testing.T) {
	for _, order := range []string{"close", "restore"} {
		w := openPtyWindow(t, 60, 10, "")
		during := modes(t, w)
		w.press("half typed")
		w.waitFor("half typed")
		w.order("print", "last words")
		w.waitFor("last words")
		w.order(order, "")
		if order == "close" {
			w.wait("prompt taken away", func(s string) bool { return s == "last words" })
			w.expectBoth("eof", "closed true") // nothing half typed is sent
		} else {
			w.expect("restored")
		}
		w.waitOutput(0, pasteOff)
		after := modes(t, w)
		if reflect.DeepEqual(during, after) {
			t.Errorf("%s left the terminal in raw mode", order)
		}
		fresh := openPtyWindow(t, 60, 10, "")
		fresh.order("close", "")
		fresh.expectBoth("eof", "closed true")
		if !reflect.DeepEqual(after, modes(t, fresh)) {
			t.Errorf("the modes after %s differ from those of another terminal", order)
		}
	}
}
