package history

import (
	"fmt"
	"testing"

	"p2pchat/rooms"
)

func BenchmarkAppend(b *testing.B) {
	for _, n := range []rooms.Seq{1, 64} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			l := openRoom(b, openStore(b, b.TempDir()))
			msgs := run(1, n)
			b.ReportAllocs()
			for b.Loop() {
				if err := l.Append(msgs); err != nil {
					b.Fatal(err)
				}
				for i := range msgs {
					msgs[i].Seq += n
				}
			}
			b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("a million messages take some seconds to write")
	}
	dir := b.TempDir()
	s := openStore(b, dir)
	l := openRoom(b, s)
	msgs := run(1, 1000)
	for range 1000 {
		if err := l.Append(msgs); err != nil {
			b.Fatal(err)
		}
		for i := range msgs {
			msgs[i].Seq += rooms.Seq(len(msgs))
		}
	}
	s.Close()
	s = openStore(b, dir)
	l = openRoom(b, s)
	b.Run("last 50", func(b *testing.B) {
		for b.Loop() {
			if got, err := l.Last(50); len(got) != 50 || err != nil {
				b.Fatal(len(got), err)
			}
		}
	})
	b.Run("a page of 256 in the middle", func(b *testing.B) {
		for b.Loop() {
			if got, err := l.After(500_000, 256); len(got) != 256 || err != nil {
				b.Fatal(len(got), err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			l.Close()
			l = openRoom(b, s)
		}
	})
}
