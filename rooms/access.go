package rooms

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// hashSecret is what the host keeps of an invite's secret.
func hashSecret(secret [16]byte) (id string, hash []byte) {
	sum := sha256.Sum256(secret[:])
	return hex.EncodeToString(sum[:8]), sum[:]
}

// redeem finds the room that an invite opens to the member; where one is named, it has to
// be that. Everything that can be wrong with an invite has one answer and costs the same
// work.
func (a asking) redeem(c Capability, named RoomID) (*roomState, []Change, *Refusal) {
	id, hash := hashSecret(c.Secret)
	inv := a.invites[id]
	known := make([]byte, sha256.Size)
	if inv != nil {
		known = inv.hash
	}
	if subtle.ConstantTimeCompare(known, hash) != 1 || inv.room != c.Room {
		return nil, nil, inviteInvalid()
	}
	room, peer := a.rooms[inv.room], a.session.peer
	if !inv.redeemed[peer] && !inv.live(a.env.Now) {
		return nil, nil, inviteInvalid()
	}
	if named != "" && !room.isCalled(named) {
		return nil, nil, Refuse(NoSuchRoom, "name no room to enter that of the invite", "there is no room %q, and the invite is to another", named)
	}
	if inv.redeemed[peer] || room.private && a.mayEnter(room) {
		return room, nil, nil // nothing to gain by using it up
	}
	if refusal := a.room(room); refusal != nil {
		return nil, nil, refusal
	}
	if _, ok := a.banned(room); ok {
		return room, nil, nil // join tells the ban, and the invite stays unused
	}
	return room, []Change{{Kind: InviteUsed, Time: unixMilli(a.env.Now), Room: room.key, ID: id, Peer: peer}}, nil
}

func inviteInvalid() *Refusal {
	return Refuse(InviteInvalid, "ask for a new one", "this invite is not valid")
}

func (i *invite) live(now time.Time) bool {
	return i.Uses < i.MaxUses && (i.Expires.IsZero() || now.Before(i.Expires))
}

// mine finds the room that a command is about: the one named, or the one the
// member is in; the member has to be an operator there.
func (a asking) mine(name string) (*roomState, *Refusal) {
	room := a.session.room
	if name != "" {
		id, refusal := a.limits.ParseRoomID(name)
		if refusal != nil {
			return nil, refusal
		}
		room = a.rooms[a.byName[id.fold()]]
		if room == nil || room.private && !a.mayEnter(room) {
			return nil, noSuchRoom(id)
		}
	}
	if room == nil {
		return nil, notInRoom()
	}
	if a.roleIn(room, a.session.peer) < Operator {
		return nil, Refuse(Denied, "ask one: /who shows them", "only an operator of room %q may do that", room.id)
	}
	if b, ok := a.banned(room); ok {
		return nil, b.refusal(fmt.Sprintf("room %q", room.id))
	}
	return room, nil
}

func (a asking) invite(c Invite) (Decision, *Refusal) {
	room, refusal := a.mine(c.Room)
	if refusal != nil {
		return Decision{}, refusal
	}
	uses, life, refusal := a.inviteTerms(c)
	if refusal != nil {
		return Decision{}, refusal
	}
	if n := len(a.liveInvites(room)); a.limits.RoomInvites > 0 && n >= a.limits.RoomInvites {
		return Decision{}, Refuse(Quota, "/invites shows them, /revoke ID ends one", "room %q has %d live invites and takes no more", room.id, n)
	}
	var secret [16]byte
	read(a.env.Random, secret[:])
	id, hash := hashSecret(secret)
	change := Change{
		Kind: InviteMade, Time: unixMilli(a.env.Now), Room: room.key, ID: id, Hash: hash,
		Peer: a.session.peer, By: a.session.nick, N: int64(uses),
	}
	info := InviteInfo{ID: id, Room: room.id, By: a.session.nick, MaxUses: uses}
	if life > 0 {
		info.Expires = a.env.Now.Add(life).UTC().Truncate(time.Millisecond)
		change.Expires = unixMilli(info.Expires)
	}
	return Decision{
		Answer:  Invited{Invite: info, Capability: Capability{Room: room.key, Secret: secret}},
		Changes: []Change{change},
	}, nil
}

func (a asking) inviteTerms(c Invite) (uses int, life time.Duration, refusal *Refusal) {
	uses, life = c.Uses, c.Life
	if uses == 0 {
		uses = DefaultInviteUses
	}
	if life == 0 {
		life = DefaultInviteLife
	}
	if uses < 0 || a.limits.InviteUses > 0 && uses > a.limits.InviteUses {
		return 0, 0, Refuse(BadRequest, "", "an invite has 1 to %d uses", a.limits.InviteUses)
	}
	if a.limits.InviteLife > 0 && life > a.limits.InviteLife {
		return 0, 0, Refuse(BadRequest, "say never for one that doesn't expire", "an invite lives for at most %d days", a.limits.InviteLife/(24*time.Hour))
	}
	return uses, life, nil
}

// liveInvites lists the invites of a room, or with nil of all rooms, oldest first.
func (a asking) liveInvites(room *roomState) []InviteInfo {
	var live []*invite
	for _, inv := range a.invites {
		if (room == nil || inv.room == room.key) && inv.live(a.env.Now) {
			live = append(live, inv)
		}
	}
	slices.SortFunc(live, func(x, y *invite) int {
		if c := x.made.Compare(y.made); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	infos := make([]InviteInfo, 0, len(live))
	for _, inv := range live {
		infos = append(infos, inv.InviteInfo)
	}
	return infos
}

func (a asking) listInvites(c Invites) (Decision, *Refusal) {
	if c.Room == "" && a.session.room == nil && a.session.peer == a.owner {
		return Decision{Answer: InviteList{a.liveInvites(nil)}}, nil
	}
	room, refusal := a.mine(c.Room)
	if refusal != nil {
		return Decision{}, refusal
	}
	return Decision{Answer: InviteList{a.liveInvites(room)}}, nil
}

// revoke ends an invite, named by its identifier or the beginning of it.
func (a asking) revoke(c Revoke) (Decision, *Refusal) {
	var found []*invite
	for id, inv := range a.invites {
		if c.ID != "" && strings.HasPrefix(id, strings.ToLower(c.ID)) && a.mayRevoke(a.rooms[inv.room]) {
			found = append(found, inv)
		}
	}
	if len(found) != 1 {
		return Decision{}, Refuse(InviteInvalid, "/invites shows them", "there is no such invite to revoke")
	}
	return Decision{
		Answer:  Done{},
		Changes: []Change{{Kind: InviteRevoked, Time: unixMilli(a.env.Now), ID: found[0].ID}},
	}, nil
}

func (a asking) mayRevoke(room *roomState) bool {
	_, banned := a.banned(room)
	return !banned && a.roleIn(room, a.session.peer) >= Operator
}

// banned finds the ban that keeps the member out of a room.
func (a asking) banned(room *roomState) (ban, bool) {
	b, ok := room.bans[a.session.peer]
	return b, ok && b.holds(a.env.Now)
}

func (b ban) holds(now time.Time) bool {
	return b.info.Expires.IsZero() || now.Before(b.info.Expires)
}

func (b ban) refusal(where string) *Refusal {
	until, why := "", ""
	if !b.info.Expires.IsZero() {
		until = " until " + b.info.Expires.Format("2006-01-02 15:04 UTC")
	}
	if b.info.Reason != "" {
		why = ": " + b.info.Reason
	}
	return Refuse(Banned, "ask its operators to /unban you", "you are banned from %s%s%s", where, until, why)
}
