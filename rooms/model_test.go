package rooms_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

// world is a host and its oracle side by side, and what a node would have done
// with the effects: which session is attached to which room.
type world struct {
	*host
	o        *oracle
	attached map[rooms.SessionID]rooms.RoomKey
	granted  map[string]int
	refused  map[rooms.Code]int
}

func newWorld(t testing.TB) *world {
	h := newHost(t, oLimits)
	return &world{
		host: h, o: &oracle{now: h.now, nicks: map[rooms.PeerID]string{}, away: map[rooms.PeerID]oAway{}},
		attached: map[rooms.SessionID]rooms.RoomKey{}, granted: map[string]int{}, refused: map[rooms.Code]int{},
	}
}

// peers are the members of the model.
var peers = []rooms.PeerID{"peer-1", "peer-2", "peer-3", "peer-4", "peer-5"}

// step lets something happen, and checks everything.
func (w *world) step(pick chooser) {
	w.Helper()
	w.wait(time.Duration(pick(600)) * time.Second)
	w.o.now = w.now
	if len(w.o.sessions) == 0 || pick(8) == 0 {
		peer := pickOf(pick, append(peers, owner)...)
		w.last++
		c := rooms.Connect{
			Peer: peer, Instance: uint64(pick(3)), Fixed: pick(2) > 0,
			Nick: pickOf(pick, "alice", "al1ce", "bob", "modern", "rnodern", "zoe", "мир", "host", ""),
		}
		code, do := w.o.connect(w.last, c)
		w.put(w.last, c, code, do)
		return
	}
	s := w.o.sessions[pick(len(w.o.sessions))]
	cmd := w.o.command(pick, s.room == nil)
	code, do := w.o.rule(s, cmd)
	w.put(s.id, cmd, code, do)
}

// put gives a command to the registry and to the oracle.
func (w *world) put(id rooms.SessionID, cmd rooms.Command, code rooms.Code, do follow) {
	w.Helper()
	g := &guest{host: w.host, id: id}
	before := w.look()
	wish, connects := cmd.(rooms.Connect)
	var nick string
	if connects {
		nick = w.o.granted(wish)
	}
	answer, refusal := g.ask(cmd)
	if refusal != nil {
		w.refused[refusal.Code]++
		if refusal.Code != code {
			w.Fatalf("session %d: %+v was refused with %s (%v), want %q", id, cmd, refusal.Code, refusal, code)
		}
		if after := w.look(); !reflect.DeepEqual(before, after) {
			w.Fatalf("session %d: refused %+v changed the host:\n%v\n%v", id, cmd, before, after)
		}
		return
	}
	if code != "" {
		w.Fatalf("session %d: %+v was answered %+v, want %s", id, cmd, answer, code)
	}
	w.granted[fmt.Sprintf("%T", cmd)]++
	if nick != "" && answer.(rooms.Welcome).Nick != nick {
		w.Fatalf("%+v got %+v, want nick %q", cmd, answer, nick)
	}
	sat := w.seats()
	do(answer)
	w.learnKeys()
	w.follow(before, sat, g)
	w.compare(cmd, answer)
}

// learnKeys takes over the keys of new rooms.
func (w *world) learnKeys() {
	for _, room := range w.o.rooms {
		room.key, _ = w.reg.Lookup(room.id)
	}
}

// view is what can be seen of a registry from outside.
type view struct {
	state []rooms.Change
	rooms map[rooms.RoomKey]bool
	where map[rooms.SessionID]rooms.RoomKey
}

func (w *world) look() view {
	v := view{w.reg.Snapshot(w.now), map[rooms.RoomKey]bool{}, map[rooms.SessionID]rooms.RoomKey{}}
	for _, o := range w.reg.Rooms() {
		v.rooms[o.Key] = true
	}
	for id := rooms.SessionID(1); id <= w.last; id++ {
		if key, ok := w.reg.Room(id); ok {
			v.where[id] = key
		}
	}
	return v
}

// seats is who sits in which room, and everybody who is connected under no room.
func (w *world) seats() map[*oRoom][]rooms.PeerID {
	all := map[*oRoom][]rooms.PeerID{}
	for _, room := range w.o.rooms {
		all[room] = w.o.inside(room)
	}
	for _, s := range w.o.sessions {
		all[nil] = append(all[nil], rooms.PeerID(fmt.Sprint(s.id)))
	}
	return all
}

// follow carries the effects out as a node does, and checks that they make sense.
func (w *world) follow(before view, sat map[*oRoom][]rooms.PeerID, g *guest) {
	w.Helper()
	after := w.look()
	live := func(id rooms.SessionID) bool {
		return id == g.id || slices.Contains(sat[nil], rooms.PeerID(fmt.Sprint(id)))
	}
	for _, e := range g.effects {
		ok := false
		switch e := e.(type) {
		case rooms.Opened:
			ok = !before.rooms[e.Key] && after.rooms[e.Key]
		case rooms.Ended:
			ok = before.rooms[e.Key] && !after.rooms[e.Key]
		case rooms.Broadcast:
			ok = (before.rooms[e.Key] || after.rooms[e.Key]) && e.Event != nil && !w.mutedSpeaks(e)
		case rooms.Tell:
			ok = live(e.Session) && e.Event != nil
		case rooms.Drop:
			ok = live(e.Session)
			delete(w.attached, e.Session)
		case rooms.Detach:
			ok = live(e.Session) && before.rooms[e.Key] && before.where[e.Session] == e.Key
			delete(w.attached, e.Session)
		case rooms.Attach:
			ok = live(e.Session) && after.rooms[e.Key] && after.where[e.Session] == e.Key
			w.attached[e.Session] = e.Key
			w.entered(e, sat)
		}
		if !ok {
			w.Fatalf("effect %T %+v makes no sense", e, e)
		}
	}
	for id, key := range w.attached {
		if after.where[id] != key {
			w.Fatalf("session %d hears room %x and is in %x", id, key, after.where[id])
		}
	}
}

// mutedSpeaks reports whether a muted member says something by how it leaves or is away.
// Who is banned from the host leaves with the host's word for it.
func (w *world) mutedSpeaks(e rooms.Broadcast) bool {
	m, ok := e.Event.(rooms.MemberChanged)
	i := slices.IndexFunc(w.o.rooms, func(room *oRoom) bool { return room.key == e.Key })
	if !ok || i < 0 || !slices.Contains(w.o.rooms[i].muted, m.Member.Peer) {
		return false
	}
	put := m.Reason == "banned" && w.o.held(w.o.bans, m.Member.Peer)
	return m.What == rooms.MemberLeft && m.Reason != "" && !put || m.What == rooms.MemberAway && m.Member.Away != "away"
}

// entered checks somebody's entrance: there was a seat, and a right to it.
func (w *world) entered(e rooms.Attach, sat map[*oRoom][]rooms.PeerID) {
	w.Helper()
	i := slices.IndexFunc(w.o.rooms, func(room *oRoom) bool { return room.key == e.Key })
	room, peer := w.o.rooms[i], e.Member.Peer
	limit := oMembers
	if room.limit > 0 {
		limit = min(limit, room.limit)
	}
	now := w.o.inside(room)
	if !slices.Contains(sat[room], peer) && len(now) > limit {
		w.Fatalf("%s is number %d in room %q, which takes %d", peer, len(now), room.id, limit)
	}
	if room.private && peer != owner && !slices.Contains(room.admitted, peer) {
		w.Fatalf("%s entered the private room %q without a right", peer, room.id)
	}
	if w.o.held(room.bans, peer) {
		w.Fatalf("%s entered room %q in spite of a ban", peer, room.id)
	}
	if e.Member.Nick != w.o.nicks[peer] || e.Member.Muted != slices.Contains(room.muted, peer) || e.Answer.Room.Members != len(now) {
		w.Fatalf("entered as %+v: nick %q, %d members", e, w.o.nicks[peer], len(now))
	}
}

// compare holds the registry against the oracle.
func (w *world) compare(cmd rooms.Command, answer rooms.Event) {
	w.Helper()
	for _, s := range w.o.sessions {
		var want rooms.RoomKey
		if s.room != nil {
			want = s.room.key
		}
		if got, _ := w.reg.Room(s.id); got != want {
			w.Fatalf("%+v: session %d of %s is in %x, want %x", cmd, s.id, s.peer, got, want)
		}
	}
	for _, peer := range append(peers, owner) {
		if got := w.reg.Away(peer); got != w.o.away[peer].text {
			w.Fatalf("%+v: %s is away: %q, want %q", cmd, peer, got, w.o.away[peer].text)
		}
	}
	snapshot := w.reg.Snapshot(w.now)
	if got, want := stateOf(snapshot), w.o.state(); !slices.Equal(got, want) {
		w.Fatalf("%+v:\n got %s\nwant %s", cmd, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	fresh := newHost(w, oLimits)
	for _, c := range snapshot {
		fresh.reg.Apply(c)
	}
	if again := fresh.reg.Snapshot(w.now); !reflect.DeepEqual(again, snapshot) {
		w.Fatalf("%+v: a snapshot gives another:\n%v\n%v", cmd, snapshot, again)
	}
	nicks := map[string]rooms.PeerID{}
	for peer, nick := range w.o.nicks {
		if other, taken := nicks[strings.ToLower(nick)]; taken {
			w.Fatalf("%s and %s are both %q", peer, other, nick)
		}
		nicks[strings.ToLower(nick)] = peer
	}
	if list, ok := answer.(rooms.Listing); ok {
		for _, info := range list.Rooms {
			room := w.o.find(string(info.Room))
			if room == nil || room.private || len(w.o.inside(room)) != info.Members {
				w.Fatalf("listed %+v", info)
			}
		}
	}
}

// TestModel plays fixed games against the oracle.
func TestModel(t *testing.T) {
	granted, refused := map[string]int{}, map[rooms.Code]int{}
	games := uint64(200)
	if testing.Short() {
		games = 20
	}
	for seed := range games {
		w := newWorld(t)
		r := rand.New(rand.NewPCG(seed, 1))
		for range 500 {
			w.step(r.IntN)
		}
		for k, n := range w.granted {
			granted[k] += n
		}
		for k, n := range w.refused {
			refused[k] += n
		}
	}
	t.Logf("granted %v", granted)
	t.Logf("refused %v", refused)
	for _, code := range []rooms.Code{
		rooms.RoomExists, rooms.NoSuchRoom, rooms.RoomFull, rooms.BadName, rooms.NameTaken, rooms.NotInRoom, rooms.Denied,
		rooms.Banned, rooms.InviteInvalid, rooms.Quota, rooms.NoSuchMember, rooms.BadRequest, rooms.Busy, rooms.TooLong,
	} {
		if refused[code] == 0 {
			t.Errorf("nothing was refused with %s: the games are too tame", code)
		}
	}
	if len(granted) < 20 {
		t.Errorf("only %d kinds of commands were granted", len(granted))
	}
}
