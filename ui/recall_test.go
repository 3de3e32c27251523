package ui

import (
	"slices"
	"testing"
)

// What is typed before what is sent can be had again, and no draft is lost on the way.
func TestRecall(t *testing.T) {
	const up, down, clear = cmdPrevious, cmdNext, cmdKillToStart
	for _, c := range []struct {
		name, before string
		keys         []rune
		want         string
	}{
		{"up", "|", []rune{up}, "three|"},
		{"up beyond the first", "|", []rune{up, up, up, up}, "one|"},
		{"down from the draft", "draft|", []rune{down}, "draft|"},
		{"there and back", "dr|aft", []rune{up, up, down, down}, "draft|"},
		{"a new draft at an old line", "|", []rune{up, up, clear, 'd', up, down}, "d|"},
		{"which goes up from the newest", "|", []rune{up, up, clear, 'd', up}, "three|"},
		{"an edited line is a draft", "|", []rune{up, up, '!', up, down}, "two!|"},
		{"unless there is one", "draft|", []rune{up, up, '!', up, down, down, down}, "draft|"},
		{"then it is kept too", "draft|", []rune{up, up, '!', up, down}, "two!|"},
		{"and until a line is sent", "draft|", []rune{up, up, '!', up, '\r', up, up}, "three|"},
		{"what is sent comes first", "new|", []rune{'\r', up}, "new|"},
		{"twice is once", "three|", []rune{'\r', up, up}, "two|"},
		{"nothing is not kept", "  |", []rune{'\r', up}, "three|"},
		{"what is thrown away is gone", "draft|", []rune{up, rune(ctrl('C')), down}, "|"},
	} {
		if got := edit(newEditor("one", "two", "three"), c.before, c.keys...); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Only a line that is shown as found is sent.
func TestSearch(t *testing.T) {
	const search, enter, esc, up = cmdSearch, cmdEnter, rune('\a'), cmdPrevious
	for _, c := range []struct {
		name, before string
		keys         []rune
		want, hint   string
		sent         bool
	}{
		{"nothing sought", "dr|aft", []rune{search}, "dr|aft", "(search) ", false},
		{"and Enter", "dr|aft", []rune{search, enter}, "dr|aft", "", false},
		{"found", "draft|", []rune{search, 'Q', 'u'}, "/|quit", "(search) Qu", false},
		{"and Enter", "draft|", []rune{search, 'q', 'u', enter}, "/|quit", "", true},
		{"not found", "dr|aft", []rune{search, 'q', 'x'}, "dr|aft", "(search, nothing found) qx", false},
		{"and Enter", "dr|aft", []rune{search, 'q', 'x', enter}, "dr|aft", "", false},
		{"and Enter twice", "dr|aft", []rune{search, 'q', 'x', enter, enter}, "dr|aft", "", true},
		{"and another key", "dr|aft", []rune{search, 'q', 'x', cmdWordLeft}, "|draft", "", false},
		{"found again", "draft|", []rune{search, 'q', 'x', 0x7f}, "/|quit", "(search) q", false},
		{"taken back", "draft|", []rune{search, 'q', 0x7f}, "draft|", "(search) ", false},
		{"more than taken back", "draft|", []rune{search, 'q', 0x7f, 0x7f, enter}, "draft|", "", false},
		{"an older one", "|", []rune{search, 'o', search}, "tw|o", "(search) o", false},
		{"one that is another", "|", []rune{search, 'o', search, search}, "|one", "(search) o", false},
		{"no older one", "|", []rune{search, 'o', search, search, search, enter}, "|one", "", true},
		{"given back", "dr|aft", []rune{search, 'o', esc}, "dr|aft", "", false},
		{"given back by ^C", "dr|aft", []rune{search, 'o', cmdInterrupt}, "dr|aft", "", false},
		{"taken, and more typed", "|", []rune{search, 'o', 'n', cmdWordRight, '!'}, "one!|", "", false},
		{"in all that was typed", "|", []rune{up, up, up, up, search, 'q'}, "/|quit", "(search) q", false},
		{"up from what is found", "draft|", []rune{search, 'q', cmdWordRight, up}, "two|", "", false},
		{"and the draft is there still", "draft|", []rune{search, 'q', cmdWordRight, cmdNext, cmdNext}, "draft|", "", false},
	} {
		e := newEditor("one", "two", "two", "/quit", "to")
		var sent []byte
		e.again = func(key byte) { sent = append(sent, key) }
		got := edit(e, c.before, c.keys...)
		if got != c.want || e.view.now.hint != c.hint || c.sent != slices.Equal(sent, []byte{'\r'}) || !c.sent && sent != nil {
			t.Errorf("%s: %q with hint %q, %q for the library; want %q, %q, %v", c.name, got, e.view.now.hint, sent, c.want, c.hint, c.sent)
		}
	}
}

// What is pasted into a search is sought, and does not end up in the line.
func TestPasteIntoASearch(t *testing.T) {
	e := newEditor("an old line")
	e.view.givePaste([]rune("old"))
	if got := edit(e, "x|", cmdSearch, cmdPaste); got != "an |old line" {
		t.Errorf("found %q", got)
	}
}

// The end of input counts on an empty line only, and where it is asked about first
// only when that says so.
func TestEndOfInputKey(t *testing.T) {
	for _, c := range []struct {
		before string
		leaves func() bool
		want   string
	}{
		{"|", nil, "\x04"}, {"|", func() bool { return true }, "\x04"}, {"|", func() bool { return false }, ""}, {"|x", nil, ""},
	} {
		e := newEditor()
		given, opened := "", 0
		e.again = func(key byte) { given += string(rune(key)) }
		e.pending = func() { opened++ }
		e.leaves = c.leaves
		edit(e, c.before, cmdEnd)
		if given != c.want || opened != 1 {
			t.Errorf("%q: %q for the library, and the keyboard is opened %d times", c.before, given, opened)
		}
	}
}

func TestReturnIntoTheLine(t *testing.T) {
	for before, want := range map[string]string{"|": "said|", "a|b": "a|b"} {
		e := newEditor()
		e.view.givePaste([]rune("said"))
		if got := edit(e, before, cmdReturn); got != want || e.view.takePaste() != nil {
			t.Errorf("%q becomes %q, want %q", before, got, want)
		}
	}
}
