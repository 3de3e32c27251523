//go:build unix

package ui

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// keyTokens are what fingers, terminals and clipboards send.
var keyTokens = append(controlKeys(),
	"\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[1~", "\x1b[3~", "\x1b[1;5C", "\x1b[1;5D",
	"\x1bOA", "\x1bb", "\x1bf", "\x1bd", "\x1b\x7f", "\x1b\r", "\x1b\x14", "\x1bt", "\x1b", "\x1b[", "\x1bO",
	"\x1b[200~two\rlines\tand 你\x1b[201~", "\x1b[200~open", "\x1b[201~", "\x1b[12;34R", "\x1b[[A", "\x7f",
	"\x1b[Z", "\x1b[200~"+strings.Repeat("many\r", 12)+"\x1b[201~", strings.Repeat("unmarked\r", 12), "panel", "/send ",
	"a", "word ", "你好", "e\u0301", "👩‍👩‍👧", "🇩🇪", "/l", "\x12l", "\x18\x01", "\x18\x05", "\x1bж", "\ue021", "\ue022", "\xe4\xbd", "\xff", "\ue010", "\ue00a", strings.Repeat("long ", 30), "\r", "\r")

// controlKeys are all of them but ^D, which on an empty line ends the run.
func controlKeys() []string {
	var keys []string
	for b := range 32 {
		if byte(b) != ctrl('D') {
			keys = append(keys, string(rune(b)))
		}
	}
	return keys
}

// TestKeyFuzz types at random while messages come in. The library crashed on
// one run of this in twenty. There are more runs in CI; P2PCHAT_KEYFUZZ=n makes it
// n of them, with other keys each time; P2PCHAT_KEYSEED=n repeats one.
func TestKeyFuzz(t *testing.T) {
	runs, seed := 20, uint64(1)
	if os.Getenv("P2PCHAT_CI") != "" && !testing.Short() {
		runs = 300
	}
	if n, err := strconv.Atoi(os.Getenv("P2PCHAT_KEYFUZZ")); err == nil {
		runs, seed = n, uint64(time.Now().UnixNano())
	}
	if n, err := strconv.ParseUint(os.Getenv("P2PCHAT_KEYSEED"), 10, 64); err == nil {
		runs, seed = 1, n
	}
	history := filepath.Join(t.TempDir(), "typed")
	for i := range runs {
		run := seed + uint64(i)
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			path := ""
			if i%2 == 1 {
				path = history // with lines of runs before
			}
			typeAtRandom(t, rand.New(rand.NewPCG(run, 0)), path)
		})
	}
}

func typeAtRandom(t *testing.T, random *rand.Rand, history string) {
	t.Setenv("VISUAL", "no-such-editor") // an editor would take the keys
	w := openPtyWindow(t, 30, 12, history)
	typed := ""
	for i := range 60 {
		key := keyTokens[random.IntN(len(keyTokens))]
		typed += key
		w.press(key)
		if random.IntN(3) == 0 {
			w.order("print", fmt.Sprintf("message %d", i))
		}
		if random.IntN(15) == 0 {
			w.resize(20+random.IntN(60), 5+random.IntN(20))
		}
	}
	// Out of whatever state this is: end the paste, the question, the search, the line.
	w.press("\x1b[201~\x03\x03\x03\x15all well\r")
	limit := time.After(deadline)
	for {
		select {
		case report, ok := <-w.reports:
			if !ok {
				t.Fatalf("the program died after %q:\n%s", typed, w.text())
			}
			if report == `line "all well"` {
				return
			}
		case <-limit:
			t.Fatalf("the keyboard is dead after %q:\n%s", typed, w.text())
		}
	}
}
