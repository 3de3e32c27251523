package rooms

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"
	"time"
)

// Env is what a decision needs from outside.
type Env struct {
	Now    time.Time
	Random io.Reader // for identifiers and secrets; must not fail
}

// Registry is what is true about a host: its rooms, who is where, nicks, roles,
// bans and invites. One goroutine owns it.
type Registry struct {
	limits Limits
	owner  PeerID

	rooms    map[RoomKey]*roomState
	byName   map[string]RoomKey
	ended    map[RoomKey]RoomID // rooms that were closed and whose history stays
	nicks    map[PeerID]claim
	nickKeys map[string]PeerID
	hostBans map[PeerID]ban
	invites  map[string]*invite
	sessions map[SessionID]*session
	absences map[PeerID]absence // by whom is away, also while its connection is lost
}

// roomState is a room as the registry knows it.
type roomState struct {
	key       RoomKey
	id        RoomID
	topic     string
	limit     int
	private   bool
	noHistory bool
	retention Retention
	ops       map[PeerID]bool
	muted     map[PeerID]bool
	admitted  map[PeerID]bool
	bans      map[PeerID]ban
	present   map[PeerID]int // sessions inside
}

type claim struct {
	nick string
	at   time.Time
}

type ban struct {
	info BanInfo
	at   time.Time
}

type invite struct {
	InviteInfo
	room     RoomKey
	hash     []byte
	redeemed map[PeerID]bool
	made     time.Time
}

type session struct {
	peer     PeerID
	instance uint64
	since    time.Time
	nick     string
	room     *roomState
	path     string
}

// NewRegistry returns the registry of an empty host. owner is the member who may
// do everything: the host itself.
func NewRegistry(limits Limits, owner PeerID) *Registry {
	return &Registry{
		limits:   limits,
		owner:    owner,
		rooms:    map[RoomKey]*roomState{},
		byName:   map[string]RoomKey{},
		ended:    map[RoomKey]RoomID{},
		nicks:    map[PeerID]claim{},
		nickKeys: map[string]PeerID{},
		hostBans: map[PeerID]ban{},
		invites:  map[string]*invite{},
		sessions: map[SessionID]*session{},
		absences: map[PeerID]absence{},
	}
}

// Decision is what follows from a command: an answer, changes to be stored, and
// effects to be carried out once the changes are stored and applied. An Attach
// among the effects carries the answer instead.
type Decision struct {
	Answer  Event
	Changes []Change
	Effects []Effect
}

// Effect is something to be done outside of the registry. The set is closed.
type Effect interface{ effect() }

// The effects.
type (
	// Opened says that a room came to be.
	Opened struct {
		Key       RoomKey
		Room      RoomID
		NoHistory bool
		Retention Retention
	}
	// Ended says that a room is no more.
	Ended struct{ Key RoomKey }

	// Attach puts a session into a room: the room's history follows from After
	// (or from Recent messages back). Answer is to be completed with From and Head.
	Attach struct {
		Session SessionID
		Key     RoomKey
		Member  Member
		After   *Cursor
		Recent  int
		Answer  Entered
	}

	// Detach takes a session out of a room.
	Detach struct {
		Session SessionID
		Key     RoomKey
	}

	// Broadcast tells every session in a room.
	Broadcast struct {
		Key   RoomKey
		Event Event
	}

	// Tell tells one session.
	Tell struct {
		Session SessionID
		Event   Event
	}

	// Drop ends a session; Why is the last thing it is told, nil: nothing.
	Drop struct {
		Session SessionID
		Why     *Refusal
	}
)

func (Opened) effect()    {}
func (Ended) effect()     {}
func (Attach) effect()    {}
func (Detach) effect()    {}
func (Broadcast) effect() {}
func (Tell) effect()      {}
func (Drop) effect()      {}

// Connect is what a new session asks first. The host makes it from the session's
// hello; it does not come from the wire as it stands.
type Connect struct {
	Peer     PeerID
	Instance uint64 // a session of the same peer and instance is taken over
	Nick     string // wish; empty: the one it had, or a made-up one
	Fixed    bool   // refuse rather than vary the nick
	Path     string // how it is connected, for the host's owner
}

func (Connect) command() {}

// Disconnect is what follows when a session's connection is gone for good.
type Disconnect struct{}

func (Disconnect) command() {}

// Spoke is what follows when a member says something in its room: it is away no
// more. Nobody asked for it, so its answer is told to nobody.
type Spoke struct{}

func (Spoke) command() {}

// Decide says what follows from a command of a session. It changes nothing:
// store the decision's changes, call Commit, then carry out its effects.
func (r *Registry) Decide(env Env, who SessionID, cmd Command) (Decision, *Refusal) {
	if c, ok := cmd.(Connect); ok {
		return r.connect(env, who, c)
	}
	s, ok := r.sessions[who]
	if !ok {
		return Decision{}, Refuse(BadRequest, "", "this session has ended")
	}
	a := asking{Registry: r, env: env, id: who, session: s}
	switch c := cmd.(type) {
	case Disconnect:
		return a.disconnect()
	case List:
		return a.list(c)
	case Create:
		return a.create(c)
	case Join:
		return a.join(c)
	case Leave:
		return a.leave()
	case Who:
		return a.who()
	case Rename:
		return a.rename(c)
	case Away:
		return a.away(c)
	case Spoke:
		return Decision{Answer: Done{}, Effects: a.absent("", "spoke")}, nil
	case Whisper:
		return a.whisper(c)
	case Topic:
		return a.topic(c)
	case SetLimit:
		return a.setLimit(c)
	case SetRetention:
		return a.setRetention(c)
	case Invite:
		return a.invite(c)
	case Invites:
		return a.listInvites(c)
	case Revoke:
		return a.revoke(c)
	case Kick:
		return a.kick(c)
	case Ban:
		return a.ban(c)
	case Unban:
		return a.unban(c)
	case Bans:
		return a.listBans()
	case Mute:
		return a.mute(c)
	case Op:
		return a.op(c)
	case Whois:
		return a.whois(c)
	case Close:
		return a.close(c)
	case Status:
		return a.status()
	case Ping:
		return Decision{Answer: Done{}}, nil
	case Quit:
		return a.quit(c)
	}
	return Decision{}, Refuse(BadRequest, "", "the host doesn't know this command")
}

// asking is one command being decided: the registry, and who asks.
type asking struct {
	*Registry
	env     Env
	id      SessionID
	session *session
}

// Room returns the key of the room that a session is in.
func (r *Registry) Room(who SessionID) (RoomKey, bool) {
	if s, ok := r.sessions[who]; ok && s.room != nil {
		return s.room.key, true
	}
	return RoomKey{}, false
}

// Rooms returns an Opened for every room, by identifier: what has to be opened
// when a host starts.
func (r *Registry) Rooms() []Opened {
	var all []Opened
	for _, room := range r.rooms {
		all = append(all, Opened{Key: room.key, Room: room.id, NoHistory: room.noHistory, Retention: room.retention})
	}
	return sortRooms(all)
}

// Ended returns the rooms that were closed and whose history stays.
func (r *Registry) Ended() []Opened {
	var all []Opened
	for key, id := range r.ended {
		all = append(all, Opened{Key: key, Room: id})
	}
	return sortRooms(all)
}

func sortRooms(all []Opened) []Opened {
	slices.SortFunc(all, func(a, b Opened) int {
		return cmp.Or(strings.Compare(string(a.Room), string(b.Room)), bytes.Compare(a.Key[:], b.Key[:]))
	})
	return all
}

// Lookup finds a room by its identifier.
func (r *Registry) Lookup(id RoomID) (RoomKey, bool) {
	key, ok := r.byName[id.fold()]
	return key, ok
}

func (r *Registry) roleIn(room *roomState, peer PeerID) Role {
	switch {
	case peer == r.owner:
		return Owner
	case room != nil && room.ops[peer]:
		return Operator
	}
	return Plain
}

func (r *Registry) info(room *roomState) RoomInfo {
	return RoomInfo{
		Room: room.id, Members: len(room.present), Limit: room.limit,
		Topic: room.topic, Private: room.private, NoHistory: room.noHistory, Retention: room.retention,
	}
}

func (r *Registry) member(room *roomState, peer PeerID) Member {
	m := Member{Peer: peer, Nick: r.nicks[peer].nick, Role: r.roleIn(room, peer), Away: awayIn(room, peer, r.Away(peer))}
	if room != nil {
		m.Muted = room.muted[peer]
	}
	return m
}

// online returns the sessions of a member, oldest first.
func (r *Registry) online(peer PeerID) []SessionID {
	var ids []SessionID
	for id, s := range r.sessions {
		if s.peer == peer {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// inside returns the sessions of a member in a room, oldest first.
func (r *Registry) inside(room *roomState, peer PeerID) []SessionID {
	return slices.DeleteFunc(r.online(peer), func(id SessionID) bool { return r.sessions[id].room != room })
}

// byNick finds the member that goes by a nick, ignoring case.
func (r *Registry) byNick(nick string) (PeerID, bool) {
	peer, ok := r.nickKeys["f"+foldName(nick)]
	return peer, ok
}
