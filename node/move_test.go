package node

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/protocol"

	"p2pchat/node/wire"
	"p2pchat/relay"
	"p2pchat/rooms"
)

// restless connects a member that is offered a better link again and again: as often
// as it may move, with a stream of its own each time, until it is to stay.
func (w *world) restless(nick string, still *atomic.Bool) *friend {
	w.Helper()
	net, err := relay.New(relay.Config{Key: newKey(w.TB)})
	if err != nil {
		w.Fatal(err)
	}
	c := ClientConfig{Net: net, Target: w.target(), Nick: nick, NickFixed: true}
	d, err := newDialer(&c)
	if err != nil {
		w.Fatal(err)
	}
	c.dial = func(ctx context.Context) (conn, rooms.Path, error) {
		s, path, err := d.dial(ctx)
		path.Path = relay.Relayed
		return s, path, err
	}
	c.improve = func(ctx context.Context, _ conn, _ func(rooms.Path)) (conn, rooms.Path, bool) {
		if still.Load() {
			return nil, rooms.Path{}, false
		}
		s, err := net.Host.NewStream(ctx, c.Target.ID, protocol.ID(wire.Protocol))
		return s, rooms.Path{Path: relay.Relayed}, err == nil
	}
	k, err := start(context.Background(), c)
	if err != nil {
		w.Fatal(err)
	}
	f := &friend{TB: w.TB, Client: k, nick: nick, net: net}
	w.Cleanup(f.leave)
	return f
}

// A member moves from link to link under a flood from both sides: every line comes
// once and in order, every answer comes, and nobody is told of a lost connection.
func TestMovesLoseNothing(t *testing.T) {
	const moves, lines = 40, 2000
	var still atomic.Bool
	w := newWorld(t)
	alice, bob := w.join("alice", "lobby"), w.restless("bob", &still)
	bob.must(rooms.Join{Room: "lobby"})
	var talking sync.WaitGroup
	for _, f := range []*friend{alice, bob} {
		talking.Go(func() {
			for n := range lines {
				f.Send(rooms.Say{Kind: rooms.Text, Text: fmt.Sprint(f.nick, " ", n)})
				if n%50 == 0 {
					time.Sleep(5 * time.Millisecond) // the moves need time, too
				}
			}
		})
	}
	heard := map[string]int{}
	last, moved, answers := rooms.Seq(0), 0, 0
	deadline := time.After(patience)
	for heard["alice"] < lines || heard["bob"] < lines || answers < lines || moved < moves {
		select {
		case e := <-bob.Events():
			switch e := e.(type) {
			case rooms.Posted:
				if want := fmt.Sprint(e.From.Nick, " ", heard[e.From.Nick]); e.Text != want || e.Seq != last+1 {
					t.Fatalf("heard %q as %d behind %d, want %q", e.Text, e.Seq, last, want)
				}
				last = e.Seq
				heard[e.From.Nick]++
			case rooms.Answered:
				if r, ok := e.Answer.(*rooms.Refusal); ok {
					t.Fatal(r)
				}
				answers++
			case rooms.Path:
				if moved++; moved == moves {
					still.Store(true)
				}
			case rooms.Connection:
				t.Fatalf("told %+v after %d moves", e, moved)
			}
		case <-alice.Events():
		case <-deadline:
			t.Fatalf("after %d moves: heard %v, %d answers", moved, heard, answers)
		}
	}
	talking.Wait()
	if status := alice.must(rooms.Who{}).(rooms.Roster); len(status.Members) != 2 {
		t.Errorf("in the room are %v", status.Members)
	}
}
