package history

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
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

// BenchmarkWriters lets many wait for one log, as the members of a room do: whatever
// waits, at most 256 messages, is one Append.
func BenchmarkWriters(b *testing.B) {
	for _, writers := range []int{1, 8, 64, 512} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			l := openRoom(b, openStore(b, b.TempDir()))
			waiting := make(chan chan error, writers)
			go commit(l, waiting)
			var todo sync.WaitGroup
			b.ResetTimer()
			for w := range writers {
				todo.Go(func() {
					done := make(chan error, 1)
					for range (b.N + writers - 1 - w) / writers {
						waiting <- done
						if err := <-done; err != nil {
							b.Error(err)
						}
					}
				})
			}
			todo.Wait()
			b.StopTimer()
			close(waiting)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// commit appends a message for each that waits.
func commit(l *Log, waiting <-chan chan error) {
	for first := range waiting {
		group := []chan error{first}
		for more := true; more && len(group) < 256; {
			select {
			case done, ok := <-waiting:
				if more = ok; ok {
					group = append(group, done)
				}
			default:
				more = false
			}
		}
		err := l.Append(run(l.Head()+1, l.Head()+rooms.Seq(len(group))))
		for _, done := range group {
			done <- err
		}
	}
}

// million makes a room of a million messages.
func million(b *testing.B, dir string) {
	b.Helper()
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
}

func BenchmarkMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("a million messages take some seconds to write")
	}
	dir := b.TempDir()
	million(b, dir)
	s := openStore(b, dir)
	l := openRoom(b, s)
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
	b.Run("redact in the middle", func(b *testing.B) {
		for target := rooms.Seq(500_000); b.Loop(); target++ {
			if err := l.Redact(redaction(l.Head()+1, target)); err != nil {
				b.Fatal(err)
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

// BenchmarkOpenRooms opens 256 rooms, the last segment of each half full.
func BenchmarkOpenRooms(b *testing.B) {
	if testing.Short() {
		b.Skip("half a GiB is written")
	}
	dir := b.TempDir()
	s := openStore(b, dir)
	l := openRoom(b, s)
	for l.view.Load().last.end < segmentSize/2 {
		say(b, l, l.Head()+1000, 1000)
	}
	content, err := os.ReadFile(l.tailPath())
	if err != nil {
		b.Fatal(err)
	}
	const count = 256
	for i := range count {
		key := rooms.RoomKey{1, byte(i)}
		copy(content[16:], key[:])
		sealHeader(content[:headerSize])
		if err := os.Mkdir(s.roomDir(key), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.roomDir(key), segmentName(1)), content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	open := func() {
		for i := range count {
			if l, err = s.Room(rooms.RoomKey{1, byte(i)}); err != nil || l.Damage() != nil {
				b.Fatal(err, l.Damage())
			}
			l.Close()
		}
	}
	open() // the copies are synced
	for b.Loop() {
		open()
	}
}
