package ui

import (
	"slices"

	"p2pchat/rooms"
)

// commands returns the slash commands in the order of the help.
func commands() []*entry { return table }

// table is constant after the start of the program. It is filled by a function
// because /help, a row of it, reads it.
var table = slices.Concat(forRooms(), forTalking(), forFiles(), forOperators(), forModeration(), hereOnly())

func forRooms() []*entry {
	return []*entry{
		{
			name: "list", args: "[PATTERN]", example: "/list dev*",
			help: "Show the public rooms.", build: buildList,
		},
		{
			name: "create", args: "ID [--limit N] [--private] [--topic T] [--no-history]", example: "/create dev --limit 10 --topic \"what we build\"",
			help: "Make a room and enter it.", build: buildCreate,
			more: []string{
				"--limit N: it takes N members; without it, as many as the host allows.",
				"--private: it is in no list and opens to an invite only; its ID gets a random suffix.",
				"--topic T: what it is about; more words in quotes.",
				"--no-history: what is said reaches who is there and is not kept.",
				"Without these it is public, and its history is kept. Who makes it is its operator.",
			},
		},
		{
			name: "join", args: "ID|INVITE", example: "/join dev", word: offerRooms,
			help: "Enter a room, by its ID or by an invite.", build: buildJoin,
			more: []string{"The number of a room in the last /list works, too. You leave the room you are in."},
		},
		{
			name: "leave", aliases: []string{"part"}, example: "/leave",
			help: "Leave the room.", build: bare(rooms.Leave{}),
		},
		{
			name: "who", aliases: []string{"names"}, example: "/who",
			help: "Show who is in the room.", build: bare(rooms.Who{}),
		},
	}
}

func forTalking() []*entry {
	return []*entry{
		{
			name: "nick", args: "NAME", example: "/nick bob",
			help: "Take another name.", build: buildNick,
		},
		{
			name: "me", args: "TEXT", example: "/me waves", lines: true,
			help: "Say what you do.", build: buildMe,
		},
		{
			name: "msg", args: "NICK TEXT", example: "/msg bob see you at eight", word: offerNicks, lines: true,
			help: "Whisper to one member, in this room or another.", build: buildMsg,
			more: []string{"Only the two of you see it, and it is not kept. The host could read it."},
		},
		{
			name: "away", args: "[TEXT]", example: "/away lunch",
			help: "Say that you are away, and why.", build: buildAway, done: doneAway,
			more: []string{"Your room is told once, who whispers to you is told, too. /back ends it, and so does saying something."},
		},
		{
			name: "back", example: "/back",
			help: "Say that you are back.", build: bare(rooms.Away{}), done: doneAway,
		},
		{
			name: "topic", args: "[TEXT]", example: "/topic what we build",
			help: "Show the room's topic, or set it (\"\" for none).", build: buildTopic, local: hands.showTopic,
		},
		{
			name: "history", args: "[N|1h]", example: "/history 50",
			help: "Show the last messages again, by number or by age.", build: buildHistory,
			more: []string{"Without a number or an age, the last 20."},
		},
		{
			name: "search", args: "[--before N] TEXT", example: "/search low tide",
			help: "Show the messages that contain a text.", build: buildSearch,
			more: []string{
				"The newest ones, each with its number; upper and lower case are the same. Files are found by their names, too.",
				"--before N: only those before message N, to go on with older ones.",
			},
		},
		{
			name: "redact", args: "[N]", example: "/redact 120",
			help: "Take the text of a message out of the history, for good.", build: buildRedact,
			more: []string{
				"N is its number, which /search shows; without it, your own last message.",
				"Operators may redact what others said. Who has read it has read it.",
			},
		},
		{
			name: "whois", args: "NICK", example: "/whois bob", word: offerNicks,
			help: "Show who somebody is.", build: buildWhois,
		},
		{
			name: "verify", args: "[NICK [yes|no]]", example: "/verify bob", word: offerNicks,
			help: "Compare keys with somebody, in words, or show who is verified.", local: hands.verify,
			more: []string{
				"It shows the words of both keys. Read them to each other by phone or face to face.",
				"yes: they were the same; it is noted on this machine, and /who shows a ✓. no: take that back.",
			},
		},
		{
			name: "ping", example: "/ping",
			help: "Measure the way to the host and back.", build: bare(rooms.Ping{}),
		},
	}
}

func forFiles() []*entry {
	return []*entry{
		{
			name: "send", args: "PATH [CAPTION]", example: "/send ~/cat.png look at this", word: offerPaths, lines: true,
			help: "Share a file with the room.", local: hands.sendFiles,
			more: []string{
				"Drag it into the terminal behind /send, or complete the path with Tab; several paths share several files. One with blanks stands in quotes.",
				"Pictures and films lose what the camera noted, such as the place; --keep-metadata leaves it in.",
				"Cut off by the network or the host, it goes on by itself; after you quit, sent again, from where it was.",
			},
		},
		{
			name: "files", args: "[--before N]", example: "/files",
			help: "Show the files of the room.", build: buildFiles,
			more: []string{"The newest ones, each with its number for /open, /save and /redact: that of its message. --before N: those before that one."},
		},
		{
			name: "open", args: "N", example: "/open 1",
			help: "Fetch a file and show it in the system's viewer.", local: hands.openFile,
			more: []string{"What could run on this machine is not opened."},
		},
		{
			name: "save", args: "N [PATH]", example: "/save 1 ~/Pictures/", second: offerPaths,
			help: "Fetch a file and keep it.", local: hands.saveFile,
			more: []string{"Without PATH it goes to Downloads/p2pchat in your home directory. Nothing is overwritten."},
		},
		{
			name: "cancel", args: "[N]", example: "/cancel 2",
			help: "Stop a file on its way.", local: hands.cancelFile,
			more: []string{"The only one, or the one with the number N: that of the status row, or of the file."},
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
			name: "retention", args: "[30d] [100MiB] [5000] | all", example: "/retention 30d", who: operators,
			help: "Show how much of its history the room keeps, or set it.", build: buildRetention, local: hands.showRetention,
			more: []string{
				"By age, by size on the host's disk, by number of messages, or by several of these;",
				"the host removes what is over one of them in pieces, so up to an eighth more may stay.",
				"all: everything is kept, which is how a room begins.",
			},
		},
		{
			name: "invite", args: "[--uses N] [--expires 24h] [--qr]", example: "/invite --uses 5 --expires 7d", who: operators,
			help: "Make an invite to the room.", build: buildInvite,
			more: []string{
				"--uses N: how many may enter with it, 1 to 100; without it 1.",
				"--expires TIME: how long it works, such as 30m, 24h, 7d, or never; without it 24h.",
				"--qr: show it as a QR code, too.",
			},
		},
		{
			name: "invites", args: "[ID]", example: "/invites", who: operators,
			help: "Show the invites that still work.", build: buildInvites,
			more: []string{"The host's owner outside of any room sees those of all rooms."},
		},
		{
			name: "revoke", args: "ID", example: "/revoke 20cb61a7df190e32", who: operators,
			help: "End an invite.", build: buildRevoke, done: doneRevoke,
		},
	}
}

func forModeration() []*entry {
	return []*entry{
		{
			name: "kick", args: "NICK [REASON]", example: "/kick bob too loud", who: operators, word: offerNicks,
			help: "Put a member out of the room.", build: buildKick,
		},
		{
			name: "ban", args: "NICK [DURATION] [REASON]", example: "/ban bob 24h too loud", who: operators, word: offerNicks,
			help: "Put a member out and keep it out.", build: buildBan, done: doneBan,
			more: []string{
				"DURATION: such as 10m, 24h or 7d; without it, for good.",
				"It holds for this room. The host's owner outside of any room bans from the whole host.",
			},
		},
		{
			name: "unban", args: "NICK|PEER", example: "/unban bob", who: operators,
			help: "Let a banned member come back.", build: buildUnban, done: doneUnban,
			more: []string{"It ends a ban from this room; for the host's owner outside of any room, from the whole host."},
		},
		{
			name: "bans", example: "/bans", who: operators,
			help: "Show who is banned.", build: bare(rooms.Bans{}),
			more: []string{"It shows the bans of this room; to the host's owner outside of any room, those of the whole host."},
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
			name: "close", args: "[ID]", example: "/close", who: operators, word: offerRooms,
			help: "End a room; its history stays on the host's disk.", build: buildClose, done: doneClose,
			more: []string{"Without an ID, the room you are in. Its members are put out, and its ID is free again."},
		},
	}
}

func hereOnly() []*entry {
	return []*entry{
		{
			name: "ignore", args: "[NICK]", example: "/ignore bob", word: offerNicks,
			help: "Hide what somebody says, or show who is hidden.", local: hands.ignore,
			more: []string{"It holds for the key, whatever its nick, on every host, until /unignore. Others see nothing of it."},
		},
		{
			name: "unignore", args: "NICK|PEER", example: "/unignore bob",
			help: "Show somebody's lines again.", local: hands.unignore,
		},
		{
			name: "bell", args: "[off|mention|all]", example: "/bell all",
			help: "Say when the bell rings, or show when it does.", local: hands.setBell,
			more: []string{"mention: when somebody names you or whispers to you. It rings once in five seconds at most."},
		},
		{
			name: "status", example: "/status",
			help: "Show where you are and how you are connected.", local: hands.state,
		},
		{
			name: "edit", args: "[TEXT]", example: "/edit", lines: true,
			help: "Write a message in your editor.", local: hands.edit,
			more: []string{"The editor is $VISUAL or $EDITOR. What you save comes back into the line; Enter says it."},
		},
		{
			name: "clear", example: "/clear",
			help: "Empty the screen.", local: hands.clear,
		},
		{
			name: "help", args: "[COMMAND|all|keys]", example: "/help create", word: offerCommands,
			help: "Name the commands, or explain one, all, or the keys.", local: hands.help,
		},
		{
			name: "quit", aliases: []string{"exit"}, args: "[REASON]", example: "/quit good night",
			help: "Leave the room and the host.", local: hands.quit,
		},
	}
}
