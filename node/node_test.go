package node

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/relay"
	"p2pchat/rooms"
)

// collect takes messages until the one numbered last, and checks that each came
// once and in order from first on.
func (f *friend) collect(first, last rooms.Seq) []rooms.Posted {
	f.Helper()
	var got []rooms.Posted
	for next := first; next <= last; {
		p := f.await(func(e rooms.Event) bool { _, ok := e.(rooms.Posted); return ok }).(rooms.Posted)
		if p.Seq != next {
			f.Fatalf("%s got message %d, want %d", f.nick, p.Seq, next)
		}
		got = append(got, p)
		next++
	}
	return got
}

func TestMessageReachesItsRoomOnly(t *testing.T) {
	w := newWorld(t)
	alice, bob, carol := w.join("alice", "lobby"), w.join("bob", "lobby"), w.join("carol", "")
	carol.must(rooms.Create{Room: "dev"})
	if seq := alice.say("hello"); seq != 1 {
		t.Fatalf("the first message got %d", seq)
	}
	p := bob.hears("hello")
	if p.From.Nick != "alice" || p.Room != "lobby" || p.Replayed || p.From.Peer != alice.Welcome().Peer {
		t.Fatalf("bob got %+v", p)
	}
	alice.hears("hello") // one's own comes back
	carol.say("barrier")
	carol.hears("barrier")
	for _, e := range carol.seen {
		if p, ok := e.(rooms.Posted); ok && p.Room != "dev" {
			t.Fatalf("carol in dev got %+v", p)
		}
	}
}

func TestHistoryIsReplayedOnJoin(t *testing.T) {
	w := newWorld(t)
	alice := w.join("alice", "lobby")
	for i := range 120 {
		alice.say(fmt.Sprint("line ", i+1))
	}
	bob := w.join("bob", "lobby")
	for _, p := range bob.collect(120-DefaultRecent+1, 120) {
		if !p.Replayed {
			t.Fatalf("message %d is not marked as replayed", p.Seq)
		}
	}
	alice.say("fresh")
	if p := bob.hears("fresh"); p.Replayed {
		t.Fatal("a new message is marked as replayed")
	}
	page := bob.must(rooms.History{After: 10, Limit: 5}).(rooms.Page)
	if len(page.Messages) != 5 || page.Messages[0].Seq != 11 || page.Messages[0].Room != "lobby" {
		t.Fatalf("page: %+v", page)
	}
}

func TestMovingLeavesTheOldRoom(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join("alice", "lobby"), w.join("bob", "lobby")
	bob.must(rooms.Create{Room: "dev"})
	alice.await(func(e rooms.Event) bool {
		m, ok := e.(rooms.MemberChanged)
		return ok && m.What == rooms.MemberLeft && m.Member.Nick == "bob"
	})
	alice.say("are you there?")
	bob.say("only here")
	bob.hears("only here")
	bob.must(rooms.Leave{})
	bob.refused(rooms.NotInRoom, rooms.Say{Kind: rooms.Text, Text: "x"})
	bob.refused(rooms.NotInRoom, rooms.History{Last: true})
}

func TestLeavingAndComingBackAtOnce(t *testing.T) {
	w := newWorld(t)
	alice := w.join("alice", "lobby")
	for range 200 {
		alice.Send(rooms.Leave{})
		back := alice.Send(rooms.Join{Room: "lobby"})
		if e, ok := alice.wait(back).(rooms.Entered); !ok {
			t.Fatalf("coming back was answered with %v", e)
		}
		alice.seen = nil
	}
	alice.say("here")
	alice.hears("here")
}

func TestFullRoom(t *testing.T) {
	w := newWorld(t)
	alice := w.join("alice", "")
	alice.must(rooms.Create{Room: "small", Limit: 2})
	w.join("bob", "small")
	carol := w.join("carol", "")
	if r := carol.refused(rooms.RoomFull, rooms.Join{Room: "small"}); r.Message != `room "small" is full (2/2)` {
		t.Fatal(r.Message)
	}
	alice.must(rooms.Leave{})
	carol.must(rooms.Join{Room: "small"})
}

func TestKickedMemberHearsNothing(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join("alice", ""), w.join("bob", "")
	room := string(alice.must(rooms.Create{Room: "club", Private: true}).(rooms.Entered).Room.Room)
	made := alice.must(rooms.Invite{}).(rooms.Invited)
	bob.refused(rooms.NoSuchRoom, rooms.Join{Room: room})
	link, err := ParseInvite(made.Link)
	if err != nil {
		t.Fatal(err)
	}
	bob.must(rooms.Join{Invite: link.Capability})
	alice.must(rooms.Ban{Who: "bob", Reason: "noise"})
	bob.await(func(e rooms.Event) bool { c, ok := e.(rooms.RoomChanged); return ok && c.What == rooms.RoomLeft })
	bob.refused(rooms.NotInRoom, rooms.Say{Kind: rooms.Text, Text: "still here"})
	bob.refused(rooms.NotInRoom, rooms.History{Last: true})
	bob.refused(rooms.NoSuchRoom, rooms.Join{Room: room})
	bob.refused(rooms.Banned, rooms.Join{Invite: link.Capability})
}

func TestLostConnectionIsResumed(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join("alice", "lobby"), w.join("bob", "lobby")
	alice.say("one")
	bob.hears("one")
	for round := range 5 {
		_ = bob.net.Host.Network().ClosePeer(w.target().ID)
		for i := range 20 {
			alice.say(fmt.Sprint("round ", round, " line ", i))
		}
		own := bob.Send(rooms.Say{Kind: rooms.Text, Text: fmt.Sprint("bob ", round)})
		bob.collect(rooms.Seq(2+21*round), rooms.Seq(22+21*round))
		if said, ok := bob.wait(own).(rooms.Said); !ok {
			t.Fatalf("bob's line was not acknowledged: %v", said)
		}
	}
}

func TestHostRestart(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join("alice", "lobby"), w.join("bob", "lobby")
	alice.say("before")
	bob.hears("before")
	w.stop()
	waiting := alice.Send(rooms.Say{Kind: rooms.Text, Text: "meanwhile"})
	w.start()
	bob.connection(rooms.ConnectionRestored)
	if said := alice.wait(waiting).(rooms.Said); said.Seq != 2 {
		t.Fatalf("the line got %d, want 2", said.Seq)
	}
	bob.hears("meanwhile")
	alice.say("after")
	if p := bob.hears("after"); p.Seq != 3 {
		t.Fatalf("got %d, want 3", p.Seq)
	}
	who := bob.must(rooms.Who{}).(rooms.Roster)
	if len(who.Members) != 2 {
		t.Fatalf("in the room: %+v", who.Members)
	}
}

func TestSameInstanceTakesOver(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join("alice", ""), w.join("bob", "")
	alice.must(rooms.Create{Room: "pair", Limit: 2})
	bob.must(rooms.Join{Room: "pair"})
	_ = bob.net.Host.Network().ClosePeer(w.target().ID)
	bob.connection(rooms.ConnectionRestored)
	alice.say("still two of us")
	bob.hears("still two of us")
	for _, e := range alice.seen {
		if m, ok := e.(rooms.MemberChanged); ok && m.What == rooms.MemberLeft {
			t.Fatal("bob's short absence was announced")
		}
	}
}

func TestRoomWithoutHistory(t *testing.T) {
	w := newWorld(t)
	alice := w.join("alice", "")
	alice.must(rooms.Create{Room: "air", NoHistory: true})
	alice.say("gone with the wind")
	bob := w.join("bob", "air")
	if page := bob.must(rooms.History{}).(rooms.Page); len(page.Messages) != 0 {
		t.Fatalf("kept: %+v", page)
	}
	alice.say("now")
	if p := bob.hears("now"); p.Seq != 2 {
		t.Fatalf("got %d", p.Seq)
	}
}

func TestAnotherProtocolIsExplained(t *testing.T) {
	stranger, err := relay.New(relay.Config{Key: newKey(t), Listen: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/0")}})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	other, err := peer.IDFromPrivateKey(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	there := peer.AddrInfo{ID: stranger.ID(), Addrs: stranger.Host.Addrs()}
	for name, c := range map[string]struct {
		target Target
		code   rooms.Code
	}{
		"no p2pchat":  {Target{AddrInfo: there}, rooms.UnsupportedVersion},
		"another key": {Target{AddrInfo: peer.AddrInfo{ID: other, Addrs: there.Addrs}}, rooms.IdentityMismatch},
		"nobody":      {Target{AddrInfo: peer.AddrInfo{ID: there.ID, Addrs: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/1")}}}, rooms.Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			dialer, err := relay.New(relay.Config{Key: newKey(t)})
			if err != nil {
				t.Fatal(err)
			}
			defer dialer.Close()
			_, err = Dial(context.Background(), ClientConfig{Net: dialer, Target: c.target, Nick: "x"})
			var refusal *rooms.Refusal
			if !errors.As(err, &refusal) || refusal.Code != c.code {
				t.Fatalf("got %v, want %s", err, c.code)
			}
		})
	}
}

func TestConsoleIsASession(t *testing.T) {
	w := newWorld(t)
	c, err := w.host.Console(ClientConfig{Nick: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	owner := &friend{TB: t, Client: c, nick: "owner"}
	defer c.Close()
	owner.must(rooms.Join{Room: "lobby"})
	alice := w.join("alice", "lobby")
	owner.say("welcome")
	alice.hears("welcome")
	if status := owner.must(rooms.Status{}).(rooms.HostStatus); len(status.Members) != 1 || status.Target == "" {
		t.Fatalf("status: %+v", status)
	}
	alice.refused(rooms.Denied, rooms.Status{})
}
