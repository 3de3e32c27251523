package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"p2pchat/rooms"
)

// update writes the frames of examples that have none yet. A frame of version 1
// that is there already never changes.
var update = flag.Bool("update", false, "add missing golden frames")

const goldenRef = 300 // in the golden frames; two bytes as a varint

// A direction is one of the three things that a Reader reads, made alike.
type direction struct {
	name     string
	examples map[string]any
	append   func(buf []byte, v any) []byte
	read     func(r *Reader) (any, error)
}

func directions() []direction {
	return []direction{
		{
			name: "hello", examples: anyMap(helloExamples),
			append: func(buf []byte, v any) []byte { return AppendHello(buf, v.(Hello)) },
			read:   func(r *Reader) (any, error) { return r.Hello() },
		}, {
			name: "command", examples: anyMap(commandExamples),
			append: func(buf []byte, v any) []byte { return AppendCommand(buf, goldenRef, v.(rooms.Command)) },
			read:   func(r *Reader) (any, error) { _, v, err := r.Command(); return v, err },
		}, {
			name: "event", examples: anyMap(eventExamples),
			append: func(buf []byte, v any) []byte { return AppendEvent(buf, goldenRef, v.(rooms.Event)) },
			read:   func(r *Reader) (any, error) { _, v, err := r.Event(); return v, err },
		}, {
			name: "file_request", examples: fileRequestExamples, append: AppendFileRequest,
			read: func(r *Reader) (any, error) { return r.FileRequest() },
		}, {
			name: "file_answer", examples: fileAnswerExamples, append: AppendFileAnswer,
			read: func(r *Reader) (any, error) { return r.FileAnswer() },
		},
	}
}

func anyMap[V any](m map[string]V) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// goldenFrames returns the frames of testdata/v1 by the names of their examples.
func goldenFrames(t testing.TB, direction string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "v1", direction, "*.hex"))
	if err != nil {
		t.Fatal(err)
	}
	frames := make(map[string][]byte, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		frame, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		frames[strings.TrimSuffix(filepath.Base(path), ".hex")] = frame
	}
	return frames
}

func writeGolden(t *testing.T, direction, name string, frame []byte) {
	t.Helper()
	path := filepath.Join("testdata", "v1", direction, name+".hex")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for chunk := range slices.Chunk(frame, 32) {
		text.WriteString(hex.EncodeToString(chunk) + "\n")
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestGoldenFrames(t *testing.T) {
	for _, d := range directions() {
		golden := goldenFrames(t, d.name)
		for _, name := range slices.Sorted(maps.Keys(d.examples)) {
			t.Run(d.name+"/"+name, func(t *testing.T) {
				want, value := golden[name], d.examples[name]
				frame := d.append(nil, value)
				if want == nil && *update {
					writeGolden(t, d.name, name, frame)
					return
				}
				if !bytes.Equal(frame, want) {
					t.Fatalf("encoded %x, golden %x", frame, want)
				}
				got, err := d.read(NewReader(bytes.NewReader(want)))
				if err != nil || !reflect.DeepEqual(got, value) {
					t.Fatalf("read %+v, %v, want %+v", got, err, value)
				}
			})
		}
		for name := range golden {
			if d.examples[name] == nil {
				t.Errorf("golden frame %s/%s has no example", d.name, name)
			}
		}
	}
}

func TestTruncatedAtEveryByte(t *testing.T) {
	for _, d := range directions() {
		for name, frame := range goldenFrames(t, d.name) {
			for n := range len(frame) {
				want := io.ErrUnexpectedEOF
				if n == 0 {
					want = io.EOF
				}
				if _, err := d.read(NewReader(bytes.NewReader(frame[:n]))); !errors.Is(err, want) {
					t.Errorf("%s/%s cut to %d of %d bytes: %v, want %v", d.name, name, n, len(frame), err, want)
				}
			}
		}
	}
}

func TestAnyCutOfTheStreamReadsTheSame(t *testing.T) {
	for _, d := range directions() {
		names := slices.Sorted(maps.Keys(d.examples))
		var stream []byte
		for _, name := range names {
			stream = d.append(stream, d.examples[name])
		}
		for _, cut := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
			r := NewReader(cut(bytes.NewReader(stream)))
			for _, name := range names {
				got, err := d.read(r)
				if err != nil || !reflect.DeepEqual(got, d.examples[name]) {
					t.Fatalf("%s/%s: read %+v, %v", d.name, name, got, err)
				}
			}
			if _, err := d.read(r); !errors.Is(err, io.EOF) {
				t.Errorf("%s: %v after the last frame, want EOF", d.name, err)
			}
		}
	}
}

func TestFramesThatCameTogetherCostOneRead(t *testing.T) {
	var stream []byte
	for range 20 {
		stream = AppendEvent(stream, 0, rooms.Posted{Message: line})
	}
	counted := &countingReader{r: bytes.NewReader(stream)}
	r := NewReader(counted)
	for range 20 {
		if _, _, err := r.Event(); err != nil {
			t.Fatal(err)
		}
	}
	if counted.reads != 1 {
		t.Errorf("%d reads for 20 lines of %d bytes, want 1", counted.reads, len(stream))
	}
}

type countingReader struct {
	r     io.Reader
	reads int
}

func (c *countingReader) Read(p []byte) (int, error) {
	c.reads++
	return c.r.Read(p)
}

func TestRefsComeBack(t *testing.T) {
	for _, ref := range []uint64{1, 127, 128, 1<<64 - 1} {
		got, _, err := NewReader(bytes.NewReader(AppendCommand(nil, ref, rooms.Ping{}))).Command()
		if got != ref || err != nil {
			t.Errorf("command with ref %d: %d, %v", ref, got, err)
		}
		got, _, err = NewReader(bytes.NewReader(AppendEvent(nil, ref, rooms.Done{}))).Event()
		if got != ref || err != nil {
			t.Errorf("event with ref %d: %d, %v", ref, got, err)
		}
	}
}

func TestLocalKindsDoNotTravel(t *testing.T) {
	before := []byte("before")
	for _, cmd := range []rooms.Command{rooms.Connect{Peer: alice}, rooms.Disconnect{}} {
		if got := AppendCommand(before, 1, cmd); !bytes.Equal(got, before) {
			t.Errorf("%T appended %x", cmd, got)
		}
	}
	for _, ev := range []rooms.Event{rooms.Answered{Ref: 1}, rooms.Connection{What: rooms.ConnectionLost}, rooms.Path{Path: "direct"}} {
		if got := AppendEvent(before, 0, ev); !bytes.Equal(got, before) {
			t.Errorf("%T appended %x", ev, got)
		}
	}
}

func TestPointersAreAMistake(t *testing.T) {
	for name, call := range map[string]func(){
		"command": func() { AppendCommand(nil, 1, &rooms.Say{}) },
		"event":   func() { AppendEvent(nil, 0, &rooms.Posted{}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}

func TestErrorsOfTheStreamPassThrough(t *testing.T) {
	broken := errors.New("stream reset")
	for n := range 4 {
		frame := AppendCommand(nil, 1, rooms.Ping{})[:n]
		r := NewReader(io.MultiReader(bytes.NewReader(frame), iotest.ErrReader(broken)))
		if _, _, err := r.Command(); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}
