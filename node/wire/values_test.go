package wire

import (
	"time"

	"p2pchat/rooms"
)

// One value of every kind, with every field set. Their frames are in testdata/v1
// and never change; the name is the field's in the oneof of wire.proto, with a
// variant behind a dash where a kind has several.

const (
	alice = rooms.PeerID("12D3KooWEyopopk1x5tqPSQQJQmQX4tGCsZeXTRVxJqbPjQqLPyo")
	bob   = rooms.PeerID("12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq")
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC)
	late = time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)

	pass = rooms.Capability{
		Room:   rooms.RoomKey{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		Secret: [16]byte{255, 254, 253, 252, 251, 250, 249, 248, 247, 246, 245, 244, 243, 242, 241, 240},
	}

	line = rooms.Message{
		Room: "lobby", Seq: 4711, Time: noon, Kind: rooms.Text,
		From:   rooms.Author{Peer: alice, Nick: "alice"},
		Text:   "The tide is out, so we walk to the island. Who comes along, and who brings the bread?",
		Origin: rooms.Origin{Client: 0x0123456789abcdef, Count: 42},
	}
	wave  = rooms.Message{Room: "dév", Seq: 1, Time: late, Kind: rooms.Action, From: rooms.Author{Peer: bob, Nick: "böb"}, Text: "waves\n\x00\x1b[31m"}
	photo = rooms.Message{
		Room: "lobby", Seq: 1 << 63, Time: noon, Kind: rooms.FileUp, From: rooms.Author{Peer: bob, Nick: "bob"}, Text: "look",
		File: &rooms.File{ID: "f-1", Name: "../../cat.png", Size: 256 << 20, MIME: "image/png"},
	}
	video = rooms.Message{
		Room: "lobby", Seq: 6, Time: noon, Kind: rooms.FileUp, From: line.From, Text: "low tide",
		File: &rooms.File{
			ID: "0123456789abcdef", Name: "tide.mp4", Size: 256 << 20, MIME: "video/mp4", Hash: rooms.Hash{0, 1, 2, 31: 255},
			Preview: []byte("\xff\xd8\xff\x00"), Width: 1920, Height: rooms.FilePixels, Duration: rooms.FileDuration,
		},
	}

	marked  = rooms.Message{Room: "lobby", Seq: 3, Time: noon, Kind: rooms.Text, From: line.From, Redacted: true, Mark: 1 << 63}
	removal = rooms.Message{Room: "lobby", Seq: 4, Time: noon, Kind: rooms.Redaction, From: line.From, Target: 3, Mark: 7}
	hole    = rooms.Message{Room: "lobby", Seq: 5, Time: noon, Kind: rooms.Lost}

	aliceHere = rooms.Member{Peer: alice, Nick: "alice", Role: rooms.Owner, Muted: true, Room: "lobby", Since: noon, Path: "punched"}
	bobHere   = rooms.Member{Peer: bob, Nick: "bob"}

	shortly = rooms.RoomInfo{Room: "brief", Retention: rooms.Retention{Age: 7 * 24 * time.Hour, Bytes: 1 << 40, Messages: 10_000}}

	lobby  = rooms.RoomInfo{Room: "lobby", Members: 2, Limit: 3, Topic: "low tide at six"}
	secret = rooms.RoomInfo{Room: "dev~abcdefgh", Members: 1<<31 - 1, Private: true, NoHistory: true}

	ticket = rooms.InviteInfo{ID: "i-1", Room: "lobby", By: "alice", Uses: 1, MaxUses: 100, Expires: noon}
	ban    = rooms.BanInfo{Peer: bob, Nick: "bob", Room: "lobby", By: "alice", Reason: "spam", Expires: noon}
)

var commandExamples = map[string]rooms.Command{
	"list":           rooms.List{Pattern: "de*"},
	"create":         rooms.Create{Room: "dev", Limit: 3, Private: true, Topic: "work", NoHistory: true},
	"join":           rooms.Join{Room: "dev", Recent: 50},
	"join-invite":    rooms.Join{Invite: pass},
	"join-after":     rooms.Join{Room: "dev", After: &rooms.Cursor{Epoch: 1 << 63, Seq: 4711}},
	"join-beginning": rooms.Join{Room: "dev", After: &rooms.Cursor{}},
	"join-marked":    rooms.Join{Room: "dev", After: &rooms.Cursor{Epoch: 1 << 63, Seq: 4711, Mark: 1<<64 - 1}},
	"leave":          rooms.Leave{},
	"who":            rooms.Who{},
	"rename":         rooms.Rename{Nick: "bob"},
	"say":            rooms.Say{Kind: rooms.Text, Text: "hello\nworld", Origin: rooms.Origin{Client: 1 << 63, Count: 1}},
	"say-action":     rooms.Say{Kind: rooms.Action, Text: "waves"},
	"say-file":       rooms.Say{Kind: rooms.FileUp, Text: "look", File: "0123456789abcdef", Origin: rooms.Origin{Client: 1, Count: 2}},
	"files":          rooms.Files{Before: 17, Limit: 256},
	"history":        rooms.History{After: 17, Since: noon, Last: true, Limit: 256},
	"search":         rooms.Search{Text: "tide", Before: 17, Limit: 256},
	"redact":         rooms.Redact{Seq: 17},
	"redact-own":     rooms.Redact{},
	"set_retention":  rooms.SetRetention{Retention: shortly.Retention},

	"set_retention-all": rooms.SetRetention{},

	"whisper":        rooms.Whisper{Nick: "bob", Text: "psst"},
	"topic":          rooms.Topic{Text: "low tide at six"},
	"set_limit":      rooms.SetLimit{Limit: 1<<31 - 1},
	"invite":         rooms.Invite{Room: "dev", Uses: 3, Life: 24 * time.Hour},
	"invite-forever": rooms.Invite{Life: -time.Millisecond},
	"invites":        rooms.Invites{Room: "dev"},
	"revoke":         rooms.Revoke{ID: "i-1"},
	"kick":           rooms.Kick{Nick: "bob", Reason: "spam"},
	"ban":            rooms.Ban{Who: string(bob), Life: time.Hour, Reason: "spam"},
	"unban":          rooms.Unban{Who: "bob"},
	"bans":           rooms.Bans{},
	"mute":           rooms.Mute{Nick: "bob", Muted: true},
	"op":             rooms.Op{Nick: "bob", Op: true},
	"whois":          rooms.Whois{Nick: "bob"},
	"close":          rooms.Close{Room: "dev"},
	"status":         rooms.Status{},
	"ping":           rooms.Ping{},
	"quit":           rooms.Quit{Reason: "good night"},
}

var eventExamples = map[string]rooms.Event{
	"posted":           rooms.Posted{Message: line},
	"posted-action":    rooms.Posted{Message: wave, Replayed: true},
	"posted-file":      rooms.Posted{Message: photo},
	"posted-video":     rooms.Posted{Message: video},
	"posted-redacted":  rooms.Posted{Message: marked},
	"posted-redaction": rooms.Posted{Message: removal},
	"posted-lost":      rooms.Posted{Message: hole},
	"said":             rooms.Said{Seq: 4711},
	"done":             rooms.Done{},
	"refusal":          &rooms.Refusal{Code: rooms.RateLimited, Message: "too fast", Hint: "wait", Retry: 1500 * time.Millisecond},
	"refusal-plain":    &rooms.Refusal{Code: "code_of_later_2"},
	"member_changed":   rooms.MemberChanged{Room: "lobby", What: rooms.MemberRenamed, Member: bobHere, Old: "rob", By: "alice", Reason: "rude"},
	"room_changed":     rooms.RoomChanged{What: rooms.RoomClosed, Room: lobby, Reason: "the end"},
	"whispered":        rooms.Whispered{From: line.From, To: rooms.Author{Nick: "bob"}, Text: "psst", Own: true},
	"whereabouts": rooms.Whereabouts{Addrs: []rooms.HostAddr{
		{Addr: "/ip4/203.0.113.9/tcp/4001", Path: "mapped"},
		{Addr: "/ip4/198.51.100.7/tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp/p2p-circuit", Path: "relayed"},
	}},
	"welcome":         rooms.Welcome{Peer: bob, Host: alice, Name: "island", Nick: "bob", Version: "1.0.0"},
	"notice":          rooms.Notice{Text: "the host restarts at noon"},
	"entered":         rooms.Entered{Room: lobby, From: rooms.Cursor{Epoch: 7, Seq: 4661}, Head: 4711, Role: rooms.Operator},
	"entered-marked":  rooms.Entered{Room: shortly, From: rooms.Cursor{Epoch: 7, Seq: 4661, Mark: 9}, Head: 4711, Diverged: true},
	"listing":         rooms.Listing{Rooms: []rooms.RoomInfo{lobby, secret}},
	"listing-empty":   rooms.Listing{},
	"roster":          rooms.Roster{Room: "lobby", Members: []rooms.Member{aliceHere, bobHere}},
	"page":            rooms.Page{Messages: []rooms.Message{line, wave, photo}},
	"page-empty":      rooms.Page{},
	"found":           rooms.Found{Messages: []rooms.Message{line, marked}, Next: 17},
	"found-none":      rooms.Found{},
	"shared":          rooms.Shared{Messages: []rooms.Message{photo, video}, Next: 6},
	"shared-none":     rooms.Shared{},
	"invited":         rooms.Invited{Invite: ticket, Capability: pass, Link: "p2pchat:abc"},
	"invited-no_pass": rooms.Invited{Invite: rooms.InviteInfo{ID: "i-2"}},
	"invite_list":     rooms.InviteList{Invites: []rooms.InviteInfo{ticket, {ID: "i-2"}}},
	"ban_list":        rooms.BanList{Bans: []rooms.BanInfo{ban, {Peer: bob}}},
	"member":          aliceHere,
	"host_status": rooms.HostStatus{
		Version: "1.0.0", Peer: alice, Name: "island", Started: noon, Target: "/ip4/192.0.2.1/tcp/4001/p2p/" + string(alice),
		Addrs: []string{"/ip4/192.0.2.1/tcp/4001", "/ip4/192.0.2.1/udp/4001/quic-v1"},
		Rooms: []rooms.RoomInfo{lobby, secret}, Members: []rooms.Member{aliceHere, bobHere}, Disk: 1 << 40,
	},
	"host_status-empty": rooms.HostStatus{},
}

var helloExamples = map[string]Hello{
	"hello": {
		Version: "1.0.0", Client: 1 << 63, Instance: 0x0123456789abcdef, Nick: "bob", NickFixed: true,
		Features: []string{"fanout", "signatures"},
	},
	"hello-least": {Instance: 1},
}

var fileRequestExamples = map[string]any{
	"put": Put{Room: "lobby", File: rooms.File{
		Name: "tide.mp4", Size: 256 << 20, MIME: "video/mp4", Hash: video.File.Hash, Preview: video.File.Preview, Width: 1, Height: 2, Duration: time.Second,
	}},
	"put-least":     Put{Room: "lobby", File: rooms.File{Hash: video.File.Hash}},
	"get":           Get{Room: "lobby", ID: "0123456789abcdef", Offset: 1 << 40},
	"get-beginning": Get{Room: "lobby", ID: "f-1"},
	"ack":           Ack{Offset: 1 << 62},
	"ack-nothing":   Ack{},
}

var fileAnswerExamples = map[string]any{
	"ready":       Ready{Offset: 1 << 20, Size: 256 << 20, Hash: video.File.Hash},
	"ready-empty": Ready{Hash: video.File.Hash},
	"ack":         Ack{Offset: 1},
	"stored":      Stored{ID: "0123456789abcdef"},
	"refusal":     eventExamples["refusal"],
}
