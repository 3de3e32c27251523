package rooms_test

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"p2pchat/rooms"
)

func TestCreate(t *testing.T) {
	h := newHost(t)
	alice := h.connect("alice")
	got := alice.must(rooms.Create{Room: "dev", Limit: 3, Topic: "work", NoHistory: true})
	want := rooms.Entered{
		Room:    rooms.RoomInfo{Room: "dev", Members: 1, Limit: 3, Topic: "work", NoHistory: true},
		Role:    rooms.Operator,
		Members: []rooms.Member{{Peer: alice.peer, Nick: "alice", Role: rooms.Operator}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	key, _ := h.reg.Room(alice.id)
	effects := []rooms.Effect{
		rooms.Opened{Key: key, Room: "dev", NoHistory: true},
		rooms.Broadcast{Key: key, Event: rooms.MemberChanged{Room: "dev", What: rooms.MemberJoined, Member: want.Members[0]}},
		rooms.Attach{Session: alice.id, Key: key, Member: want.Members[0], Answer: want},
	}
	if !reflect.DeepEqual(alice.effects, effects) {
		t.Errorf("effects\n got %+v\nwant %+v", alice.effects, effects)
	}
	if got := h.reg.Rooms(); !reflect.DeepEqual(got, []rooms.Opened{{Key: key, Room: "dev", NoHistory: true}}) {
		t.Errorf("rooms: %+v", got)
	}
}

func TestCreateByOwner(t *testing.T) {
	h := newHost(t)
	if e := h.connect("owner").must(rooms.Create{Room: "dev"}).(rooms.Entered); e.Role != rooms.Owner {
		t.Errorf("the owner enters as %v", e.Role)
	}
}

// TestCreateLeaves: whoever makes a room leaves the one before.
func TestCreateLeaves(t *testing.T) {
	h := newHost(t)
	alice, bob := h.connect("alice"), h.connect("bob")
	enters(alice.create(rooms.Create{Room: "one"}), bob)
	bob.create(rooms.Create{Room: "two"})
	if got := alice.nicks(); got != "alice" {
		t.Errorf("in the first room: %s", got)
	}
	if left := told[rooms.RoomChanged](bob, bob); len(left) != 1 || left[0].What != rooms.RoomLeft || left[0].Room.Room != "one" {
		t.Errorf("bob is told %+v", left)
	}
	if all := broadcasts[rooms.MemberChanged](bob); len(all) != 2 || all[0].Room != "one" || all[0].What != rooms.MemberLeft ||
		all[1].Room != "two" || all[1].What != rooms.MemberJoined || all[0].Member.Nick != "bob" {
		t.Errorf("the rooms are told %+v", all)
	}
}

// TestRefusedEntrance: whoever is not let in stays where it is.
func TestRefusedEntrance(t *testing.T) {
	h := newHost(t)
	alice, bob := h.connect("alice"), h.connect("bob")
	alice.create(rooms.Create{Room: "full", Limit: 1})
	bob.create(rooms.Create{Room: "home"})
	for _, tt := range []struct {
		code rooms.Code
		cmd  rooms.Command
		want string
	}{
		{rooms.RoomFull, rooms.Join{Room: "full"}, `room "full" is full (1/1); ask an operator to raise /limit, or /list for others`},
		{rooms.NoSuchRoom, rooms.Join{Room: "none"}, `there is no room "none"; /list shows the rooms, /create none makes it; a private room needs an invite`},
		{rooms.BadName, rooms.Join{}, "the room has no name; give it one of letters, digits, _ . -"},
		{rooms.RoomExists, rooms.Create{Room: "full"}, `room "full" exists already; /join full enters it, or choose another name`},
		{rooms.BadName, rooms.Create{Room: "a~abcdefgh"}, ""},
		{rooms.BadName, rooms.Create{Room: "a~abcdefgh", Private: true}, ""},
		{rooms.BadRequest, rooms.Create{Room: "new", Limit: -1}, "the limit of a room is a number from 0 to 1000; 0 means no limit of its own"},
		{rooms.BadRequest, rooms.Create{Room: "new", Topic: "\xff"}, "this topic is not text"},
		{rooms.InviteInvalid, rooms.Join{Invite: rooms.Capability{Secret: [16]byte{1}}}, "this invite is not valid; ask for a new one"},
	} {
		refusal := bob.refused(tt.code, tt.cmd)
		if tt.want != "" {
			says(t, refusal, tt.want)
		}
		bob.is("home")
	}
}

// TestBoundarySentence is the sentence of the contract, word for word.
func TestBoundarySentence(t *testing.T) {
	h := newHost(t)
	all := h.connectAll("a", "b", "c", "d")
	dev := all[0].create(rooms.Create{Room: "dev", Limit: 3})
	enters(dev, all[1], all[2])
	says(t, all[3].refused(rooms.RoomFull, rooms.Join{Room: "dev"}),
		`room "dev" is full (3/3); ask an operator to raise /limit, or /list for others`)
	all[0].must(rooms.SetLimit{Limit: 1})
	says(t, all[3].refused(rooms.RoomFull, rooms.Join{Room: "dev"}),
		`room "dev" is full (3/1); ask an operator to raise /limit, or /list for others`)
	all[0].must(rooms.SetLimit{Limit: 0})
	enters(dev, all[3])
}

func TestJoin(t *testing.T) {
	h := newHost(t)
	alice, bob := h.connect("alice"), h.connect("bob")
	alice.create(rooms.Create{Room: "Dev", Topic: "work", Limit: 2})
	after := &rooms.Cursor{Epoch: 7, Seq: 9}
	got := bob.must(rooms.Join{Room: "dev", After: after, Recent: 5})
	key, _ := h.reg.Room(alice.id)
	answer := rooms.Entered{Room: rooms.RoomInfo{Room: "Dev", Members: 2, Limit: 2, Topic: "work"}}
	if !reflect.DeepEqual(got, answer) {
		t.Errorf("got %+v, want %+v", got, answer)
	}
	want := []rooms.Effect{
		rooms.Broadcast{Key: key, Event: rooms.MemberChanged{
			Room: "Dev", What: rooms.MemberJoined, Member: rooms.Member{Peer: bob.peer, Nick: "bob"},
		}},
		rooms.Attach{
			Session: bob.id, Key: key, Member: rooms.Member{Peer: bob.peer, Nick: "bob"},
			After: after, Recent: 5, Answer: answer,
		},
	}
	if !reflect.DeepEqual(bob.effects, want) {
		t.Errorf("effects\n got %+v\nwant %+v", bob.effects, want)
	}
}

// TestEnteredMembers: whoever comes anew is told who is inside, as far as that fits.
func TestEnteredMembers(t *testing.T) {
	h := newHost(t)
	first := h.connect("zoe")
	first.create(rooms.Create{Room: "dev"})
	for n := 2; n <= rooms.EnteredMembers+1; n++ {
		g := h.dial(strconv.Itoa(n))
		g.must(rooms.Connect{Peer: g.peer, Nick: "member" + strconv.Itoa(n), Fixed: true})
		all := g.must(rooms.Join{Room: "dev"}).(rooms.Entered).Members
		if len(all) != min(n, rooms.EnteredMembers) {
			t.Errorf("with %d inside, %d are told", n, len(all))
		}
		if !slices.ContainsFunc(all, func(m rooms.Member) bool { return m.Peer == g.peer }) {
			t.Errorf("with %d inside, the one who enters is not among those told", n)
		}
		if n == 2 && (all[1].Nick != "zoe" || all[1].Role != rooms.Operator) {
			t.Errorf("members: %+v", all)
		}
		if again := g.must(rooms.Join{Room: "dev"}).(rooms.Entered).Members; len(again) != len(all) {
			t.Errorf("with %d inside, %d are told on joining again", n, len(again))
		}
	}
	if back := first.must(rooms.Join{Room: "dev", After: &rooms.Cursor{}}).(rooms.Entered).Members; back != nil {
		t.Errorf("who comes back is told %v", back)
	}
}

// TestJoinAgain: joining the room one is in replays it and tells nobody.
func TestJoinAgain(t *testing.T) {
	h := newHost(t)
	alice := h.connect("alice")
	alice.create(rooms.Create{Room: "dev", Limit: 1})
	e := alice.must(rooms.Join{Room: "dev"}).(rooms.Entered)
	if e.Room.Members != 1 || e.Role != rooms.Operator {
		t.Errorf("entered as %+v", e)
	}
	if len(alice.effects) != 1 {
		t.Errorf("effects: %+v", alice.effects)
	}
}

// TestSecondSession: a member counts once, however many of its sessions are inside.
func TestSecondSession(t *testing.T) {
	h := newHost(t)
	alice, bob := h.connect("alice"), h.connect("bob")
	dev := alice.create(rooms.Create{Room: "dev", Limit: 2})
	enters(dev, bob)
	second := h.connect("bob")
	if e := second.must(rooms.Join{Room: "dev"}).(rooms.Entered); e.Room.Members != 2 {
		t.Errorf("%d members", e.Room.Members)
	}
	if all := broadcasts[rooms.MemberChanged](second); len(all) != 0 {
		t.Errorf("a second session was announced: %+v", all)
	}
	bob.must(rooms.Leave{})
	if all := broadcasts[rooms.MemberChanged](bob); len(all) != 0 {
		t.Errorf("the first session's leaving was announced: %+v", all)
	}
	if got := alice.nicks(); got != "alice bob" {
		t.Errorf("inside: %s", got)
	}
	second.must(rooms.Disconnect{})
	if all := broadcasts[rooms.MemberChanged](second); len(all) != 1 || all[0].What != rooms.MemberLeft {
		t.Errorf("the last session's leaving: %+v", all)
	}
	if got := alice.nicks(); got != "alice" {
		t.Errorf("inside: %s", got)
	}
}

func TestLeave(t *testing.T) {
	h := newHost(t)
	alice := h.connect("alice")
	says(t, alice.refused(rooms.NotInRoom, rooms.Leave{}), "you are in no room; /list shows the rooms, /join ID enters one")
	dev := alice.create(rooms.Create{Room: "dev"})
	alice.must(rooms.Leave{})
	alice.is("")
	alice.refused(rooms.NotInRoom, rooms.Leave{})
	alice.refused(rooms.NotInRoom, rooms.Who{})
	enters(dev, alice)
	if e := alice.must(rooms.Join{Room: "dev"}).(rooms.Entered); e.Role != rooms.Operator {
		t.Errorf("back as %v: the role goes with the key", e.Role)
	}
}

func TestWho(t *testing.T) {
	h := newHost(t)
	all := h.connectAll("zoe", "Bob", "alice", "owner")
	enters(all[0].create(rooms.Create{Room: "dev"}), all[1:]...)
	all[0].must(rooms.Mute{Nick: "bob", Muted: true})
	want := rooms.Roster{Room: "dev", Members: []rooms.Member{
		{Peer: "peer-alice", Nick: "alice"},
		{Peer: "peer-Bob", Nick: "Bob", Muted: true},
		{Peer: owner, Nick: "owner", Role: rooms.Owner},
		{Peer: "peer-zoe", Nick: "zoe", Role: rooms.Operator},
	}}
	if got := all[2].must(rooms.Who{}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestList(t *testing.T) {
	h := newHost(t)
	alice := h.connect("alice")
	if got := alice.listed(""); got != "" {
		t.Errorf("an empty host lists %s", got)
	}
	for _, room := range []string{"zeta", "Dev", "dev-ops", "go.dev", "запад"} {
		alice.create(rooms.Create{Room: room})
	}
	alice.create(rooms.Create{Room: "dev-secret", Private: true})
	for _, tt := range []struct{ pattern, want string }{
		{"", "Dev dev-ops go.dev zeta запад"},
		{"  ", "Dev dev-ops go.dev zeta запад"},
		{"dev", "Dev dev-ops go.dev"},
		{"DEV", "Dev dev-ops go.dev"},
		{"dev*", "Dev dev-ops"},
		{"*dev", "Dev go.dev"},
		{"d*s", "dev-ops"},
		{"ЗАП", "запад"},
		{"*", "Dev dev-ops go.dev zeta запад"},
		{"?ev", ""},
		{"[d]ev", ""},
		{`\*`, ""},
		{`d\ev`, ""},
		{"secret", ""},
		{"~", ""},
		{strings.Repeat("*a", 200), ""},
	} {
		if got := alice.listed(tt.pattern); got != tt.want {
			t.Errorf("/list %s: %s, want %s", tt.pattern, got, tt.want)
		}
	}
	want := rooms.Listing{Rooms: []rooms.RoomInfo{{Room: "zeta"}}}
	if got := alice.must(rooms.List{Pattern: "zeta"}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCreateAtStart(t *testing.T) {
	h := newHost(t)
	open := func(name string) rooms.Decision {
		t.Helper()
		d, refusal := h.reg.CreateAtStart(h.env(), name)
		if refusal != nil {
			t.Fatal(refusal)
		}
		for _, c := range d.Changes {
			h.reg.Apply(c)
		}
		return d
	}
	if d := open("lobby"); len(d.Changes) != 1 {
		t.Errorf("changes: %+v", d.Changes)
	}
	if d := open("LOBBY"); len(d.Changes) != 0 {
		t.Errorf("a second start: %+v", d.Changes)
	}
	bob := h.connect("bob")
	enters("lobby", bob)
	bob.refused(rooms.Denied, rooms.Close{})
	h.connect("owner").must(rooms.Close{Room: "lobby"})
	if _, refusal := h.reg.CreateAtStart(h.env(), "two words"); refusal == nil || refusal.Code != rooms.BadName {
		t.Errorf("a bad name: %v", refusal)
	}
}
