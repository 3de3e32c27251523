package rooms_test

import (
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

// matrix says what becomes of a command that needs a right: by the room's type and
// by who asks. Owner, op and member are inside; away are the same three while they
// are in no room, and outsider has never been in.
const matrix = `
             public:                                                  private:
             owner op      member  outsider    away-owner away-op      owner op      member  outsider     away-owner away-op
topic        ok    ok      denied  not_in_room not_in_room not_in_room ok    ok      denied  not_in_room  not_in_room not_in_room
limit        ok    ok      denied  not_in_room not_in_room not_in_room ok    ok      denied  not_in_room  not_in_room not_in_room
retention    ok    ok      denied  not_in_room not_in_room not_in_room ok    ok      denied  not_in_room  not_in_room not_in_room
invite       ok    ok      denied  not_in_room not_in_room not_in_room ok    ok      denied  not_in_room  not_in_room not_in_room
invite-named ok    ok      denied  denied      ok          ok          ok    ok      denied  no_such_room ok          ok
invites      ok    ok      denied  not_in_room ok          not_in_room ok    ok      denied  not_in_room  ok          not_in_room
invites-named ok   ok      denied  denied      ok          ok          ok    ok      denied  no_such_room ok          ok
revoke       ok    ok      invite_invalid invite_invalid ok ok         ok    ok      invite_invalid invite_invalid ok ok
kick         ok    ok      denied  not_in_room not_in_room not_in_room ok    ok      denied  not_in_room  not_in_room not_in_room
kick-owner   bad_request denied  denied  not_in_room not_in_room not_in_room bad_request denied  denied  not_in_room  not_in_room not_in_room
ban          ok    ok      denied  not_in_room ok          not_in_room ok    ok      denied  not_in_room  ok          not_in_room
ban-owner    bad_request denied denied not_in_room bad_request not_in_room bad_request denied denied not_in_room bad_request not_in_room
unban        ok    ok      denied  not_in_room no_such_member not_in_room ok ok      denied  not_in_room  no_such_member not_in_room
bans         ok    ok      denied  not_in_room ok          not_in_room ok    ok      denied  not_in_room  ok          not_in_room
mute         ok    ok      denied  not_in_room not_in_room not_in_room ok    ok      denied  not_in_room  not_in_room not_in_room
unmute       ok    ok      denied  not_in_room not_in_room not_in_room ok    ok      denied  not_in_room  not_in_room not_in_room
mute-owner   ok    denied  denied  not_in_room not_in_room not_in_room ok    denied  denied  not_in_room  not_in_room not_in_room
op           ok    ok      denied  not_in_room not_in_room not_in_room ok    ok      denied  not_in_room  not_in_room not_in_room
deop         ok    ok      denied  not_in_room not_in_room not_in_room ok    ok      denied  not_in_room  not_in_room not_in_room
deop-owner   ok    denied  denied  not_in_room not_in_room not_in_room ok    denied  denied  not_in_room  not_in_room not_in_room
close        ok    ok      denied  not_in_room not_in_room not_in_room ok    ok      denied  not_in_room  not_in_room not_in_room
close-named  ok    ok      denied  denied      ok          ok          ok    ok      denied  no_such_room ok          ok
status       ok    denied  denied  denied      ok          denied      ok    denied  denied  denied       ok          denied
join         ok    ok      ok      ok          ok          ok          ok    ok      ok      no_such_room ok          ok
who          ok    ok      ok      not_in_room not_in_room not_in_room ok    ok      ok      not_in_room  not_in_room not_in_room
away         ok    ok      ok      ok          ok          ok          ok    ok      ok      ok           ok          ok
`

// stage is a room with somebody of every role.
type stage struct {
	*host
	room     rooms.RoomID
	inviteID string
	who      map[string]*guest
}

func newStage(t *testing.T, private bool) *stage {
	h := newHost(t)
	s := &stage{host: h, who: map[string]*guest{}}
	for _, name := range []string{"founder", "op", "away-op", "member", "victim", "culprit", "outsider", "owner"} {
		s.who[name] = h.connect(name)
	}
	founder := s.who["founder"]
	s.room = founder.create(rooms.Create{Room: "dev", Private: private})
	c := founder.invite(rooms.Invite{Uses: 10, Life: time.Hour})
	s.inviteID = founder.must(rooms.Invites{}).(rooms.InviteList).Invites[0].ID
	for _, name := range []string{"op", "away-op", "member", "victim", "culprit"} {
		s.who[name].must(rooms.Join{Invite: c})
	}
	enters(s.room, s.who["owner"])
	founder.must(rooms.Op{Nick: "op", Op: true})
	founder.must(rooms.Op{Nick: "away-op", Op: true})
	founder.must(rooms.Ban{Who: "culprit"})
	s.who["away-op"].must(rooms.Leave{})
	return s
}

func (s *stage) command(name string) rooms.Command {
	named := string(s.room)
	return map[string]rooms.Command{
		"topic":         rooms.Topic{Text: "new"},
		"limit":         rooms.SetLimit{Limit: 9},
		"retention":     rooms.SetRetention{Retention: rooms.Retention{Age: time.Hour}},
		"invite":        rooms.Invite{},
		"invite-named":  rooms.Invite{Room: named},
		"invites":       rooms.Invites{},
		"invites-named": rooms.Invites{Room: named},
		"revoke":        rooms.Revoke{ID: s.inviteID},
		"kick":          rooms.Kick{Nick: "victim"},
		"kick-owner":    rooms.Kick{Nick: "owner"},
		"ban":           rooms.Ban{Who: "victim"},
		"ban-owner":     rooms.Ban{Who: "owner"},
		"unban":         rooms.Unban{Who: "culprit"},
		"bans":          rooms.Bans{},
		"mute":          rooms.Mute{Nick: "victim", Muted: true},
		"unmute":        rooms.Mute{Nick: "victim"},
		"mute-owner":    rooms.Mute{Nick: "owner", Muted: true},
		"op":            rooms.Op{Nick: "victim", Op: true},
		"deop":          rooms.Op{Nick: "op"},
		"deop-owner":    rooms.Op{Nick: "owner"},
		"close":         rooms.Close{},
		"close-named":   rooms.Close{Room: named},
		"status":        rooms.Status{},
		"join":          rooms.Join{Room: named},
		"who":           rooms.Who{},
		"away":          rooms.Away{Text: "lunch"},
	}[name]
}

func TestMatrix(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(matrix), "\n")
	roles := strings.Fields(lines[1])
	cells := 0
	for _, line := range lines[2:] {
		fields := strings.Fields(line)
		if len(fields) != len(roles)+1 {
			t.Fatalf("%d columns: %s", len(fields), line)
		}
		for i, role := range roles {
			private := i >= len(roles)/2
			s := newStage(t, private)
			if role == "away-owner" {
				role = "owner"
				s.who[role].must(rooms.Leave{})
			}
			cmd := s.command(fields[0])
			got := "ok"
			if _, refusal := s.who[role].ask(cmd); refusal != nil {
				got = string(refusal.Code)
			}
			if got != fields[i+1] {
				t.Errorf("%s, %s, private %v: %s, want %s", fields[0], roles[i], private, got, fields[i+1])
			}
			cells++
		}
	}
	t.Logf("%d cells", cells)
}
