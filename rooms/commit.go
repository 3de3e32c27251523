package rooms

import "time"

// Commit makes a decision true. Its changes have been stored before.
func (r *Registry) Commit(who SessionID, env Env, cmd Command, d Decision) {
	for _, c := range d.Changes {
		r.Apply(c)
	}
	r.commitAbsence(who, cmd)
	if c, ok := cmd.(Connect); ok {
		r.admit(who, env, c)
	}
	for _, e := range d.Effects {
		switch e := e.(type) {
		case Attach:
			r.move(e.Session, r.rooms[e.Key])
		case Detach:
			r.move(e.Session, nil)
		case Drop:
			r.forget(e.Session)
		}
	}
	if _, ok := cmd.(Disconnect); ok {
		r.forget(who)
	}
}

// admit adds a session. It takes the place of one of the same instance.
func (r *Registry) admit(who SessionID, env Env, c Connect) {
	s := &session{peer: c.Peer, instance: c.Instance, since: env.Now, nick: r.nicks[c.Peer].nick, path: c.Path}
	r.sessions[who] = s
	if old, ok := r.twin(c); ok && old != who {
		room := r.sessions[old].room
		r.forget(old)
		r.move(who, room)
	}
}

// twin finds the session that a Connect takes over.
func (r *Registry) twin(c Connect) (SessionID, bool) {
	for _, id := range r.online(c.Peer) {
		if r.sessions[id].instance == c.Instance {
			return id, true
		}
	}
	return 0, false
}

func (r *Registry) forget(id SessionID) {
	r.move(id, nil)
	delete(r.sessions, id)
}

// move puts a session into a room, or with nil into none.
func (r *Registry) move(id SessionID, to *roomState) {
	s, ok := r.sessions[id]
	if !ok || s.room == to {
		return
	}
	if from := s.room; from != nil {
		if from.present[s.peer]--; from.present[s.peer] == 0 {
			delete(from.present, s.peer)
		}
	}
	s.room = to
	if to != nil {
		to.present[s.peer]++
	}
}

// Apply makes a stored change true. A host starts by applying all of them.
func (r *Registry) Apply(c Change) {
	room := r.rooms[c.Room]
	switch c.Kind {
	case RoomCreated:
		r.applyRoom(c)
		return
	case NickClaimed:
		r.applyNick(c)
		return
	case InviteRevoked:
		delete(r.invites, c.ID)
		return
	case BanSet, BanLifted:
		r.applyBan(c)
		return
	}
	if room == nil {
		return
	}
	switch c.Kind {
	case RoomEnded:
		r.applyEnd(room)
	case TopicSet:
		room.topic = c.Text
	case LimitSet:
		room.limit = int(c.N)
	case RetentionSet:
		room.retention = Retention{Age: time.Duration(c.Age) * time.Millisecond, Bytes: c.Bytes, Messages: c.N}
	case RoleSet:
		set(room.ops, c.Peer, c.N != 0)
	case MuteSet:
		set(room.muted, c.Peer, c.N != 0)
	case InviteMade:
		r.invites[c.ID] = &invite{
			InviteInfo: InviteInfo{ID: c.ID, Room: room.id, By: c.By, MaxUses: int(c.N), Expires: unixTime(c.Expires)},
			room:       c.Room, hash: c.Hash, redeemed: map[PeerID]bool{}, made: unixTime(c.Time),
		}
	case InviteUsed:
		if inv := r.invites[c.ID]; inv != nil {
			inv.Uses++
			inv.redeemed[c.Peer] = true
		}
		room.admitted[c.Peer] = true
	case Admitted:
		room.admitted[c.Peer] = true
	}
}

func (r *Registry) applyRoom(c Change) {
	room := &roomState{
		key: c.Room, id: RoomID(c.Name), topic: c.Text, limit: int(c.N),
		private:   c.Flags&FlagPrivate != 0,
		noHistory: c.Flags&FlagNoHistory != 0,
		ops:       map[PeerID]bool{}, muted: map[PeerID]bool{},
		admitted: map[PeerID]bool{}, bans: map[PeerID]ban{}, present: map[PeerID]int{},
	}
	if c.Peer != "" {
		room.ops[c.Peer] = true
		room.admitted[c.Peer] = true
	}
	r.rooms[c.Room] = room
	r.byName[room.id.fold()] = c.Room
}

func (r *Registry) applyEnd(room *roomState) {
	delete(r.rooms, room.key)
	delete(r.byName, room.id.fold())
	if !room.noHistory {
		r.ended[room.key] = room.id
	}
	for id, inv := range r.invites {
		if inv.room == room.key {
			delete(r.invites, id)
		}
	}
	for _, s := range r.sessions {
		if s.room == room {
			s.room = nil
		}
	}
}

// applyNick gives a nick to a member; whoever lost it before, and the member's
// own former nick, are free again.
func (r *Registry) applyNick(c Change) {
	r.releaseNick(c.Peer)
	if c.Name == "" {
		return
	}
	for _, key := range nickKeys(c.Name) {
		if other, taken := r.nickKeys[key]; taken {
			r.releaseNick(other)
		}
	}
	for _, key := range nickKeys(c.Name) {
		r.nickKeys[key] = c.Peer
	}
	r.nicks[c.Peer] = claim{nick: c.Name, at: unixTime(c.Time)}
	for _, s := range r.sessions {
		if s.peer == c.Peer {
			s.nick = c.Name
		}
	}
}

func (r *Registry) releaseNick(peer PeerID) {
	for _, key := range nickKeys(r.nicks[peer].nick) {
		if r.nickKeys[key] == peer {
			delete(r.nickKeys, key)
		}
	}
	delete(r.nicks, peer)
}

func (r *Registry) applyBan(c Change) {
	bans := r.hostBans
	var id RoomID
	if c.Room != (RoomKey{}) {
		room := r.rooms[c.Room]
		if room == nil {
			return
		}
		bans, id = room.bans, room.id
	}
	if c.Kind == BanLifted {
		delete(bans, c.Peer)
		return
	}
	bans[c.Peer] = ban{
		info: BanInfo{Peer: c.Peer, Nick: c.Name, Room: id, By: c.By, Reason: c.Text, Expires: unixTime(c.Expires)},
		at:   unixTime(c.Time),
	}
}

func set(m map[PeerID]bool, peer PeerID, on bool) {
	if on {
		m[peer] = true
	} else {
		delete(m, peer)
	}
}

// unixTime turns stored milliseconds into a time; 0 is no time.
func unixTime(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// unixMilli is the inverse of unixTime.
func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
