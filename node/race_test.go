package node

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// scripted is a host that does what a test says: talk is called for each
// connection with its number, from 1, behind the hello and the welcome.
func scripted(t *testing.T, talk func(n int32, r *wire.Reader, put func(ref uint64, e rooms.Event))) (*Client, *atomic.Int32) {
	t.Helper()
	var dials atomic.Int32
	c := ClientConfig{Nick: "x"}
	c.dial = func(context.Context) (conn, rooms.Path, error) {
		n := dials.Add(1)
		mine, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			r := wire.NewReader(theirs)
			_, _ = r.Hello()
			put := func(ref uint64, e rooms.Event) { _, _ = theirs.Write(wire.AppendEvent(nil, ref, e)) }
			put(0, rooms.Welcome{Peer: "p", Host: "h", Nick: "x", Name: "n"})
			talk(n, r, put)
		}()
		return pipe{mine}, rooms.Path{}, nil
	}
	k, err := start(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k, &dials
}

// gatedLog holds Append up while told to, and fails After while told to.
type gatedLog struct {
	Log
	gate  chan struct{} // an Append takes one token, if there is a gate
	stuck chan struct{} // one token for each Append that waits
	blind *atomic.Bool
}

func (g gatedLog) Append(m []rooms.Message) error {
	if g.gate != nil {
		g.stuck <- struct{}{}
		<-g.gate
	}
	return g.Log.Append(m)
}

func (g gatedLog) After(seq rooms.Seq, n int) ([]rooms.Message, error) {
	if g.blind != nil && g.blind.Load() {
		return nil, fmt.Errorf("too many open files")
	}
	return g.Log.After(seq, n)
}

// A member who is put out while the disk holds up its entry is outside.
func TestKickedWhileEntering(t *testing.T) {
	gate, stuck := make(chan struct{}), make(chan struct{}, 8)
	w := newWorld(t, func(w *world) { w.wrap = func(l Log) Log { return gatedLog{Log: l, gate: gate, stuck: stuck} } })
	alice, bob := w.join("alice", "lobby"), w.join("bob", "")
	alice.Send(rooms.Say{Kind: rooms.Text, Text: "the disk hangs"})
	<-stuck
	entering := bob.Send(rooms.Join{Room: "lobby"})
	boss := &session{id: 1 << 40, host: w.host, peer: w.host.peer, out: newOutbox()}
	boss.ask(0, rooms.Connect{Peer: w.host.peer, Instance: 1, Nick: "boss"})
	boss.ask(1, rooms.Join{Room: "lobby"})
	for boss.ask(2, rooms.Kick{Nick: "bob"}).refusal != nil {
		runtime.Gosched() // until bob's join has reached the registrar
	}
	close(gate)
	if e, ok := bob.wait(entering).(*rooms.Refusal); !ok || e.Code != rooms.NotInRoom {
		t.Fatalf("the kicked member's join was answered with %v", e)
	}
	bob.refused(rooms.NotInRoom, rooms.Say{Kind: rooms.Text, Text: "am I in?"})
	boss.ask(0, rooms.Disconnect{})
}

// Going out of a room that the client is not in says nothing about the one it is in.
func TestNewsOfAnotherRoomIsDropped(t *testing.T) {
	k, _ := scripted(t, func(n int32, r *wire.Reader, put func(uint64, rooms.Event)) {
		for {
			ref, cmd, err := r.Command()
			if err != nil {
				return
			}
			j, ok := cmd.(rooms.Join)
			switch {
			case ok && n == 1 && j.Room == "a":
				put(ref, rooms.Entered{Room: rooms.RoomInfo{Room: "a"}})
			case ok && n == 1: // on the way to b the connection breaks
				return
			case ok && j.Room == "a":
				put(0, rooms.RoomChanged{What: rooms.RoomLeft, Room: rooms.RoomInfo{Room: "b"}})
				put(ref, rooms.Entered{Room: rooms.RoomInfo{Room: "a"}})
				put(0, rooms.Posted{Message: rooms.Message{Room: "a", Seq: 1, Kind: rooms.Text, From: rooms.Author{Peer: "q", Nick: "q"}, Text: "hi"}})
			}
		}
	})
	f := &friend{TB: t, Client: k, nick: "x"}
	f.must(rooms.Join{Room: "a"})
	k.Send(rooms.Join{Room: "b"})
	f.await(func(e rooms.Event) bool {
		if c, ok := e.(rooms.RoomChanged); ok {
			t.Fatalf("told %+v", c)
		}
		_, ok := e.(rooms.Posted)
		return ok
	})
}

// A host that welcomes and hangs up is asked less and less often.
func TestReconnectDoesNotSpin(t *testing.T) {
	k, dials := scripted(t, func(int32, *wire.Reader, func(uint64, rooms.Event)) {})
	deadline := time.After(3 * time.Second)
	for {
		select {
		case <-k.Events():
		case <-deadline:
			if n := dials.Load(); n > 8 {
				t.Fatalf("%d connections in 3 s", n)
			}
			return
		}
	}
}

// A host can't fill the client's memory with answers that nobody asked for.
func TestUnaskedAnswersAreDropped(t *testing.T) {
	k, _ := scripted(t, func(_ int32, r *wire.Reader, put func(uint64, rooms.Event)) {
		put(0, rooms.Page{Messages: []rooms.Message{{Room: "a", Seq: 1, Kind: rooms.Text, From: rooms.Author{Peer: "q", Nick: "q"}, Text: "hi"}}})
		put(0, rooms.Roster{Room: "a"})
		put(99, rooms.Done{})
		put(0, rooms.Notice{Text: "end"})
		_, _, _ = r.Command()
	})
	f := &friend{TB: t, Client: k, nick: "x"}
	f.await(func(e rooms.Event) bool {
		switch e := e.(type) {
		case rooms.Page, rooms.Roster, rooms.Answered:
			t.Fatalf("got %+v", e)
		case rooms.Notice:
			return true
		}
		return false
	})
}

// A part of the history that can't be read for a moment is read again.
func TestUnreadableForAMoment(t *testing.T) {
	var blind atomic.Bool
	w := newWorld(t, func(w *world) { w.wrap = func(l Log) Log { return gatedLog{Log: l, blind: &blind} } })
	alice, bob := w.join("alice", "lobby"), w.join("bob", "lobby")
	alice.say("one")
	bob.hears("one")
	blind.Store(true)
	_ = bob.net.Host.Network().ClosePeer(w.target().ID)
	alice.say("two")
	bob.connection(rooms.ConnectionRestored)
	blind.Store(false)
	bob.hears("two")
	bob.must(rooms.List{})
}

// A hello that is under way while the host stops ends without a verdict: the
// client is to come back.
func TestStoppingRefusesNobody(t *testing.T) {
	w := newWorld(t)
	r := w.raw("12D3KooWLate")
	go w.host.Close()
	if e := r.ends(); e != nil {
		t.Fatalf("the last word was %v", e)
	}
}

// Nothing of a room reaches a member behind the news that it was put out, also
// when it was reading up on it.
func TestKickedWhileCatchingUp(t *testing.T) {
	w := newWorld(t)
	alice := w.join("alice", "lobby")
	owner, err := w.host.Console(ClientConfig{Nick: "boss"})
	if err != nil {
		t.Fatal(err)
	}
	boss := &friend{TB: t, Client: owner, nick: "boss"}
	defer owner.Close()
	boss.must(rooms.Join{Room: "lobby"})
	for round := range 5 {
		slow := w.raw("12D3KooWSlow")
		slow.hello("slow")
		slow.put(wire.AppendCommand(nil, 1, rooms.Join{Room: "lobby"}))
		for {
			if _, ok := slow.next().event.(rooms.Entered); ok {
				break
			}
		}
		for range 900 {
			alice.say(strings.Repeat("x", 400))
			alice.seen = nil
		}
		for range 40 * round { // more or less of it is read before the kick
			slow.next()
		}
		boss.must(rooms.Kick{Nick: "slow"})
		last := alice.say("for those who are inside")
		slow.put(wire.AppendCommand(nil, 2, rooms.Quit{}))
		out := false
		for {
			f := slow.next()
			if c, ok := f.event.(rooms.RoomChanged); ok && c.What == rooms.RoomLeft {
				out = true
			}
			if p, ok := f.event.(rooms.Posted); ok && (out || p.Seq >= last) {
				t.Fatalf("round %d: message %d of %d reached the kicked member", round, p.Seq, last)
			}
			if f.ref == 2 {
				break
			}
		}
		if !out {
			t.Fatalf("round %d: the kicked member was not told", round)
		}
		_ = slow.Close()
	}
}
