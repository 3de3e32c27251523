package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"

	"p2pchat/history"
	"p2pchat/relay"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// person is somebody at a plain terminal: a client, the chat on it and a notebook.
type person struct {
	testing.TB
	world  *world
	key    crypto.PrivKey
	nick   string
	notes  string // directory of the notebook
	book   *history.Notebook
	client *Client
	net    *relay.Net
	keys   *io.PipeWriter
	ended  chan error

	mu     sync.Mutex // guards the fields below
	screen strings.Builder
	news   chan struct{} // of capacity one
}

// sit begins a chat in a room.
func (w *world) sit(nick, room string) *person {
	p := &person{TB: w.TB, world: w, key: newKey(w.TB), nick: nick, notes: filepath.Join(w.TempDir(), nick), news: make(chan struct{}, 1)}
	p.begin(room)
	return p
}

// begin starts the program.
func (p *person) begin(room string) {
	p.Helper()
	var err error
	if p.book, err = history.OpenNotebook(p.notes); err != nil {
		p.Fatal(err)
	}
	if p.net, err = relay.New(relay.Config{Key: p.key}); err != nil {
		p.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if p.client, err = Dial(ctx, ClientConfig{Net: p.net, Target: p.world.target(), Nick: p.nick, NickFixed: true}); err != nil {
		p.Fatal(err)
	}
	var in *io.PipeReader
	in, p.keys = io.Pipe()
	p.ended = make(chan error, 1)
	o := ui.Options{Session: p.client, Terminal: ui.NewPlain(in, p), Now: time.Now, Room: room, Notebook: p.book}
	go func() { p.ended <- ui.Chat(context.Background(), o) }()
	p.Cleanup(p.stop)
}

// Write is the screen.
func (p *person) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.screen.Write(b)
	signal(p.news)
	return len(b), nil
}

func (p *person) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.screen.String()
}

// types presses keys and Enter.
func (p *person) types(format string, args ...any) {
	p.Helper()
	if _, err := fmt.Fprintf(p.keys, format+"\n", args...); err != nil {
		p.Fatal(err)
	}
}

// sees waits for text on the screen.
func (p *person) sees(text string) {
	p.Helper()
	for deadline := time.After(patience); !strings.Contains(p.text(), text); {
		select {
		case <-p.news:
		case <-deadline:
			p.Fatalf("%s does not see %q:\n%s", p.nick, text, p.text())
		}
	}
}

// stop ends the program without a word to the host.
func (p *person) stop() {
	if p.keys == nil {
		return
	}
	_ = p.net.Close()
	_ = p.keys.Close()
	_ = p.client.Close()
	<-p.ended
	_ = p.book.Close()
	p.keys = nil
}

// die is a kill: what the next run finds is what is on disk at this moment.
func (p *person) die() {
	p.Helper()
	b, err := os.ReadFile(filepath.Join(p.notes, "notes"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		p.Fatal(err)
	}
	p.stop()
	p.notes = filepath.Join(p.TempDir(), "notes")
	if err := os.Mkdir(p.notes, 0o700); err != nil {
		p.Fatal(err)
	}
	if b != nil {
		if err := os.WriteFile(filepath.Join(p.notes, "notes"), b, 0o600); err != nil {
			p.Fatal(err)
		}
	}
	p.mu.Lock()
	p.screen.Reset()
	p.mu.Unlock()
}

// said returns what somebody said in a room, by the host's disk.
func (w *world) said(room, nick string) (texts []string) {
	w.Helper()
	f := w.join("witness", room)
	defer f.leave()
	for after := rooms.Seq(0); ; {
		page := f.must(rooms.History{After: after}).(rooms.Page)
		if len(page.Messages) == 0 {
			return texts
		}
		for _, m := range page.Messages {
			if after = m.Seq; m.From.Nick == nick {
				texts = append(texts, m.Text)
			}
		}
	}
}

func (w *world) wantSaid(nick string, want ...string) {
	w.Helper()
	if got := w.said("lobby", nick); !slices.Equal(got, want) {
		w.Errorf("%s said %q, want %q", nick, got, want)
	}
}

// babble lets somebody else say so much that a host forgets who said what before.
func (w *world) babble(n int) {
	w.Helper()
	f := w.join(fmt.Sprint("babbler", rand.Uint32()), "lobby")
	defer f.leave()
	refs := make([]uint64, n)
	for i := range refs {
		refs[i] = f.Send(rooms.Say{Kind: rooms.Text, Text: fmt.Sprint("line ", i)})
		if i%100 == 99 {
			f.wait(refs[i])
			f.seen = nil
		}
	}
}

func TestLinesOutliveTheClient(t *testing.T) {
	w := newWorld(t)
	bob := w.sit("bob", "lobby")
	bob.types("before")
	bob.sees("bob before")
	w.stop()
	bob.sees("connection lost")
	bob.types("first")
	bob.types("/me waits")
	bob.types("/status")
	bob.sees("2 lines waiting for the host, and kept on disk")
	bob.die()
	w.start()
	bob.begin("lobby")
	bob.sees("2 lines that waited are said now")
	bob.types("after")
	bob.sees("bob after")
	w.wantSaid("bob", "before", "first", "waits", "after")
}

// A line that the host has, although the client was killed before it heard so, is not
// said again: not even when the host has forgotten which lines it took.
func TestLineThatGotThroughIsNotSaidAgain(t *testing.T) {
	for name, between := range map[string]func(*world){
		"at once":    func(*world) {},
		"a restart":  func(w *world) { w.stop(); w.start() },
		"much later": func(w *world) { w.babble(2000); w.stop(); w.start() },
	} {
		t.Run(name, func(t *testing.T) {
			gate, stuck := make(chan struct{}, 1), make(chan struct{}, 1)
			w := newWorld(t)
			bob := w.sit("bob", "lobby")
			bob.types("before")
			bob.sees("bob before")
			w.stop()
			w.wrap = func(l Log) Log { return gatedLog{Log: l, gate: gate, stuck: stuck} }
			w.start()
			bob.sees("connected again")
			bob.types("is it there?")
			<-stuck // the line is with the host's disk
			bob.types("/status")
			bob.sees("1 line waiting for the host, and kept on disk")
			bob.die()
			close(gate)
			go func() {
				for range stuck { // nothing is held up any more
				}
			}()
			t.Cleanup(func() { w.stop(); close(stuck) })
			between(w)
			bob.begin("lobby")
			bob.types("after")
			bob.sees("bob after")
			w.wantSaid("bob", "before", "is it there?", "after")
		})
	}
}

// A host that takes lines slowly gets all of them, in order, over two lives of the client.
func TestManyLinesOutliveTheClient(t *testing.T) {
	w := newWorld(t, func(w *world) { w.limits.Rate, w.limits.Burst = 50, 3 })
	bob := w.sit("bob", "lobby")
	bob.types("here")
	bob.sees("bob here")
	w.stop()
	bob.sees("connection lost")
	want := []string{"here"}
	for i := range 20 {
		want = append(want, fmt.Sprint("line ", i))
		bob.types("line %d", i)
	}
	bob.types("/status")
	bob.sees("20 lines waiting for the host, and kept on disk")
	bob.die()
	w.start()
	bob.begin("lobby")
	bob.sees("line 2")
	bob.types("/status")
	bob.sees("you are bob")
	bob.die() // in the middle of it
	bob.begin("lobby")
	bob.types("and on")
	bob.sees("bob and on")
	w.wantSaid("bob", append(want, "and on")...)
}

// What was said while the person was away is marked, after a lost connection and in
// another run; a host whose history is an older copy is noticed in both.
func TestComingBackShowsWhatIsNew(t *testing.T) {
	w := newWorld(t)
	bob, alice := w.sit("bob", "lobby"), w.join("alice", "lobby")
	alice.say("one")
	bob.sees("alice one")
	w.stop()
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	bob.sees("connection lost")
	if err := bob.book.Save(); err != nil { // as happens within a second
		t.Fatal(err)
	}
	_ = bob.net.Close() // bob's network is away for longer
	w.start()
	for i := range 250 {
		alice.say(fmt.Sprint("new ", i))
	}
	bob.die()
	bob.begin("lobby")
	bob.sees("250 new while you were away, the last 200 follow; /history 2h shows earlier ones --\n")
	bob.sees("new 249\n")
	if strings.Contains(bob.text(), "new 49\n") || strings.Contains(bob.text(), "alice one") || !strings.Contains(bob.text(), "new 50\n") {
		t.Errorf("the screen:\n%.2000s", bob.text())
	}
	w.stop()
	bob.sees("connection lost")
	w.dir = copied // somebody has put it back
	w.start()
	bob.sees("the host's copy of this room is an older one: the last 250 messages that you saw are not in it")
	bob.sees("-- earlier --\n")
	alice.connection(rooms.ConnectionRestored)
	alice.say("where were we?")
	bob.sees("alice where were we?")
}

// However client and host end, and in whatever order, each line that was on the client's
// disk is said once, none twice, and all in order.
func TestEachLineIsSaidOnce(t *testing.T) {
	rounds := 24
	if testing.Short() {
		rounds = 8
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	w := newWorld(t)
	bob := w.sit("bob", "lobby")
	bob.sees("you are in #lobby")
	sure, typed := map[string]bool{}, 0
	for range rounds {
		up := rnd.IntN(2) == 0
		if !up {
			w.stop()
			if rnd.IntN(2) == 0 {
				bob.sees("connection lost")
			}
		}
		first := typed
		for range 1 + rnd.IntN(6) {
			bob.types("line %d", typed)
			typed++
		}
		if rnd.IntN(3) > 0 {
			bob.types("/status") // it is read behind the lines, and waits for the disk
			bob.sees("host: test")
			if err := bob.book.Save(); err != nil {
				t.Fatal(err)
			}
			for i := first; i < typed; i++ {
				sure[fmt.Sprint("line ", i)] = true
			}
		}
		if rnd.IntN(2) == 0 {
			runtime.Gosched()
		}
		bob.die()
		if !up {
			w.start()
		} else if rnd.IntN(3) == 0 {
			w.babble(rnd.IntN(300))
		}
		bob.begin("lobby")
		if rnd.IntN(2) == 0 {
			bob.sees("you are in #lobby")
		}
	}
	bob.types("the end")
	bob.sees("bob the end")
	said := w.said("lobby", "bob")
	last := -1
	for _, text := range said[:len(said)-1] {
		var n int
		if _, err := fmt.Sscanf(text, "line %d", &n); err != nil || n <= last {
			t.Fatalf("%q behind line %d, of %q", text, last, said)
		}
		last = n
		delete(sure, text)
	}
	if len(sure) > 0 {
		t.Errorf("kept on disk and never said: %v; said: %q", sure, said)
	}
	t.Logf("%d of %d lines were said", len(said)-1, typed)
}
