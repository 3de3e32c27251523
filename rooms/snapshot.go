package rooms

import (
	"slices"
	"strings"
	"time"
)

// Snapshot returns changes that, applied to an empty registry, make it equal to
// this one but for what has run out by now: expired bans and invites, nicks that
// are free again. The same registry gives the same list.
func (r *Registry) Snapshot(now time.Time) []Change {
	var all []Change
	for _, peer := range sortedKeys(r.nicks) {
		c := r.nicks[peer]
		if now.Sub(c.at) <= nickLife || len(r.online(peer)) > 0 {
			all = append(all, Change{Kind: NickClaimed, Time: unixMilli(c.at), Peer: peer, Name: c.nick})
		}
	}
	all = append(all, banChanges(RoomKey{}, r.hostBans, now)...)
	for _, o := range r.Ended() {
		all = append(all, Change{Kind: RoomCreated, Room: o.Key, Name: string(o.Room)}, Change{Kind: RoomEnded, Room: o.Key})
	}
	for _, o := range r.Rooms() {
		all = append(all, r.roomChanges(r.rooms[o.Key], now)...)
	}
	for _, id := range sortedKeys(r.invites) {
		inv := r.invites[id]
		if !inv.live(now) && len(inv.redeemed) == 0 {
			continue
		}
		all = append(all, Change{
			Kind: InviteMade, Time: unixMilli(inv.made), Room: inv.room, ID: id, Hash: inv.hash,
			By: inv.By, N: int64(inv.MaxUses), Expires: unixMilli(inv.Expires),
		})
		for _, peer := range sortedKeys(inv.redeemed) {
			all = append(all, Change{Kind: InviteUsed, Room: inv.room, ID: id, Peer: peer})
		}
	}
	return all
}

func (r *Registry) roomChanges(room *roomState, now time.Time) []Change {
	var flags uint32
	if room.private {
		flags |= FlagPrivate
	}
	if room.noHistory {
		flags |= FlagNoHistory
	}
	all := []Change{{
		Kind: RoomCreated, Room: room.key, Name: string(room.id), N: int64(room.limit), Text: room.topic, Flags: flags,
	}}
	if r := room.retention; r != (Retention{}) {
		all = append(all, r.change(room.key))
	}
	for _, peer := range sortedKeys(room.ops) {
		all = append(all, Change{Kind: RoleSet, Room: room.key, Peer: peer, N: 1})
	}
	for _, peer := range sortedKeys(room.muted) {
		all = append(all, Change{Kind: MuteSet, Room: room.key, Peer: peer, N: 1})
	}
	for _, peer := range sortedKeys(room.admitted) {
		all = append(all, Change{Kind: Admitted, Room: room.key, Peer: peer})
	}
	return append(all, banChanges(room.key, room.bans, now)...)
}

func banChanges(room RoomKey, bans map[PeerID]ban, now time.Time) []Change {
	var all []Change
	for _, peer := range sortedKeys(bans) {
		b := bans[peer]
		if b.holds(now) {
			all = append(all, Change{
				Kind: BanSet, Time: unixMilli(b.at), Room: room, Peer: peer, Name: b.info.Nick, By: b.info.By,
				Text: b.info.Reason, Expires: unixMilli(b.info.Expires),
			})
		}
	}
	return all
}

func sortedKeys[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b K) int { return strings.Compare(string(a), string(b)) })
	return keys
}
