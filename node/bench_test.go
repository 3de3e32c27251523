package node

import (
	"fmt"
	"io"
	"testing"
	"time"

	"p2pchat/history"
	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// BenchmarkFanout is one line said to a room, with everything but the network:
// decided, stored (in memory), encoded once and written to every member.
func BenchmarkFanout(b *testing.B) {
	for _, members := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(members, " members"), func(b *testing.B) {
			w := newWorld(b, func(w *world) { w.limits.HostMembers = 2000 })
			owner := w.join("owner", "")
			owner.must(rooms.Create{Room: "air", NoHistory: true})
			for i := range members - 1 {
				r := w.raw(rooms.PeerID(fmt.Sprint("12D3KooWMember", i)))
				r.TB = b
				r.hello(fmt.Sprint("m", i))
				r.put(wire.AppendCommand(nil, 1, rooms.Join{Room: "air"}))
				go func() { _, _ = io.Copy(io.Discard, r.Conn) }()
				defer r.Close()
			}
			owner.must(rooms.Who{})
			before := cpuTime()
			b.ResetTimer()
			for i := range b.N {
				owner.Send(rooms.Say{Kind: rooms.Text, Text: "a line of the usual length, said to everybody who is here"})
				if i%32 == 31 {
					owner.collect(rooms.Seq(i-30), rooms.Seq(i+1))
				}
			}
			owner.collect(rooms.Seq(b.N-b.N%32+1), rooms.Seq(b.N))
			b.StopTimer()
			b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/float64(b.N*members), "cpu-ns/delivery")
		})
	}
}

// BenchmarkStart starts a host with 256 rooms whose last segments are half full; how long
// their histories are before that makes no difference, for nothing of it is read.
func BenchmarkStart(b *testing.B) {
	w := newWorld(b)
	w.stop()
	store, err := history.Open(w.dir)
	if err != nil {
		b.Fatal(err)
	}
	for i := range 255 { // and the lobby
		key := rooms.RoomKey{byte(i + 1)}
		err := store.Record(rooms.Change{Kind: rooms.RoomCreated, Room: key, Name: fmt.Sprint("room-", i)})
		if err != nil {
			b.Fatal(err)
		}
		l, err := store.Room(key)
		if err != nil {
			b.Fatal(err)
		}
		for n := range 36 {
			if err := l.Append(chatter(rooms.Seq(n*256), 256)); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
	w.start()
	for b.Loop() {
		w.stop()
		w.start()
	}
	b.ReportMetric(float64(len(w.host.registrar.rooms)), "rooms")
}

// chatter is n messages behind seq.
func chatter(seq rooms.Seq, n int) []rooms.Message {
	said := make([]rooms.Message, n)
	for i := range said {
		said[i] = rooms.Message{
			Seq: seq + rooms.Seq(i) + 1, Time: time.Now(), Kind: rooms.Text,
			From:   rooms.Author{Peer: "12D3KooWEyopopk1x5tqPSQQJQmQX4tGCsZeXTRVxJqbPjQqLPyo", Nick: "alice"},
			Text:   "The tide is out, so we walk to the island. Who comes along, and who brings the bread?",
			Origin: rooms.Origin{Client: 1, Count: uint64(seq) + uint64(i) + 1},
		}
	}
	return said
}
