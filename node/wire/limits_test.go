package wire

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

// padded fills a payload up to size bytes with a field that no version knows.
func padded(t *testing.T, payload []byte, size int) []byte {
	t.Helper()
	const field = 1 << 20
	for n := size - len(payload); n > 0; n-- {
		out := protowire.AppendTag(bytes.Clone(payload), field, protowire.BytesType)
		out = protowire.AppendBytes(out, make([]byte, n))
		if len(out) == size {
			return out
		}
	}
	t.Fatalf("cannot pad %d bytes to %d", len(payload), size)
	return nil
}

func TestFrameLimits(t *testing.T) {
	ping := marshal(t, &pb.ClientFrame{Ref: 1, Body: &pb.ClientFrame_Ping{Ping: &pb.Ping{}}})
	done := marshal(t, &pb.HostFrame{Ref: 1, Body: &pb.HostFrame_Done{Done: &pb.Done{}}})
	hello := marshal(t, &pb.Hello{Client: 1, Instance: 1})
	for _, tt := range []struct {
		direction direction
		payload   []byte
		limit     int
	}{
		{directions()[0], hello, HelloLimit},
		{directions()[1], ping, FrameLimit},
		{directions()[2], done, FrameLimit},
	} {
		for size, want := range map[int]string{tt.limit - 1: "ok", tt.limit: "ok", tt.limit + 1: "too large"} {
			frame := rawFrame(padded(t, tt.payload, size))
			_, err := tt.direction.read(NewReader(bytes.NewReader(frame)))
			if got := outcome(err); got != want {
				t.Errorf("%s of %d bytes: %s (%v), want %s", tt.direction.name, size, got, err, want)
			}
		}
	}
}

func TestLengths(t *testing.T) {
	for _, tt := range []struct {
		bytes []byte
		want  string
	}{
		{[]byte{0x80, 0x00}, "malformed"},
		{[]byte{0x82, 0x80, 0x00}, "malformed"},
		{[]byte{0xff, 0xff, 0x7f}, "too large"},
		{[]byte{0x80, 0x80, 0x80, 0x01}, "too large"},
		{[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, "too large"},
	} {
		for _, d := range directions() {
			_, err := d.read(NewReader(bytes.NewReader(tt.bytes)))
			if got := outcome(err); got != tt.want {
				t.Errorf("%s, length % x: %s (%v), want %s", d.name, tt.bytes, got, err, tt.want)
			}
		}
	}
}

func TestTheLimitIsCheckedBeforeTheAllocation(t *testing.T) {
	frame := []byte{0xff, 0xff, 0x7f} // says 2 MiB
	r := NewReader(bytes.NewReader(frame))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := r.length(FrameLimit)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; outcome(err) != "too large" || n > 64<<10 {
		t.Errorf("%v, and %d bytes allocated", err, n)
	}
}

func TestFeatureLimits(t *testing.T) {
	for n, want := range map[int]string{featureCount - 1: "ok", featureCount: "ok", featureCount + 1: "malformed"} {
		m := &pb.Hello{Instance: 1, Features: strings.Fields(strings.Repeat("f ", n))}
		_, err := NewReader(bytes.NewReader(rawFrame(marshal(t, m)))).Hello()
		if got := outcome(err); got != want {
			t.Errorf("%d features: %s, want %s", n, got, want)
		}
	}
	h := Hello{Instance: 1, Features: append(strings.Fields(strings.Repeat("f ", 40)), "")}
	h.Features[0], h.Features[1], h.Features[2] = "not ascii: ü", strings.Repeat("f", 33), "space in it"
	got, err := NewReader(bytes.NewReader(AppendHello(nil, h))).Hello()
	if err != nil || len(got.Features) != featureCount || got.Features[0] != "f" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAddressLimits(t *testing.T) {
	for n, want := range map[int]string{addrCount - 1: "ok", addrCount: "ok", addrCount + 1: "malformed"} {
		m := &pb.HostFrame{Body: &pb.HostFrame_HostStatus{HostStatus: &pb.HostStatus{Addrs: make([]string, n)}}}
		_, _, err := NewReader(bytes.NewReader(rawFrame(marshal(t, m)))).Event()
		if got := outcome(err); got != want {
			t.Errorf("%d addresses: %s, want %s", n, got, want)
		}
	}
}

// A host refuses what is over its own limits; wire must let it through until there.
func TestRoomForTheHostToRefuse(t *testing.T) {
	limits := rooms.DefaultLimits()
	if limits.TextBytes >= TextLimit || 4*limits.RoomID >= nameLimit || 4*limits.Nick >= nameLimit || limits.TopicBytes >= noteLimit || limits.AwayBytes >= awayLimit {
		t.Fatalf("the limits of a host reach those of the wire: %+v", limits)
	}
	long := rooms.Say{Kind: rooms.Text, Text: strings.Repeat("x", 9<<10)}
	_, got, err := NewReader(bytes.NewReader(AppendCommand(nil, 1, long))).Command()
	if err != nil || !reflect.DeepEqual(got, long) {
		t.Errorf("a text of 9 KiB: %v", err)
	}
}

func TestWhatIsTooLongIsCutBetweenCharacters(t *testing.T) {
	say := rooms.Say{Kind: rooms.Text, Text: strings.Repeat("€", 1<<20)}
	_, got, err := NewReader(bytes.NewReader(AppendCommand(nil, 1, say))).Command()
	if want := strings.Repeat("€", TextLimit/3); err != nil || got.(rooms.Say).Text != want {
		t.Errorf("%d bytes, %v, want %d", len(got.(rooms.Say).Text), err, len(want))
	}
}

func TestWhatIsNotUTF8IsMade(t *testing.T) {
	say := rooms.Say{Kind: rooms.Text, Text: "a\xff\xfeb\xc0"}
	_, got, err := NewReader(bytes.NewReader(AppendCommand(nil, 1, say))).Command()
	if err != nil || got.(rooms.Say).Text != "a\uFFFDb\uFFFD" {
		t.Errorf("%q, %v", got, err)
	}
	hostile := bytes.Replace(AppendCommand(nil, 7, rooms.Whois{Nick: "bob"}), []byte("bob"), []byte("b\xffb"), 1)
	ref, _, err := NewReader(bytes.NewReader(hostile)).Command()
	var malformed *MalformedError
	if !errors.As(err, &malformed) || malformed.Ref != 7 || ref != 7 {
		t.Errorf("ref %d, %v", ref, err)
	}
}

func TestDurationsKeepTheirSign(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		0: 0, 1: time.Millisecond, -1: -time.Millisecond,
		1500 * time.Microsecond: 2 * time.Millisecond,
		1<<63 - 1:               time.Duration(lastLife) * time.Millisecond,
		-1 << 63:                time.Duration(-lastLife) * time.Millisecond,
	} {
		_, got, err := NewReader(bytes.NewReader(AppendCommand(nil, 1, rooms.Ban{Who: "bob", Life: d}))).Command()
		if err != nil || got.(rooms.Ban).Life != want {
			t.Errorf("%v became %+v, %v, want %v", d, got, err, want)
		}
	}
}

func TestTimesAreKeptWithinTheYears(t *testing.T) {
	for in, want := range map[time.Time]time.Time{
		{}:                {},
		time.Unix(0, 0):   {},
		noon.Add(999e3):   noon,
		noon.Local():      noon,
		late.Add(1 << 50): late,
	} {
		_, got, err := NewReader(bytes.NewReader(AppendCommand(nil, 1, rooms.History{Since: in}))).Command()
		if err != nil || got.(rooms.History).Since != want {
			t.Errorf("%v became %+v, %v, want %v", in, got, err, want)
		}
	}
}
