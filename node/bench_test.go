package node

import (
	"fmt"
	"io"
	"testing"

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
