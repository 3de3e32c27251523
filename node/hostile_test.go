package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// raw is a connection to the host that speaks for itself: a pipe in memory, so
// that nothing is read that the test does not read.
type raw struct {
	testing.TB
	net.Conn
	frames *wire.Reader
}

func (w *world) raw(peer rooms.PeerID) *raw {
	mine, theirs := net.Pipe()
	if !w.host.begin() {
		w.Fatal("the host is closed")
	}
	go func() {
		defer w.host.sessions.Done()
		w.host.serve(pipe{theirs}, peer, "test", func() {})
	}()
	_ = mine.SetDeadline(time.Now().Add(patience))
	return &raw{TB: w.TB, Conn: mine, frames: wire.NewReader(mine)}
}

// put writes bytes; a host that has hung up is no failure here.
func (r *raw) put(b []byte) { _, _ = r.Write(b) }

func (r *raw) hello(nick string) {
	r.Helper()
	r.put(wire.AppendHello(nil, wire.Hello{Version: "1", Instance: 1, Nick: nick}))
	if _, ok := r.next().event.(rooms.Welcome); !ok {
		r.Fatal("no welcome")
	}
}

func (r *raw) next() frame {
	r.Helper()
	ref, e, err := r.frames.Event()
	if err != nil {
		r.Fatal(err)
	}
	return frame{ref, e}
}

// ends reads until the host hangs up, and returns its last word.
func (r *raw) ends() rooms.Event {
	r.Helper()
	var last rooms.Event
	for {
		_, e, err := r.frames.Event()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
			return last
		}
		if err != nil {
			r.Fatalf("the host did not hang up: %v", err)
		}
		last = e
	}
}

func TestSlowMemberCatchesUpFromTheLog(t *testing.T) {
	const lines = 3000
	w := newWorld(t)
	slow := w.raw("12D3KooWSlow")
	defer slow.Close()
	slow.hello("slow")
	slow.put(wire.AppendCommand(nil, 1, rooms.Join{Room: "lobby"}))
	alice, bob := w.join("alice", "lobby"), w.join("bob", "lobby")
	text := strings.Repeat("x", 400)
	for range lines {
		alice.say(text) // nobody waits for the one who does not read
	}
	bob.collect(1, lines)
	for next := rooms.Seq(1); next <= lines; {
		p, ok := slow.next().event.(rooms.Posted)
		if !ok {
			continue
		}
		if p.Seq != next {
			t.Fatalf("the slow member got %d, want %d", p.Seq, next)
		}
		next++
	}
}

func TestGarbageIsAnsweredAndCut(t *testing.T) {
	w := newWorld(t)
	for name, bytes := range map[string][]byte{
		"not a hello":     []byte("GET / HTTP/1.1\r\n\r\n"),
		"a huge frame":    {0xff, 0xff, 0xff, 0xff, 0x7f},
		"over the limit":  {0x81, 0x20},
		"a command first": wire.AppendCommand(nil, 1, rooms.List{}),
	} {
		t.Run(name, func(t *testing.T) {
			r := w.raw("12D3KooWGarbage")
			r.TB = t
			go r.put(bytes)
			if e, ok := r.ends().(*rooms.Refusal); !ok || e.Code != rooms.BadRequest && e.Code != rooms.Unreachable {
				t.Fatalf("the last word was %v", e)
			}
		})
	}
	r := w.raw("12D3KooWGarbage")
	r.hello("mallory")
	go r.put(bytes.Repeat([]byte{0xfe}, 100))
	if e, ok := r.ends().(*rooms.Refusal); !ok || e.Code != rooms.BadRequest {
		t.Fatalf("the last word was %v", e)
	}
	w.join("alice", "lobby").say("the host is fine")
}

func TestUnknownCommandIsAnswered(t *testing.T) {
	w := newWorld(t)
	r := w.raw("12D3KooWNewer")
	defer r.Close()
	r.hello("newer")
	// ref 7, and a body with a tag that no version has.
	r.put([]byte{6, 0x08, 0x07, 0xfa, 0x3e, 0x01, 'x'})
	if f := r.next(); f.ref != 7 || f.event.(*rooms.Refusal).Code != rooms.BadRequest {
		t.Fatalf("answer: %+v", f)
	}
	r.put(wire.AppendCommand(nil, 8, rooms.Ping{}))
	if f := r.next(); f.ref != 8 {
		t.Fatalf("answer: %+v", f)
	}
}

func TestSilenceBeforeTheHelloIsCut(t *testing.T) {
	w := newWorld(t)
	r := w.raw("12D3KooWSilent")
	began := time.Now()
	if e, ok := r.ends().(*rooms.Refusal); !ok {
		t.Fatalf("the last word was %v", e)
	}
	if gone := time.Since(began); gone > helloTime+5*time.Second {
		t.Fatalf("it took %v", gone)
	}
}

// brokenLog fails to append when told to.
type brokenLog struct {
	Log
	broken *bool
}

func (b brokenLog) Append(m []rooms.Message) error {
	if *b.broken {
		return fmt.Errorf("append: %w", syscall.ENOSPC)
	}
	return b.Log.Append(m)
}

func TestFullDiskIsToldAndLosesNothing(t *testing.T) {
	broken := false
	w := newWorld(t, func(w *world) { w.wrap = func(l Log) Log { return brokenLog{l, &broken} } })
	alice := w.join("alice", "lobby")
	alice.say("kept")
	broken = true
	alice.refused(rooms.Storage, rooms.Say{Kind: rooms.Text, Text: "lost"})
	alice.refused(rooms.Storage, rooms.Say{Kind: rooms.Text, Text: "lost, too"})
	bob := w.join("bob", "lobby")
	if got := bob.collect(1, 1); got[0].Text != "kept" {
		t.Fatalf("got %+v", got)
	}
	w.stop()
	broken = false
	w.start()
	bob.connection(rooms.ConnectionRestored)
	if seq := bob.say("works again"); seq != 2 {
		t.Fatalf("got %d", seq)
	}
}

func TestRetriedLineAppearsOnce(t *testing.T) {
	w := newWorld(t)
	line := rooms.Say{Kind: rooms.Text, Text: "once", Origin: rooms.Origin{Client: 9, Count: 1}}
	for range 3 {
		r := w.raw("12D3KooWRetry")
		r.hello("retry")
		r.put(wire.AppendCommand(wire.AppendCommand(nil, 1, rooms.Join{Room: "lobby"}), 2, line))
		for {
			if f := r.next(); f.ref == 2 {
				if said, ok := f.event.(rooms.Said); !ok || said.Seq != 1 {
					t.Fatalf("answer: %+v", f)
				}
				break
			}
		}
		_ = r.Close()
	}
	w.join("alice", "lobby").say("barrier")
	if page := w.join("bob", "lobby").must(rooms.History{}).(rooms.Page); len(page.Messages) != 2 {
		t.Fatalf("in the room: %+v", page.Messages)
	}
}

// FuzzSession feeds bytes to a session behind its hello: whatever comes, the host
// answers or hangs up, and serves the next one.
func FuzzSession(f *testing.F) {
	f.Add(wire.AppendCommand(nil, 1, rooms.Join{Room: "lobby"}))
	f.Add(wire.AppendCommand(wire.AppendCommand(nil, 1, rooms.Create{Room: "a"}), 2, rooms.Say{Kind: rooms.Text, Text: "x"}))
	f.Add([]byte{1, 0})
	w := newWorld(f)
	n := 0
	f.Fuzz(func(t *testing.T, data []byte) {
		n++
		r := w.raw(rooms.PeerID(fmt.Sprint("12D3KooWFuzz", n%8)))
		r.TB = t
		defer r.Close()
		r.hello("fuzz")
		go func() {
			r.put(data)
			r.put(wire.AppendCommand(nil, 1, rooms.Quit{}))
			_ = r.Close()
		}()
		for {
			if _, _, err := r.frames.Event(); err != nil {
				return
			}
		}
	})
}
