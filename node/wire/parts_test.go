package wire

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

// frameSizes returns the payload sizes of the frames in buf.
func frameSizes(t *testing.T, buf []byte) (sizes []int) {
	t.Helper()
	for len(buf) > 0 {
		payload, n := protowire.ConsumeBytes(buf)
		if n < 0 {
			t.Fatal("not frames")
		}
		sizes = append(sizes, len(payload))
		buf = buf[n:]
	}
	return sizes
}

func longLists() map[string]rooms.Event {
	long := strings.Repeat("x", 8<<10)
	said := line
	said.Text = long
	return map[string]rooms.Event{
		"listing":     rooms.Listing{Rooms: slices.Repeat([]rooms.RoomInfo{lobby, secret}, 2000)},
		"roster":      rooms.Roster{Room: "lobby", Members: slices.Repeat([]rooms.Member{aliceHere, bobHere}, 2500)},
		"page":        rooms.Page{Messages: slices.Repeat([]rooms.Message{said, photo}, 128)},
		"invite_list": rooms.InviteList{Invites: slices.Repeat([]rooms.InviteInfo{ticket}, 5000)},
		"ban_list":    rooms.BanList{Bans: slices.Repeat([]rooms.BanInfo{ban}, 5000)},
		"host_status": rooms.HostStatus{
			Version: "1.0.0", Peer: alice, Target: strings.Repeat("t", noteLimit),
			Addrs:   slices.Repeat([]string{strings.Repeat("a", addrLimit)}, addrCount),
			Rooms:   slices.Repeat([]rooms.RoomInfo{lobby, secret}, 2000),
			Members: slices.Repeat([]rooms.Member{aliceHere}, 5000),
			Disk:    1 << 40,
		},
	}
}

func TestLongListsComeInParts(t *testing.T) {
	for name, ev := range longLists() {
		buf := AppendEvent(nil, 1<<63, ev)
		sizes := frameSizes(t, buf)
		if len(sizes) < 2 || slices.Max(sizes) > FrameLimit {
			t.Errorf("%s: frames of %v bytes", name, sizes)
		}
		r := NewReader(io.MultiReader(bytes.NewReader(buf), bytes.NewReader(AppendEvent(nil, 2, rooms.Done{}))))
		ref, got, err := r.Event()
		if ref != 1<<63 || err != nil || !reflect.DeepEqual(got, ev) {
			t.Errorf("%s: ref %d, %v", name, ref, err)
		}
		if ref, _, err := r.Event(); ref != 2 || err != nil {
			t.Errorf("%s: then ref %d, %v", name, ref, err)
		}
	}
}

func TestPartsCutShort(t *testing.T) {
	buf := AppendEvent(nil, 1, longLists()["page"])
	for _, end := range []int{len(buf) - 1, len(buf) / 2, len(buf) - frameSizes(t, buf)[len(frameSizes(t, buf))-1] - 3} {
		if _, _, err := NewReader(bytes.NewReader(buf[:end])).Event(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut to %d of %d bytes: %v", end, len(buf), err)
		}
	}
}

func TestAnAnswerOverTheLimitsIsRefused(t *testing.T) {
	for name, page := range map[string]rooms.Event{
		"bytes": rooms.Page{Messages: slices.Repeat([]rooms.Message{{Text: strings.Repeat("x", TextLimit)}}, 130)},
		"items": rooms.Listing{Rooms: slices.Repeat([]rooms.RoomInfo{lobby}, AnswerItems+1)},
	} {
		ref, got, err := NewReader(bytes.NewReader(AppendEvent(nil, 5, page))).Event()
		if refusal, ok := got.(*rooms.Refusal); !ok || refusal.Code != rooms.TooLarge || ref != 5 || err != nil {
			t.Errorf("%s: ref %d, %+v, %v", name, ref, got, err)
		}
		_, got, err = NewReader(bytes.NewReader(AppendEvent(nil, 0, page))).Event()
		if _, ok := got.(rooms.Notice); !ok || err != nil {
			t.Errorf("%s with ref 0: %+v, %v", name, got, err)
		}
	}
}

func listingPart(ref uint64, n int, more bool) *pb.HostFrame {
	list := slices.Repeat([]*pb.RoomInfo{{Room: "a"}}, n)
	return &pb.HostFrame{Ref: ref, More: more, Body: &pb.HostFrame_Listing{Listing: &pb.Listing{Rooms: list}}}
}

func TestAnswerItems(t *testing.T) {
	for n, want := range map[int]string{AnswerItems - 1: "ok", AnswerItems: "ok", AnswerItems + 1: "too large"} {
		stream := rawFrame(marshal(t, listingPart(1, AnswerItems/2, true)))
		stream = append(stream, rawFrame(marshal(t, listingPart(1, n-AnswerItems/2, false)))...)
		_, _, err := NewReader(bytes.NewReader(stream)).Event()
		if got := outcome(err); got != want {
			t.Errorf("%d items: %s, want %s", n, got, want)
		}
	}
}

func TestAnswerLimit(t *testing.T) {
	for size, want := range map[int]string{AnswerLimit - 1: "ok", AnswerLimit: "ok", AnswerLimit + 1: "too large"} {
		var stream []byte
		part := marshal(t, listingPart(1, 1, true))
		for range AnswerLimit/FrameLimit - 1 {
			stream = append(stream, rawFrame(padded(t, part, FrameLimit))...)
		}
		stream = append(stream, rawFrame(padded(t, part, FrameLimit-1000))...)
		last := size - (AnswerLimit - 1000)
		stream = append(stream, rawFrame(padded(t, marshal(t, listingPart(1, 1, false)), last))...)
		_, _, err := NewReader(bytes.NewReader(stream)).Event()
		if got := outcome(err); got != want {
			t.Errorf("%d bytes: %s, want %s", size, got, want)
		}
	}
}

func TestPartsThatDoNotBelongTogether(t *testing.T) {
	first := rawFrame(marshal(t, listingPart(1, 1, true)))
	for name, second := range map[string][]byte{
		"another ref":  rawFrame(marshal(t, listingPart(2, 1, false))),
		"another kind": AppendEvent(nil, 1, rooms.Page{}),
		"a message":    AppendEvent(nil, 0, rooms.Posted{Message: line}),
		"no protobuf":  {1, 0xff},
	} {
		ref, _, err := NewReader(bytes.NewReader(slices.Concat(first, second))).Event()
		if got := outcome(err); got != "malformed" || ref != 0 {
			t.Errorf("%s: ref %d, %s", name, ref, got)
		}
	}
	notList := &pb.HostFrame{Ref: 1, More: true, Body: &pb.HostFrame_Done{Done: &pb.Done{}}}
	_, _, err := NewReader(bytes.NewReader(rawFrame(marshal(t, notList)))).Event()
	if got := outcome(err); got != "malformed" {
		t.Errorf("more of what is no list: %s", got)
	}
}
