package history

import (
	"context"
	"testing"

	"p2pchat/rooms"
)

func BenchmarkSearchMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("a million messages take some seconds to write")
	}
	l := openRoom(b, openStore(b, b.TempDir()))
	msgs := run(1, 1000)
	for range 1000 {
		if err := l.Append(msgs); err != nil {
			b.Fatal(err)
		}
		for i := range msgs {
			msgs[i].Seq += rooms.Seq(len(msgs))
		}
	}
	for _, tt := range []struct{ name, text string }{
		{"nowhere", "nowhere said"}, {"not ASCII", "ÜBER"}, {"a nick", "nick-3"}, {"everywhere", "GRÜSSE, 世"},
		{"in every message", "LINE"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := l.Search(context.Background(), tt.text, 0, 50); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
