package ui

import "p2pchat/rooms"

// commands returns the slash commands in the order of the help.
func commands() []*entry { return table }

// table is constant after the start of the program. It is filled by a function
// because /help, a row of it, reads it.
var table = append(append(forEverybody(), forOperators()...), hereOnly()...)

func forEverybody() []*entry {
	return []*entry{
		{
			name: "list", args: "[PATTERN]", example: "/list dev*",
			help: "Show the public rooms.", build: buildList,
		},
		{
			name: "create", args: "ID [--limit N] [--private] [--topic T] [--no-history]", example: "/create dev --limit 10 --topic \"what we build\"",
			help: "Make a room and enter it.", build: buildCreate,
		},
		{
			name: "join", args: "ID|INVITE", example: "/join dev", word: offerRooms,
			help: "Enter a room, by its name or by an invite.", build: buildJoin,
		},
		{
			name: "leave", aliases: []string{"part"}, example: "/leave",
			help: "Leave the room.", build: bare(rooms.Leave{}),
		},
		{
			name: "who", aliases: []string{"names"}, example: "/who",
			help: "Show who is in the room.", build: bare(rooms.Who{}),
		},
		{
			name: "nick", args: "NAME", example: "/nick bob",
			help: "Take another name.", build: buildNick,
		},
		{
			name: "me", args: "TEXT", example: "/me waves",
			help: "Say what you do.", build: buildMe,
		},
		{
			name: "msg", args: "NICK TEXT", example: "/msg bob see you at eight", word: offerNicks,
			help: "Whisper to one member of the room.", build: buildMsg,
		},
		{
			name: "topic", args: "[TEXT]", example: "/topic what we build",
			help: "Show the room's topic, or set it (\"\" for none).", build: buildTopic, local: hands.showTopic,
		},
		{
			name: "history", args: "[N|1h]", example: "/history 50",
			help: "Show the last messages again, by number or by age.", build: buildHistory,
		},
		{
			name: "whois", args: "NICK", example: "/whois bob", word: offerNicks,
			help: "Show who somebody is.", build: buildWhois,
		},
		{
			name: "ping", example: "/ping",
			help: "Measure the way to the host and back.", build: bare(rooms.Ping{}),
		},
	}
}

func forOperators() []*entry {
	return []*entry{
		{
			name: "limit", args: "N", example: "/limit 10", who: operators,
			help: "Set how many members the room takes; 0 for no limit of its own.", build: buildLimit,
		},
		{
			name: "invite", args: "[--uses N] [--expires 24h] [--qr]", example: "/invite --uses 5 --expires 7d", who: operators,
			help: "Make an invite to the room.", build: buildInvite,
		},
		{
			name: "invites", args: "[ROOM]", example: "/invites", who: operators,
			help: "Show the invites that still work.", build: buildInvites,
		},
		{
			name: "revoke", args: "ID", example: "/revoke k7f2", who: operators,
			help: "End an invite.", build: buildRevoke, done: doneRevoke,
		},
		{
			name: "kick", args: "NICK [REASON]", example: "/kick bob too loud", who: operators, word: offerNicks,
			help: "Put a member out of the room.", build: buildKick,
		},
		{
			name: "ban", args: "NICK [DURATION] [REASON]", example: "/ban bob 24h too loud", who: operators, word: offerNicks,
			help: "Put a member out and keep it out.", build: buildBan, done: doneBan,
		},
		{
			name: "unban", args: "NICK|PEER", example: "/unban bob", who: operators,
			help: "Let a banned member come back.", build: buildUnban, done: doneUnban,
		},
		{
			name: "bans", example: "/bans", who: operators,
			help: "Show who is banned.", build: bare(rooms.Bans{}),
		},
		{
			name: "mute", args: "NICK", example: "/mute bob", who: operators, word: offerNicks,
			help: "Keep a member from speaking.", build: buildMute(true),
		},
		{
			name: "unmute", args: "NICK", example: "/unmute bob", who: operators, word: offerNicks,
			help: "Let a muted member speak again.", build: buildMute(false),
		},
		{
			name: "op", args: "NICK", example: "/op bob", who: operators, word: offerNicks,
			help: "Make a member an operator of the room.", build: buildOp(true),
		},
		{
			name: "deop", args: "NICK", example: "/deop bob", who: operators, word: offerNicks,
			help: "Make an operator a plain member again.", build: buildOp(false),
		},
		{
			name: "close", args: "[ROOM]", example: "/close", who: operators, word: offerRooms,
			help: "End a room; its history stays on the host's disk.", build: buildClose, done: doneClose,
		},
	}
}

func hereOnly() []*entry {
	return []*entry{
		{
			name: "ignore", args: "[NICK]", example: "/ignore bob", word: offerNicks,
			help: "Hide what somebody says, or show who is hidden.", local: hands.ignore,
		},
		{
			name: "unignore", args: "NICK", example: "/unignore bob",
			help: "Show somebody's lines again.", local: hands.unignore,
		},
		{
			name: "status", example: "/status",
			help: "Show where you are and how you are connected.", local: hands.state,
		},
		{
			name: "clear", example: "/clear",
			help: "Empty the screen.", local: hands.clear,
		},
		{
			name: "help", args: "[COMMAND]", example: "/help create", word: offerCommands,
			help: "Explain the commands, or one of them.", local: hands.help,
		},
		{
			name: "quit", aliases: []string{"exit"}, example: "/quit",
			help: "Leave the room and the host.", local: hands.quit,
		},
	}
}
