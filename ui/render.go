package ui

import (
	"fmt"
	"strings"
	"time"

	"p2pchat/rooms"
	"p2pchat/ui/picture"
)

// page turns events into rows of text. It is the render edge: every string of
// another person passes a sanitiser here. Its methods return rows to print.
type page struct {
	width func() int // 0: rows are not broken
	color int
	links bool                   // the terminal shows hyperlinks
	mute  bool                   // there are no commands, so none are named
	shelf *shelf                 // nil: files are not numbered
	draws func() picture.Options // how the terminal shows pictures; nil: not at all
	now   func() time.Time

	verified func(rooms.PeerID) bool // nil: nobody is
}

// rows sets runs that are already sanitised.
func (p *page) rows(runs ...run) []string {
	var out []string
	for _, row := range layout(runs, p.width()) {
		out = append(out, p.paint(row))
	}
	return out
}

// notice is a quiet line. The whole text is sanitised, whatever it was made of.
func (p *page) notice(format string, args ...any) []string {
	return p.rows(withLinks("-- "+Sanitize(fmt.Sprintf(format, args...)), dim)...)
}

// refusal says why not, and what to do.
func (p *page) refusal(no *rooms.Refusal) []string {
	return p.alarm("%s", no.Error())
}

// alarm is a line that must not be missed.
func (p *page) alarm(format string, args ...any) []string {
	return p.rows(append([]run{{alarming, "!! "}}, withLinks(Sanitize(fmt.Sprintf(format, args...)), plain)...)...)
}

// local returns t in the person's own time zone.
func (p *page) local(t time.Time) time.Time { return t.In(p.now().Location()) }

// day is the line between two days.
func (p *page) day(t time.Time) []string {
	return p.notice("%s --", p.local(t).Format("Monday, 2 January 2006"))
}

// clock is the time in front of a message.
func (p *page) clock(t time.Time) run { return run{dim, p.local(t).Format("15:04") + " "} }

// message renders what somebody said or did; me is the person's own nick, whose
// mention stands out and is reported. Earlier messages are faded.
func (p *page) message(m rooms.Message, me string, earlier bool) (rows []string, mention bool) {
	switch {
	case m.Kind == rooms.Redaction:
		who := SanitizeNick(m.From.Nick)
		if me == "" {
			who = "you"
		}
		return p.notice("%s removed message %d", who, m.Target), false
	case m.Kind == rooms.Lost:
		return p.notice("a message is missing here: the host's disk has lost it"), false
	}
	runs, mention := p.said(m, me)
	if earlier {
		runs = faded(runs)
	}
	return p.rows(runs...), mention
}

// numbered renders a message with its number in front.
func (p *page) numbered(m rooms.Message) []string {
	runs, _ := p.said(m, "")
	return p.rows(faded(append([]run{{dim, fmt.Sprintf("%d  ", m.Seq)}}, runs...))...)
}

// said is the time, who it was, and what was said or done.
func (p *page) said(m rooms.Message, me string) (runs []run, mention bool) {
	nick := run{p.nickStyle(m.From.Peer), SanitizeNick(m.From.Nick)}
	if m.Redacted {
		return []run{p.clock(m.Time), nick, {dim, " (removed)"}}, false
	}
	runs = []run{p.clock(m.Time), nick}
	before := " "
	switch m.Kind {
	case rooms.Action:
		runs = []run{p.clock(m.Time), {plain, "* "}, nick}
	case rooms.FileUp:
		runs = append(runs, p.attached(m)...)
		before = "\n"
	}
	if m.Text == "" {
		return runs, false
	}
	body, mention := mentions(marked(SanitizeBody(m.Text)), SanitizeNick(me))
	return append(append(runs, run{plain, before}), body...), mention
}

// attached describes the file that a message shares.
func (p *page) attached(m rooms.Message) []run {
	if m.File == nil {
		return []run{{plain, " a file"}}
	}
	name := run{strong, fileName(*m.File)}
	facts := " · " + fileFacts(*m.File)
	if p.shelf == nil {
		return []run{{plain, " "}, name, {dim, facts}}
	}
	n := p.shelf.put(m).seq
	return []run{{plain, fmt.Sprintf(" [%d] ", n)}, name, {dim, fmt.Sprintf("%s · /open %d", facts, n)}}
}

// preview draws the small picture of a file, below its message. It came from somebody
// else: what is over the limits, or no picture, is not drawn.
func (p *page) preview(m rooms.Message) []string {
	if m.Kind != rooms.FileUp || m.Redacted || m.File == nil || len(m.File.Preview) == 0 || p.draws == nil {
		return nil
	}
	if p.width() < leastPreview {
		return nil
	}
	small, err := picture.Check(m.File.Preview)
	if err != nil {
		return nil
	}
	o := p.draws()
	o.Indent, o.Columns, o.Rows, o.Colors = previewIndent, min(previewColumns, p.width()-previewIndent-1), previewRows, p.color
	return picture.Render(small, o)
}

// A preview on the screen, in columns and rows.
const (
	leastPreview   = 40 // of the screen: under that, there is none
	previewIndent  = 6
	previewColumns = 60
	previewRows    = 12
)

// whisper renders a line between two members.
func (p *page) whisper(w rooms.Whispered) []string {
	from, to := run{p.nickStyle(w.From.Peer), SanitizeNick(w.From.Nick)}, run{strong, "you"}
	if w.Own {
		from, to = run{strong, "you"}, run{p.nickStyle(w.To.Peer), SanitizeNick(w.To.Nick)}
	}
	head := []run{p.clock(p.now()), from, {dim, " → "}, to, {plain, ": "}}
	return p.rows(append(head, marked(SanitizeBody(w.Text))...)...)
}

// wayText describes a path in plain words.
func wayText(way rooms.Path) string {
	text := "connected (" + way.Path + ")"
	switch way.Path {
	case "direct":
		text = "connected directly"
	case "mapped":
		text = "connected directly, through a mapped port,"
	case "punched":
		text = "connected directly, through a punched hole,"
	case "relayed":
		text = "connected through a relay"
	case "lan":
		text = "connected on the local network"
	case "local":
		text = "connected on this machine"
	}
	if way.Transport != "" {
		text += " over " + way.Transport
	}
	text = strings.TrimSuffix(text, ",")
	if way.RTT > 0 {
		text += ", " + roundTrip(way.RTT)
	}
	if way.Why != "" {
		text += " · " + way.Why
	}
	return text
}

// roundTrip writes a short duration.
func roundTrip(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "under 1 ms"
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return lasting(d)
}

// member tells what became of a member of the room; mine: of the person.
func (p *page) member(ev rooms.MemberChanged, mine bool) []string {
	who, is, was := SanitizeNick(ev.Member.Nick), "is", "was"
	old := SanitizeNick(ev.Old)
	if mine {
		who, old, is, was = "you", "you", "are", "were"
	}
	by, why := "", ""
	if ev.By != "" {
		by = " by " + SanitizeNick(ev.By)
	}
	if ev.Reason != "" {
		why = ": " + ev.Reason
	}
	switch ev.What {
	case rooms.MemberJoined:
		return p.notice("%s joined", who)
	case rooms.MemberLeft:
		return p.notice("%s left%s", who, why)
	case rooms.MemberRenamed:
		return p.notice("%s %s %s now", old, is, SanitizeNick(ev.Member.Nick))
	case rooms.MemberKicked:
		return p.notice("%s %s put out%s%s", who, was, by, why)
	case rooms.MemberRole:
		if ev.Member.Role >= rooms.Operator {
			return p.notice("%s %s made operator%s", who, was, by)
		}
		return p.notice("%s %s no operator any more", who, is)
	case rooms.MemberMuted:
		return p.notice("%s %s muted%s%s", who, was, by, why)
	case rooms.MemberUnmuted:
		return p.notice("%s may speak again", who)
	case rooms.MemberAway, rooms.MemberBack:
		return p.absence(ev, mine)
	}
	return nil
}

// entered says where the person is now, and with how many others. Without a
// roster their names are not known.
func (p *page) entered(room rooms.RoomInfo, me rooms.PeerID, nick string, members []rooms.Member) []string {
	var others []string
	for _, m := range members {
		if m.Peer != me {
			others = append(others, SanitizeNick(m.Nick))
		}
	}
	company := "nobody else here yet"
	switch {
	case len(members) == 0 && room.Members > 1:
		company = fmt.Sprintf("%d here", room.Members-1)
	case len(others) > maxNames:
		company = fmt.Sprintf("%d here: %s and %d more", len(others), strings.Join(others[:maxNames], " "), len(others)-maxNames)
	case len(others) > 0:
		company = fmt.Sprintf("%d here: %s", len(others), strings.Join(others, " "))
	}
	if !p.mute {
		company += " · /help"
	}
	rows := p.notice("you are in #%s as %s · %s", room.Room, SanitizeNick(nick), company)
	if room.Topic != "" {
		rows = append(rows, p.notice("topic: %s", room.Topic)...)
	}
	if room.NoHistory {
		rows = append(rows, p.notice("nothing said here is kept")...)
	}
	return rows
}

// already says that the person is in this room and need not enter it.
func (p *page) already(room rooms.RoomInfo) []string {
	return p.notice("you are in #%s already", room.Room)
}

// maxNames is how many members are named when a room is entered.
const maxNames = 12

// updated tells what changed about the room.
func (p *page) updated(was, is rooms.RoomInfo, by string) []string {
	var rows []string
	if by != "" {
		by = " (" + SanitizeNick(by) + ")"
	}
	switch {
	case was.Topic == is.Topic:
	case is.Topic == "":
		rows = append(rows, p.notice("the room has no topic now%s", by)...)
	default:
		rows = append(rows, p.notice("topic: %s%s", is.Topic, by)...)
	}
	switch {
	case was.Limit == is.Limit:
	case is.Limit == 0:
		rows = append(rows, p.notice("the room has no limit of its own now%s", by)...)
	default:
		rows = append(rows, p.notice("the room takes %s now%s", plural(is.Limit, "member"), by)...)
	}
	if was.Retention != is.Retention {
		rows = append(rows, p.retention(is)...)
	}
	return rows
}

// byteSize writes a number of bytes.
func byteSize(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f := float64(n) / 1024
	for _, unit := range []string{"KiB", "MiB", "GiB"} {
		if f < 1024 {
			return fmt.Sprintf("%.3g %s", f, unit)
		}
		f /= 1024
	}
	return fmt.Sprintf("%.3g TiB", f)
}

// shortPeer shortens a peer ID to what a person compares at a glance.
func shortPeer(peer rooms.PeerID) string {
	if r := []rune(peer); len(r) > 8 {
		return "…" + string(r[len(r)-8:])
	}
	return string(peer)
}
