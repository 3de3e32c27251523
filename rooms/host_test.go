package rooms_test

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"p2pchat/rooms"
)

// owner is the peer that the hosts of these tests belong to.
const owner rooms.PeerID = "peer-owner"

// host is a registry in the hands of a test: it keeps the clock and the
// randomness, and does what a node does with a decision.
type host struct {
	testing.TB
	reg    *rooms.Registry
	now    time.Time
	random *rand.ChaCha8
	last   rooms.SessionID
	stored []rooms.Change
}

func newHost(t testing.TB, adjust ...func(*rooms.Limits)) *host {
	limits := rooms.DefaultLimits()
	for _, f := range adjust {
		f(&limits)
	}
	return &host{
		TB:     t,
		reg:    rooms.NewRegistry(limits, owner),
		now:    time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC),
		random: seeded(1),
	}
}

func seeded(n uint64) *rand.ChaCha8 {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], n)
	return rand.NewChaCha8(seed)
}

func (h *host) env() rooms.Env { return rooms.Env{Now: h.now, Random: h.random} }

// wait lets time pass.
func (h *host) wait(d time.Duration) { h.now = h.now.Add(d) }

// guest is one session of a member.
type guest struct {
	*host
	id      rooms.SessionID
	peer    rooms.PeerID
	effects []rooms.Effect // of its latest command
}

// dial makes a session that has not asked anything yet.
func (h *host) dial(name string) *guest {
	h.last++
	return &guest{host: h, id: h.last, peer: rooms.PeerID("peer-" + name)}
}

// connect brings a member in. The peer ID follows from the nick; "owner" is the
// owner of the host.
func (h *host) connect(nick string) *guest {
	h.Helper()
	g := h.dial(nick)
	g.must(rooms.Connect{Peer: g.peer, Instance: uint64(g.id), Nick: nick, Fixed: true, Path: "direct"})
	return g
}

// connectAll brings several members in.
func (h *host) connectAll(nicks ...string) []*guest {
	h.Helper()
	var all []*guest
	for _, nick := range nicks {
		all = append(all, h.connect(nick))
	}
	return all
}

// ask puts a command to the registry and carries out what follows. It checks
// that deciding alone, and a refusal, change nothing.
func (g *guest) ask(cmd rooms.Command) (rooms.Event, *rooms.Refusal) {
	g.Helper()
	before := g.reg.Snapshot(g.now)
	d, refusal := g.reg.Decide(g.env(), g.id, cmd)
	if after := g.reg.Snapshot(g.now); !reflect.DeepEqual(before, after) {
		g.Fatalf("deciding on %T changed the registry:\n%v\n%v", cmd, before, after)
	}
	if refusal != nil {
		if d.Answer != nil || d.Changes != nil || d.Effects != nil {
			g.Errorf("%T was refused with %v and decided %+v", cmd, refusal, d)
		}
		wellSaid(g, refusal)
		return nil, refusal
	}
	g.reg.Commit(g.id, g.env(), cmd, d)
	g.stored = append(g.stored, d.Changes...)
	g.effects = d.Effects
	return answerOf(g, d), nil
}

// answerOf finds the one answer of a decision.
func answerOf(t testing.TB, d rooms.Decision) rooms.Event {
	t.Helper()
	answer := d.Answer
	for _, e := range d.Effects {
		if a, ok := e.(rooms.Attach); ok {
			if answer != nil {
				t.Errorf("two answers: %+v and %+v", answer, a.Answer)
			}
			answer = a.Answer
		}
	}
	if answer == nil {
		t.Errorf("no answer in %+v", d)
	}
	return answer
}

// must asks for something that is granted.
func (g *guest) must(cmd rooms.Command) rooms.Event {
	g.Helper()
	answer, refusal := g.ask(cmd)
	if refusal != nil {
		g.Fatalf("%s: %+v was refused: %v: %v", g.peer, cmd, refusal.Code, refusal)
	}
	return answer
}

// refused asks for something that is not granted.
func (g *guest) refused(code rooms.Code, cmd rooms.Command) *rooms.Refusal {
	g.Helper()
	answer, refusal := g.ask(cmd)
	if refusal == nil {
		g.Fatalf("%s: %+v was answered %+v, want %s", g.peer, cmd, answer, code)
	}
	if refusal.Code != code {
		g.Fatalf("%s: %+v was refused with %s (%v), want %s", g.peer, cmd, refusal.Code, refusal, code)
	}
	return refusal
}

// says checks the one line that a refusal is shown as.
func says(t testing.TB, refusal *rooms.Refusal, want string) {
	t.Helper()
	if got := refusal.Error(); got != want {
		t.Errorf("refusal\n got %s\nwant %s", got, want)
	}
}

// wellSaid checks what holds for every refusal: a known code, a message, no full
// stop, no capital at the start, nothing that moves a cursor.
func wellSaid(t testing.TB, r *rooms.Refusal) {
	t.Helper()
	known := false
	for _, code := range rooms.Codes() {
		known = known || code == r.Code
	}
	if !known {
		t.Errorf("unknown code %q", r.Code)
	}
	if r.Message == "" {
		t.Errorf("%s has no message", r.Code)
	}
	for _, s := range []string{r.Message, r.Hint} {
		if s == "" {
			continue
		}
		if last := s[len(s)-1]; strings.ContainsRune(".!?;: ", rune(last)) {
			t.Errorf("%s: %q ends in %q", r.Code, s, last)
		}
		if first, _ := utf8.DecodeRuneInString(s); unicode.IsUpper(first) {
			t.Errorf("%s: %q begins with a capital", r.Code, s)
		}
		if strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("%s: %q holds a control character", r.Code, s)
		}
	}
	if r.Hint == "" && !hintless[r.Code] {
		t.Errorf("%s: %q has no hint", r.Code, r.Message)
	}
	if (r.Retry != 0) != (r.Code == rooms.RateLimited) {
		t.Errorf("%s: retry after %v", r.Code, r.Retry)
	}
}

// hintless are the codes of which some refusals leave nothing to be tried.
var hintless = map[rooms.Code]bool{rooms.BadRequest: true, rooms.Denied: true}

// room returns the identifier of the room that a session is in.
func (g *guest) room() rooms.RoomID {
	key, ok := g.reg.Room(g.id)
	for _, o := range g.reg.Rooms() {
		if ok && o.Key == key {
			return o.Room
		}
	}
	return ""
}

// is checks which room a session is in.
func (g *guest) is(in rooms.RoomID) {
	g.Helper()
	if got := g.room(); got != in {
		g.Errorf("%s is in room %q, want %q", g.peer, got, in)
	}
}

// create makes a room and returns its identifier.
func (g *guest) create(c rooms.Create) rooms.RoomID {
	g.Helper()
	return g.must(c).(rooms.Entered).Room.Room
}

// invite makes an invite and returns what its holder gets.
func (g *guest) invite(c rooms.Invite) rooms.Capability {
	g.Helper()
	return g.must(c).(rooms.Invited).Capability
}

// enters brings members into a room.
func enters(room rooms.RoomID, members ...*guest) {
	for _, g := range members {
		g.Helper()
		g.must(rooms.Join{Room: string(room)})
	}
}

// nicks returns the nicks in the room of a session, as Who tells them.
func (g *guest) nicks() string {
	g.Helper()
	var all []string
	for _, m := range g.must(rooms.Who{}).(rooms.Roster).Members {
		all = append(all, m.Nick)
	}
	return strings.Join(all, " ")
}

// listed returns the rooms that a session can see.
func (g *guest) listed(pattern string) string {
	g.Helper()
	var all []string
	for _, info := range g.must(rooms.List{Pattern: pattern}).(rooms.Listing).Rooms {
		all = append(all, string(info.Room))
	}
	return strings.Join(all, " ")
}

// broadcasts returns what the latest command of a session told a room.
func broadcasts[E rooms.Event](g *guest) []E {
	var all []E
	for _, e := range g.effects {
		if b, ok := e.(rooms.Broadcast); ok {
			if event, ok := b.Event.(E); ok {
				all = append(all, event)
			}
		}
	}
	return all
}

// told returns what the latest command of g told the session of to.
func told[E rooms.Event](g, to *guest) []E {
	var all []E
	for _, e := range g.effects {
		if tell, ok := e.(rooms.Tell); ok && tell.Session == to.id {
			if event, ok := tell.Event.(E); ok {
				all = append(all, event)
			}
		}
	}
	return all
}
