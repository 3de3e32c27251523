package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"p2pchat/history"
	"p2pchat/node"
	"p2pchat/rooms"
)

// TestExitCodes checks the contract's exit codes, also for errors within errors.
func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("something"), 1},
		{rooms.Refuse(rooms.Storage, "", "disk"), 1},
		{rooms.Refuse(rooms.UnsupportedVersion, "", "old"), 1},
		{usagef("what"), 2},
		{fmt.Errorf("reading: %w", usagef("what")), 2},
		{rooms.Refuse(rooms.Unreachable, "", "gone"), 3},
		{ownError{rooms.Refuse(rooms.NoSuchFile, "", "none")}, 1},
		{rooms.Refuse(rooms.RoomFull, "", "full"), 4},
		{rooms.Refuse(rooms.NoSuchRoom, "", "none"), 4},
		{silentError{rooms.Refuse(rooms.Banned, "", "banned")}, 4},
		{rooms.Refuse(rooms.IdentityMismatch, "", "other"), 5},
		{rooms.Refuse(rooms.InviteInvalid, "", "used up"), 6},
		{fmt.Errorf("target: %w", node.ErrInvite), 6},
		{fmt.Errorf("%w; a host runs there", &history.InUseError{Dir: "d"}), 7},
		{silentError{&history.DamageError{}}, 8},
		{fmt.Errorf("the identity %w", node.ErrDamagedKey), 8},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("exitCode(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
	for code, meaning := range exitCodes {
		if meaning == "" {
			t.Errorf("exit code %d is not explained", code)
		}
	}
}

// TestManual looks for every command and flag in the manual page, and lets groff
// complain about it where there is one.
func TestManual(t *testing.T) {
	page := manual(root())
	for _, want := range []string{
		"NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", `"IN THE CHAT"`, "KEYS", `"EXIT STATUS"`, "ENVIRONMENT", "FILES",
	} {
		if !strings.Contains(page, ".SH "+want+"\n") {
			t.Errorf("there is no section %s", want)
		}
	}
	walkLeaves(root(), func(c *cobra.Command) {
		if !strings.Contains(page, roff(c.Parent().CommandPath()+" "+c.Use)) {
			t.Errorf("%q is missing", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if got := strings.Contains(page, `\fB`+roff(manFlag(f))); got == f.Hidden {
				t.Errorf("%s: --%s is in the page: %t", c.CommandPath(), f.Name, got)
			}
		})
	})
	for _, r := range page {
		if r > '~' {
			t.Fatalf("%q is not ASCII", r)
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("there is no groff")
	}
	render := exec.Command(groff, "-man", "-ww", "-Tascii", "-z")
	render.Stdin = strings.NewReader(page)
	if out, err := render.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("groff: %v\n%s", err, out)
	}
}

// TestFlagTexts keeps what --help and a shell's completion say about flags short
// and free of markup.
func TestFlagTexts(t *testing.T) {
	var check func(*cobra.Command)
	check = func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if len(f.Usage) > 60 && !f.Hidden || strings.ContainsAny(f.Usage, "`\n") {
				t.Errorf("%s --%s: %q", c.CommandPath(), f.Name, f.Usage)
			}
			if name := f.Value.Type(); name != "bool" && name != strings.ToUpper(name) {
				t.Errorf("%s --%s: its value has no name but %q", c.CommandPath(), f.Name, name)
			}
		})
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check(root())
}

// TestNearest finds the name that was meant.
func TestNearest(t *testing.T) {
	for _, tt := range []struct{ wanted, want string }{
		{"hoem", "home"}, {"home", "home"}, {"hom", "home"}, {"lab2", "lab"}, {"kitchen", ""},
	} {
		if got := nearest(tt.wanted, []string{"lab", "home", "büro"}); got != tt.want {
			t.Errorf("nearest(%q) = %q, want %q", tt.wanted, got, tt.want)
		}
	}
}

// TestShellHints checks that no hint for the chat reaches a shell.
func TestShellHints(t *testing.T) {
	for _, tt := range []struct{ hint, want string }{
		{"/list shows the rooms, /join ID enters one", shellHints[rooms.NoSuchRoom]},
		{"ask an operator to raise /limit, or wait", shellHints[rooms.NoSuchRoom]},
		{"ask one: /who shows them", shellHints[rooms.NoSuchRoom]},
		{"p2pchat history list shows them", "p2pchat history list shows them"},
		{"give a multiaddr that ends in /p2p/ID", "give a multiaddr that ends in /p2p/ID"},
		{"letters/digits", "letters/digits"},
		{"", ""},
	} {
		if got := atShell(rooms.Refuse(rooms.NoSuchRoom, tt.hint, "no")).Hint; got != tt.want {
			t.Errorf("the hint %q becomes %q, want %q", tt.hint, got, tt.want)
		}
	}
	for code, hint := range shellHints {
		if chatHint.MatchString(hint) {
			t.Errorf("%s: %q is a hint for the chat", code, hint)
		}
	}
}

// TestRefusalOf keeps the next step of an error where programs look for it.
func TestRefusalOf(t *testing.T) {
	for _, tt := range []struct {
		err           error
		code          rooms.Code
		message, hint string
	}{
		{usagef("no host is saved as %q; paste it", "x"), rooms.BadRequest, `no host is saved as "x"`, "paste it"},
		{usagef("--room: say which room"), rooms.BadRequest, "--room: say which room", ""},
		{fmt.Errorf("the key %w; put it back", node.ErrDamagedKey), rooms.Storage, "the key is damaged", "put it back"},
		{&fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}, rooms.Storage, "open x: permission denied", ""},
		{usageError{rooms.Refuse(rooms.TooLong, "less; much less", "too; long")}, rooms.TooLong, "too; long", "less; much less"},
	} {
		got := refusalOf(tt.err)
		if got.Code != tt.code || got.Message != tt.message || got.Hint != tt.hint {
			t.Errorf("%v becomes %s: %q, %q", tt.err, got.Code, got.Message, got.Hint)
		}
	}
}

// TestSay keeps what people read within a terminal of 80 columns.
func TestSay(t *testing.T) {
	var b strings.Builder
	r := newReporter(false, nil, &b)
	r.say(strings.Repeat("words of some length ", 20) + strings.Repeat("x", 100))
	for line := range strings.Lines(b.String()) {
		if len(line) > lineWidth+1 && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("%d columns: %q", len(line)-1, line)
		}
	}
}
