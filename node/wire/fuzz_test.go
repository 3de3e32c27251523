package wire

import (
	"bytes"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"p2pchat/rooms"
)

// The property of all targets: whatever the bytes, nothing panics, the
// memory that reading them takes is bounded by their number, the reader comes to
// an end, and a value that comes out goes in again and comes out equal.

const (
	fuzzSlack  = 2 << 20 // for what else allocates in the process
	fuzzFactor = 512     // an empty item of a list takes two bytes on the wire
)

// fuzz reads a stream of frames until the first error that is its end.
func fuzz(t *testing.T, stream []byte, read func(*Reader) (uint64, any, error), write func(uint64, any) []byte) {
	r := NewReader(bytes.NewReader(stream))
	for range len(stream) + 1 {
		ref, v, err := readBounded(t, len(stream), r, read)
		switch outcome(err) {
		case "ok":
			again, got, err := read(NewReader(bytes.NewReader(write(ref, v))))
			if err != nil || again != ref || !reflect.DeepEqual(got, v) {
				t.Fatalf("ref %d: %+v\ncame back as ref %d: %+v, %v", ref, v, again, got, err)
			}
		case "malformed":
			if ref == 0 {
				return
			}
		case "unknown":
		case "too large", io.EOF.Error(), io.ErrUnexpectedEOF.Error():
			return
		default:
			t.Fatal(err)
		}
	}
	t.Fatalf("%d bytes gave more frames than that", len(stream))
}

func readBounded(t *testing.T, size int, r *Reader, read func(*Reader) (uint64, any, error)) (uint64, any, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ref, v, err := read(r)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > uint64(fuzzSlack+fuzzFactor*size) {
		t.Fatalf("%d bytes took %d of memory", size, n)
	}
	return ref, v, err
}

func seed(f *testing.F, direction string) {
	var all []byte
	for _, frame := range goldenFrames(f, direction) {
		f.Add(frame)
		all = append(all, frame...)
	}
	f.Add(all)
	f.Add([]byte{})
	f.Add([]byte{0})
	f.Add([]byte{0xff, 0xff, 0x7f})
}

func FuzzHello(f *testing.F) {
	seed(f, "hello")
	f.Fuzz(func(t *testing.T, stream []byte) {
		fuzz(t, stream,
			func(r *Reader) (uint64, any, error) { h, err := r.Hello(); return 0, h, err },
			func(_ uint64, v any) []byte { return AppendHello(nil, v.(Hello)) })
	})
}

func FuzzCommand(f *testing.F) {
	seed(f, "command")
	f.Fuzz(func(t *testing.T, stream []byte) {
		fuzz(t, stream,
			func(r *Reader) (uint64, any, error) { return anyOf(r.Command()) },
			func(ref uint64, v any) []byte { return AppendCommand(nil, ref, v.(rooms.Command)) })
	})
}

func FuzzEvent(f *testing.F) {
	seed(f, "event")
	f.Add(append(rawFrame(marshal(f, listingPart(1, 2, true))), rawFrame(marshal(f, listingPart(1, 1, false)))...))
	f.Fuzz(func(t *testing.T, stream []byte) {
		fuzz(t, stream,
			func(r *Reader) (uint64, any, error) { return anyOf(r.Event()) },
			func(ref uint64, v any) []byte { return AppendEvent(nil, ref, v.(rooms.Event)) })
	})
}

func anyOf[V any](ref uint64, v V, err error) (uint64, any, error) { return ref, v, err }

// TestTheCostliestFrames reads what is largest in memory for its bytes: lists of
// as many empty items as an answer may have.
func TestTheCostliestFrames(t *testing.T) {
	lists := map[protowire.Number]protowire.Number{13: 1, 14: 2, 15: 1, 17: 1, 18: 1, 20: 8} // HostFrame field: its list
	for field, list := range lists {
		empty := append(protowire.AppendTag(nil, list, protowire.BytesType), 0)
		payload := protowire.AppendTag([]byte{1 << 3, 1}, field, protowire.BytesType)
		payload = protowire.AppendBytes(payload, bytes.Repeat(empty, AnswerItems))
		stream := rawFrame(payload)
		ref, _, err := readBounded(t, len(stream), NewReader(bytes.NewReader(stream)), func(r *Reader) (uint64, any, error) {
			return anyOf(r.Event())
		})
		if ref != 1 || outcome(err) != "malformed" || strings.Contains(err.Error(), "protobuf") {
			t.Errorf("field %d: ref %d, %v", field, ref, err)
		}
	}
}

func FuzzFileRequest(f *testing.F) {
	seed(f, "file_request")
	f.Fuzz(func(t *testing.T, stream []byte) {
		fuzz(t, stream,
			func(r *Reader) (uint64, any, error) { v, err := r.FileRequest(); return 0, v, err },
			func(_ uint64, v any) []byte { return AppendFileRequest(nil, v) })
	})
}

func FuzzFileAnswer(f *testing.F) {
	seed(f, "file_answer")
	f.Fuzz(func(t *testing.T, stream []byte) {
		fuzz(t, stream,
			func(r *Reader) (uint64, any, error) { v, err := r.FileAnswer(); return 0, v, err },
			func(_ uint64, v any) []byte { return AppendFileAnswer(nil, v) })
	})
}
