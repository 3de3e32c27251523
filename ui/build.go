package ui

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"p2pchat/rooms"
)

// recentHistory is how many messages /history shows when it is not told.
const recentHistory = 20

// bare builds a command that takes nothing.
func bare(cmd rooms.Command) func(parser, *arguments) (rooms.Command, *rooms.Refusal) {
	return func(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
		return cmd, a.none()
	}
}

// roomName takes off the "#" that a room is shown with.
func roomName(word string) string { return strings.TrimPrefix(word, "#") }

func buildList(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	pattern, no := a.optional()
	return rooms.List{Pattern: roomName(pattern)}, no
}

func buildCreate(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	var c rooms.Create
	words, no := a.flags(1, map[string]func(string) *rooms.Refusal{
		"limit": func(v string) (no *rooms.Refusal) { c.Limit, no = a.count(v); return no },
		"topic": func(v string) *rooms.Refusal { c.Topic = v; return nil },
	}, map[string]func(){
		"private":    func() { c.Private = true },
		"no-history": func() { c.NoHistory = true },
	})
	if no == nil && len(words) == 0 {
		no = a.usage("needs an ID for the room")
	}
	if no != nil {
		return nil, no
	}
	c.Room = roomName(words[0])
	return c, nil
}

func buildJoin(p parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	where, no := a.last()
	if no != nil {
		return nil, no
	}
	if !looksLikeInvite(where) {
		return rooms.Join{Room: roomName(where), Recent: p.recent}, nil
	}
	capability, no := p.capability(where)
	if no != nil {
		return nil, no
	}
	return rooms.Join{Invite: capability, Recent: p.recent}, nil
}

// looksLikeInvite tells an invite link from the name of a room.
func looksLikeInvite(s string) bool {
	scheme, rest, ok := strings.Cut(strings.ToLower(s), ":")
	return ok && (scheme == "p2pchat" || scheme == "https" && strings.HasPrefix(rest, "//"))
}

// capability reads an invite link.
func (p parser) capability(link string) (rooms.Capability, *rooms.Refusal) {
	capability, err := p.invite(link)
	if err == nil {
		return capability, nil
	}
	return rooms.Capability{}, asRefusal(err, rooms.InviteInvalid)
}

func buildNick(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	nick, no := a.last()
	return rooms.Rename{Nick: nick}, no
}

func buildMe(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	text := a.text()
	if text == "" {
		return nil, a.usage("needs what you do")
	}
	return rooms.Say{Kind: rooms.Action, Text: text}, nil
}

func buildMsg(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	nick, no := a.nick()
	if no != nil {
		return nil, no
	}
	text := a.text()
	if text == "" {
		return nil, a.usage("needs something to say")
	}
	return rooms.Whisper{Nick: nick, Text: text}, nil
}

func buildTopic(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	switch text := a.text(); text {
	case "":
		return nil, nil
	case `""`:
		return rooms.Topic{}, nil
	default:
		return rooms.Topic{Text: text}, nil
	}
}

func buildHistory(p parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	word, no := a.optional()
	if no != nil || word == "" {
		return rooms.History{Last: true, Limit: recentHistory}, no
	}
	if age, err := parseDuration(word); err == nil {
		return rooms.History{Since: p.now().Add(-age)}, nil
	}
	n, no := a.count(word)
	switch {
	case no != nil:
		no = a.usage("needs a number, or an age like 30m, 2h or 1d, not %q", word)
	case n == 0:
		no = a.usage("needs at least 1")
	}
	return rooms.History{Last: true, Limit: n}, no
}

func buildSearch(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	c := rooms.Search{Text: a.text(), Limit: recentHistory}
	if before := searchBefore.FindStringSubmatch(c.Text); before != nil {
		n, no := a.count(before[1] + before[4])
		if no != nil {
			return nil, no
		}
		c.Before, c.Text = rooms.Seq(n), before[2]+before[3]
	}
	if c.Text == "" {
		return nil, a.usage("needs something to look for")
	}
	return c, nil
}

// searchBefore is a search with --before, in front of the text or behind it.
var searchBefore = regexp.MustCompile(`(?s)^--before[ =]+(\S+)\s*(.*)$|^(.*?)\s+--before[ =]+(\S+)$`)

func buildFiles(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	c := rooms.Files{Limit: recentHistory}
	_, no := a.flags(0, map[string]func(string) *rooms.Refusal{
		"before": func(v string) *rooms.Refusal {
			n, no := a.count(v)
			c.Before = rooms.Seq(n)
			return no
		},
	}, nil)
	return c, no
}

func buildRedact(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	word, no := a.optional()
	if no != nil || word == "" {
		return rooms.Redact{}, no
	}
	n, no := a.count(word)
	if no == nil && n == 0 {
		no = a.usage("needs the number of a message")
	}
	return rooms.Redact{Seq: rooms.Seq(n)}, no
}

func buildWhois(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	nick, no := a.onlyNick()
	return rooms.Whois{Nick: nick}, no
}

// onlyNick returns the nick that is all a command takes.
func (a *arguments) onlyNick() (string, *rooms.Refusal) {
	nick, no := a.last()
	return strings.TrimPrefix(nick, "@"), no
}

func buildLimit(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	word, no := a.last()
	if no != nil {
		return nil, no
	}
	n, no := a.count(word)
	return rooms.SetLimit{Limit: n}, no
}

func buildInvite(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	var c rooms.Invite
	words, no := a.flags(1, map[string]func(string) *rooms.Refusal{
		"uses":    func(v string) (no *rooms.Refusal) { c.Uses, no = a.uses(v); return no },
		"expires": func(v string) (no *rooms.Refusal) { c.Life, no = a.life(v); return no },
	}, map[string]func(){"qr": func() { a.qr = true }})
	if len(words) > 0 {
		c.Room = roomName(words[0])
	}
	return c, no
}

// uses reads how often an invite works.
func (a *arguments) uses(word string) (int, *rooms.Refusal) {
	n, no := a.count(word)
	if most := rooms.DefaultLimits().InviteUses; no == nil && (n < 1 || n > most) {
		no = a.usage("has 1 to %d uses, not %d", most, n)
	}
	return n, no
}

func buildInvites(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	room, no := a.optional()
	return rooms.Invites{Room: roomName(room)}, no
}

func buildRevoke(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	id, no := a.last()
	return rooms.Revoke{ID: id}, no
}

func buildKick(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	nick, no := a.nick()
	return rooms.Kick{Nick: nick, Reason: a.text()}, no
}

func buildBan(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	who, no := a.nick()
	if no != nil {
		return nil, no
	}
	c := rooms.Ban{Who: who}
	first, rest, _ := cutBlank(strings.TrimLeft(a.rest, blanks))
	switch life, err := ParseLife(first); {
	case err == nil:
		c.Life, a.rest = max(life, 0), rest
	case first != "" && first[0] >= '0' && first[0] <= '9': // a reason that begins so is rarer than a slip
		return nil, a.usage("needs a time like 30m, 24h or 7d, not %q (write never before a reason that begins with a number)", first)
	}
	c.Reason = a.text()
	return c, nil
}

func buildUnban(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	who, no := a.onlyNick()
	return rooms.Unban{Who: who}, no
}

func buildMute(muted bool) func(parser, *arguments) (rooms.Command, *rooms.Refusal) {
	return func(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
		nick, no := a.onlyNick()
		return rooms.Mute{Nick: nick, Muted: muted}, no
	}
}

func buildOp(op bool) func(parser, *arguments) (rooms.Command, *rooms.Refusal) {
	return func(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
		nick, no := a.onlyNick()
		return rooms.Op{Nick: nick, Op: op}, no
	}
}

func buildClose(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	room, no := a.optional()
	return rooms.Close{Room: roomName(room)}, no
}

func doneRevoke(cmd rooms.Command) string {
	return fmt.Sprintf("invite %s works no more", Sanitize(cmd.(rooms.Revoke).ID))
}

func doneBan(cmd rooms.Command) string {
	c := cmd.(rooms.Ban)
	length := "for good"
	if c.Life > 0 {
		length = "for " + lasting(c.Life)
	}
	return fmt.Sprintf("%s is banned %s; /unban %s ends it", SanitizeNick(c.Who), length, SanitizeNick(c.Who))
}

func doneUnban(cmd rooms.Command) string {
	return fmt.Sprintf("%s may come back", SanitizeNick(cmd.(rooms.Unban).Who))
}

func doneClose(cmd rooms.Command) string {
	if room := cmd.(rooms.Close).Room; room != "" {
		return fmt.Sprintf("#%s is closed", Sanitize(room))
	}
	return ""
}

// lasting writes a duration the way it is typed, rounded to its two largest
// units: 10s, 1h30m, 24h, 7d. Days are counted from two on.
func lasting(d time.Duration) string {
	largest, smaller := time.Second, time.Second
	switch {
	case d >= 2*24*time.Hour-time.Minute/2:
		largest, smaller = 24*time.Hour, time.Hour
	case d >= time.Hour-time.Second/2:
		largest, smaller = time.Hour, time.Minute
	case d >= time.Minute-time.Second/2:
		largest = time.Minute
	}
	letters := map[time.Duration]string{24 * time.Hour: "d", time.Hour: "h", time.Minute: "m", time.Second: "s"}
	d = d.Round(smaller)
	text := strconv.FormatInt(int64(d/largest), 10) + letters[largest]
	if rest := d % largest / smaller; rest > 0 {
		text += strconv.FormatInt(int64(rest), 10) + letters[smaller]
	}
	return text
}
