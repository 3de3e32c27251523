//go:build unix

package ui

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// holds reports whether the output after from holds text.
func (w *ptyWindow) holds(from int, text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Contains(w.raw.Bytes()[from:], []byte(text))
}

// BenchmarkKeystroke measures from a key to its character on the screen, through
// a real pseudo terminal, while a hundred messages a second come in.
func BenchmarkKeystroke(b *testing.B) {
	w := openPtyWindow(b, 80, 24, "")
	w.order("drip", fmt.Sprint(1<<20))
	var took []time.Duration
	line := ""
	for i := 0; b.Loop(); i++ {
		if len(line) == 40 {
			line = ""
			w.press("\x15")
		}
		key := string(rune('a' + i%26))
		line += key
		w.mu.Lock()
		from := w.raw.Len()
		w.mu.Unlock()
		start := time.Now()
		w.press(key)
		for !w.holds(from, "#lobby> "+line+"\x1b") {
			select {
			case <-w.changed:
			case <-time.After(deadline):
				b.Fatalf("%q is not on the screen:\n%s", line, w.text())
			}
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	ms := func(part int) float64 { return float64(took[len(took)*part/100].Microseconds()) / 1000 }
	b.ReportMetric(ms(50), "ms-p50")
	b.ReportMetric(ms(99), "ms-p99")
	if ms(50) > 5 {
		b.Errorf("half of the keys take over %v ms", ms(50))
	}
}

// BenchmarkIdle measures what a chat costs in which nothing happens.
func BenchmarkIdle(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("needs /proc")
	}
	w := openPtyWindow(b, 80, 24, "")
	w.press("half typed")
	w.waitFor("half typed")
	<-time.After(100 * time.Millisecond) // the last frame may be drawn twice
	before, output := cpuTicks(b, w.cmd.Process.Pid), len(w.output())
	start := time.Now()
	for b.Loop() {
		<-time.After(3 * time.Second)
	}
	ticks := cpuTicks(b, w.cmd.Process.Pid) - before
	b.ReportMetric(float64(ticks)*10/time.Since(start).Seconds(), "cpu-ms/s")
	if n := len(w.output()) - output; n > 0 {
		b.Errorf("%d bytes are written while nothing happens", n)
	}
}

// cpuTicks is the time that a process has used, in hundredths of a second.
func cpuTicks(b *testing.B, pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	sum := 0
	for _, field := range fields[11:13] {
		n, _ := strconv.Atoi(field)
		sum += n
	}
	return sum
}
