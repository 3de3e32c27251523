package rooms_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

// try is what a command at one side of a limit came to.
type try func(t *testing.T, h *host, n int) *rooms.Refusal

func refusalOf(g *guest, cmd rooms.Command) *rooms.Refusal {
	_, refusal := g.ask(cmd)
	return refusal
}

// TestLimits tries each limit one below, at and one above it.
func TestLimits(t *testing.T) {
	defaults := rooms.DefaultLimits()
	alone := func(cmd func(n int) rooms.Command) try {
		return func(_ *testing.T, h *host, n int) *rooms.Refusal { return refusalOf(h.connect("alice"), cmd(n)) }
	}
	inRoom := func(cmd func(n int) rooms.Command) try {
		return func(_ *testing.T, h *host, n int) *rooms.Refusal {
			alice := h.connect("alice")
			alice.create(rooms.Create{Room: "dev"})
			return refusalOf(alice, cmd(n))
		}
	}
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct {
		what  string
		limit int
		code  rooms.Code
		try   try
	}{
		{"RoomID", defaults.RoomID, rooms.BadName, alone(func(n int) rooms.Command { return rooms.Create{Room: x(n)} })},
		{"RoomID, private", defaults.RoomID, rooms.BadName, alone(func(n int) rooms.Command { return rooms.Create{Room: x(n), Private: true} })},
		{"Nick", defaults.Nick, rooms.BadName, alone(func(n int) rooms.Command { return rooms.Rename{Nick: x(n)} })},
		{"TopicBytes", defaults.TopicBytes, rooms.TooLong, alone(func(n int) rooms.Command { return rooms.Create{Room: "dev", Topic: x(n)} })},
		{"TopicBytes, later", defaults.TopicBytes, rooms.TooLong, inRoom(func(n int) rooms.Command { return rooms.Topic{Text: x(n)} })},
		{"AwayBytes", defaults.AwayBytes, rooms.TooLong, alone(func(n int) rooms.Command { return rooms.Away{Text: x(n)} })},
		{"TextBytes", defaults.TextBytes, rooms.TooLong, alone(func(n int) rooms.Command {
			return rooms.Whisper{Nick: "alice", Text: strings.Repeat("猫", 2700) + x(n-8100)}
		})},
		{"TextRunes", defaults.TextRunes, rooms.TooLong, alone(func(n int) rooms.Command { return rooms.Whisper{Nick: "alice", Text: x(n)} })},
		{"RoomMembers as a limit", defaults.RoomMembers, rooms.BadRequest, alone(func(n int) rooms.Command { return rooms.Create{Room: "dev", Limit: n} })},
		{"RoomMembers as a later limit", defaults.RoomMembers, rooms.BadRequest, inRoom(func(n int) rooms.Command { return rooms.SetLimit{Limit: n} })},
		{"InviteUses", defaults.InviteUses, rooms.BadRequest, inRoom(func(n int) rooms.Command { return rooms.Invite{Uses: n} })},
		{"InviteLife", int(defaults.InviteLife), rooms.BadRequest, inRoom(func(n int) rooms.Command { return rooms.Invite{Life: time.Duration(n)} })},
		{"Rooms", 3, rooms.Quota, manyRooms},
		{"RoomMembers", 3, rooms.RoomFull, manyMembers},
		{"Limit of a room", 2, rooms.RoomFull, manyMembers},
		{"HostMembers", 4, rooms.Busy, manyConnections},
		{"RoomInvites", 3, rooms.Quota, manyInvites},
	} {
		t.Run(tt.what, func(t *testing.T) {
			for n := tt.limit - 1; n <= tt.limit+1; n++ {
				h := newHost(t, func(l *rooms.Limits) {
					l.Rooms, l.RoomInvites, l.HostMembers = 3, 3, 4
					if tt.what == "RoomMembers" {
						l.RoomMembers = 3
					}
				})
				refusal := tt.try(t, h, n)
				switch {
				case n <= tt.limit && refusal != nil:
					t.Errorf("%d of %d: %v", n, tt.limit, refusal)
				case n > tt.limit && (refusal == nil || refusal.Code != tt.code):
					t.Errorf("%d of %d: %v, want %s", n, tt.limit, refusal, tt.code)
				}
			}
		})
	}
}

func manyRooms(_ *testing.T, h *host, n int) (last *rooms.Refusal) {
	alice := h.connect("alice")
	for i := range n {
		last = refusalOf(alice, rooms.Create{Room: "r" + strconv.Itoa(i), Private: i%2 == 1})
	}
	return last
}

func manyMembers(t *testing.T, h *host, n int) (last *rooms.Refusal) {
	alice := h.connect("alice")
	limit := 0
	if strings.Contains(t.Name(), "Limit_of") {
		limit = 2
	}
	alice.create(rooms.Create{Room: "dev", Limit: limit})
	for _, g := range h.connectAll([]string{"b", "c", "d"}[:n-1]...) {
		last = refusalOf(g, rooms.Join{Room: "dev"})
	}
	return last
}

func manyConnections(_ *testing.T, h *host, n int) (last *rooms.Refusal) {
	for i := range n {
		g := h.dial(strconv.Itoa(i))
		last = refusalOf(g, rooms.Connect{Peer: g.peer})
	}
	return last
}

func manyInvites(_ *testing.T, h *host, n int) (last *rooms.Refusal) {
	alice := h.connect("alice")
	alice.create(rooms.Create{Room: "dev"})
	for range n {
		last = refusalOf(alice, rooms.Invite{Uses: 2})
	}
	return last
}

func TestLimitSentences(t *testing.T) {
	h := newHost(t, func(l *rooms.Limits) { l.Rooms, l.RoomInvites, l.HostMembers = 1, 1, 2 })
	alice, bob := h.connect("alice"), h.connect("bob")
	alice.create(rooms.Create{Room: "dev"})
	alice.must(rooms.Invite{})
	carol := h.dial("carol")
	for _, tt := range []struct {
		g    *guest
		code rooms.Code
		cmd  rooms.Command
		want string
	}{
		{bob, rooms.RoomExists, rooms.Create{Room: "dev"}, `room "dev" exists already; /join dev enters it, or choose another name`},
		{bob, rooms.Quota, rooms.Create{Room: "b"}, "this host has 1 rooms and takes no more; join one of them, or ask its operator to /close one"},
		{alice, rooms.Quota, rooms.Invite{}, `room "dev" has 1 live invites and takes no more; /invites shows them, /revoke ID ends one`},
		{carol, rooms.Busy, rooms.Connect{Peer: carol.peer}, "this host is full (2 members); try again later"},
		{alice, rooms.BadRequest, rooms.Invite{Uses: 101}, "an invite has 1 to 100 uses"},
		{alice, rooms.BadRequest, rooms.Invite{Uses: -1}, "an invite has 1 to 100 uses"},
		{alice, rooms.BadRequest, rooms.Invite{Life: 31 * 24 * time.Hour}, "an invite lives for at most 30 days; say never for one that doesn't expire"},
		{alice, rooms.TooLong, rooms.Topic{Text: strings.Repeat("é", 151)}, "this topic has 302 bytes, 300 are allowed; make it shorter"},
	} {
		says(t, tt.g.refused(tt.code, tt.cmd), tt.want)
	}
	// A second connection of somebody who is here takes no seat.
	h.connect("bob")
	bob.must(rooms.Disconnect{})
	carol.refused(rooms.Busy, rooms.Connect{Peer: carol.peer})
}

// TestEndedInvitesAreFree: only live invites count.
func TestEndedInvitesAreFree(t *testing.T) {
	h := newHost(t, func(l *rooms.Limits) { l.RoomInvites = 1 })
	alice, bob := h.connect("alice"), h.connect("bob")
	alice.create(rooms.Create{Room: "dev"})
	alice.must(rooms.Invite{Life: time.Hour})
	h.wait(time.Hour)
	bob.must(rooms.Join{Invite: alice.invite(rooms.Invite{})})
	alice.must(rooms.Revoke{ID: alice.must(rooms.Invite{}).(rooms.Invited).Invite.ID})
	alice.must(rooms.Invite{})
}

// TestNoLimits: zero means no limit.
func TestNoLimits(t *testing.T) {
	h := newHost(t, func(l *rooms.Limits) { *l = rooms.Limits{RoomID: l.RoomID, Nick: l.Nick} })
	alice := h.connect("alice")
	for range 9 {
		h.connect("alice")
	}
	long := strings.Repeat("x", 100_000)
	alice.create(rooms.Create{Room: "dev", Limit: 1 << 30, Topic: long})
	alice.must(rooms.Topic{Text: long + long})
	alice.must(rooms.Whisper{Nick: "alice", Text: long})
	for range 300 {
		alice.must(rooms.Invite{Uses: 1 << 30, Life: 1 << 60})
	}
	alice.refused(rooms.BadRequest, rooms.Invite{Uses: -1})
	room := rooms.NewRoom(rooms.Limits{}, owner)
	room.Enter(1, rooms.Member{Peer: "peer-bob"})
	for range 100 {
		if _, _, refusal := room.Say(h.now, 1, rooms.Say{Kind: rooms.Text, Text: long}); refusal != nil {
			t.Fatal(refusal)
		}
	}
}
