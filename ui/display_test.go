package ui

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// writes collects what is written, write by write.
type writes struct{ all []string }

func (w *writes) Write(p []byte) (int, error) {
	w.all = append(w.all, string(p))
	return len(p), nil
}

// A flood makes at most 30 frames a second, each of one write; in quiet nothing
// is written at all, however long it lasts.
func TestFramesOfAFlood(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	synctest.Test(t, func(t *testing.T) {
		v, out := newView("> "), &writes{}
		d := newDisplay(&tty{in: null, out: null, resized: make(chan os.Signal), resumed: make(chan os.Signal)}, v)
		d.screen.out = out
		go d.run()
		v.begin()
		const seconds = 3
		for i := range seconds * 1000 {
			v.print([]string{fmt.Sprintf("message %d", i)})
			time.Sleep(time.Millisecond) // of the bubble's clock
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(out.all); n < 20*seconds || n > 30*seconds+2 {
			t.Errorf("%d writes in %d s", n, seconds)
		}
		for _, w := range out.all {
			if !strings.HasPrefix(w, beginFrame) || !strings.HasSuffix(w, endFrame) || strings.Count(w, beginFrame) != 1 {
				t.Errorf("%q is not one frame", w)
			}
		}
		if text := strings.Join(out.all, ""); strings.Count(text, "message ") != seconds*1000 {
			t.Errorf("%d messages were written", strings.Count(text, "message "))
		}
		before := len(out.all)
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(out.all) != before {
			t.Errorf("%d frames in an hour of quiet", len(out.all)-before)
		}
		v.typed([]rune("x"), 1, menu{}, "") // a key does not wait for the next frame's time
		v.typed([]rune("xy"), 2, menu{}, "")
		synctest.Wait()
		if len(out.all) == before || !strings.Contains(out.all[len(out.all)-1], "> xy") {
			t.Error("a key waits")
		}
		close(d.stop)
		<-d.done
	})
}
