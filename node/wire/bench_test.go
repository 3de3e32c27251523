package wire

import (
	"bytes"
	"testing"

	"p2pchat/rooms"
)

// BenchmarkAppendPosted is what the host does once for a chat line.
func BenchmarkAppendPosted(b *testing.B) {
	var ev rooms.Event = rooms.Posted{Message: line}
	buf := AppendEvent(nil, 0, ev)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendEvent(buf[:0], 0, ev)
	}
	b.ReportMetric(float64(len(buf)), "frame-bytes")
}

// BenchmarkReadPosted is what each member does for a chat line.
func BenchmarkReadPosted(b *testing.B) {
	frames := bytes.Repeat(AppendEvent(nil, 0, rooms.Posted{Message: line}), 64)
	stream := bytes.NewReader(nil)
	r := NewReader(stream)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%64 == 0 {
			stream.Reset(frames)
		}
		if _, _, err := r.Event(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadSay is what the host does for each chat line that it is sent.
func BenchmarkReadSay(b *testing.B) {
	say := rooms.Say{Kind: rooms.Text, Text: line.Text, Origin: line.Origin}
	frames := bytes.Repeat(AppendCommand(nil, goldenRef, say), 64)
	stream := bytes.NewReader(nil)
	r := NewReader(stream)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%64 == 0 {
			stream.Reset(frames)
		}
		if _, _, err := r.Command(); err != nil {
			b.Fatal(err)
		}
	}
}
