package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/mdp/qrterminal/v3"

	"p2pchat/rooms"
)

// answer renders the answer to a command that nothing else tells about.
func (p *page) answer(ev rooms.Event) []string {
	switch ev := ev.(type) {
	case rooms.Listing:
		return p.listing(ev.Rooms)
	case rooms.Roster:
		return p.roster(ev)
	case rooms.Page:
		return p.history(ev.Messages)
	case rooms.Found:
		return p.found(ev)
	case rooms.Shared:
		return p.shared(ev)
	case rooms.Invited:
		return p.invited(ev)
	case rooms.InviteList:
		return p.invites(ev.Invites)
	case rooms.BanList:
		return p.bans(ev.Bans)
	case rooms.Member:
		return p.whois(ev)
	case rooms.HostStatus:
		return p.host(ev)
	case *rooms.Refusal:
		return p.refusal(ev)
	}
	return nil
}

// item is a row of a table.
func (p *page) item(text string) []string {
	return p.rows(withLinks("   "+Sanitize(text), plain)...)
}

// listing numbers the rooms, so that a number is enough to enter one.
func (p *page) listing(infos []rooms.RoomInfo) []string {
	if len(infos) == 0 {
		return p.notice("no public room is open")
	}
	wide := 0
	for _, r := range infos {
		wide = max(wide, columns(Sanitize(string(r.Room))))
	}
	rows := p.notice("%s", plural(len(infos), "public room"))
	for i, r := range infos {
		text := fmt.Sprintf("%2d  %s  %s", i+1, pad(Sanitize(string(r.Room)), min(wide, 24)), occupancy(r))
		if r.Topic != "" {
			text += "  " + r.Topic
		}
		rows = append(rows, p.item(text)...)
	}
	return rows
}

// occupancy writes how many are in a room, and how many may be.
func occupancy(r rooms.RoomInfo) string {
	if r.Limit > 0 {
		return fmt.Sprintf("%d of %d", r.Members, r.Limit)
	}
	return fmt.Sprintf("%d here", r.Members)
}

func (p *page) roster(r rooms.Roster) []string {
	rows := p.notice("%s in #%s", plural(len(r.Members), "member"), r.Room)
	names, wide := make([]string, len(r.Members)), 0
	for i, m := range r.Members {
		names[i] = SanitizeNick(m.Nick)
		if p.verified != nil && p.verified(m.Peer) {
			names[i] += " ✓"
		}
		wide = max(wide, columns(names[i]))
	}
	for i, m := range r.Members {
		rows = append(rows, p.item(pad(names[i], wide)+"  "+shortPeer(m.Peer)+traits(m))...)
	}
	return rows
}

// traits lists what is special about a member.
func traits(m rooms.Member) string {
	text := ""
	if m.Role != rooms.Plain {
		text += "  " + m.Role.String()
	}
	if m.Muted {
		text += "  muted"
	}
	if m.Away != "" {
		text += "  " + awayText(m.Away)
	}
	return text
}

// history shows messages again, faded between two marks.
func (p *page) history(messages []rooms.Message) []string {
	if len(messages) == 0 {
		return p.notice("no such messages")
	}
	rows := p.notice("earlier --")
	var last time.Time
	for _, m := range messages {
		if !sameDay(p.local(m.Time), p.local(last)) {
			rows = append(rows, p.day(m.Time)...)
		}
		last = m.Time
		body, _ := p.message(m, "", true)
		rows = append(rows, body...)
	}
	return append(rows, p.notice("now --")...)
}

// found shows what a search found, each with its number, and how to go on.
func (p *page) found(f rooms.Found) []string {
	if len(f.Messages) == 0 && f.Next == 0 {
		return p.notice("nothing was found")
	}
	rows := p.notice("%s found --", plural(len(f.Messages), "message"))
	if f.Next != 0 {
		rows = append(rows, p.notice("older ones: the same with --before %d in front of the text", f.Next)...)
	}
	var last time.Time
	for _, m := range f.Messages {
		if !sameDay(p.local(m.Time), p.local(last)) {
			rows = append(rows, p.day(m.Time)...)
		}
		last = m.Time
		rows = append(rows, p.numbered(m)...)
	}
	return append(rows, p.notice("now --")...)
}

// shared lists files, each with the number to name it by.
func (p *page) shared(s rooms.Shared) []string {
	if len(s.Messages) == 0 && s.Next == 0 {
		return p.notice("no file was shared here; /send PATH shares one")
	}
	rows := p.notice("%s", plural(len(s.Messages), "file"))
	if s.Next != 0 {
		rows = append(rows, p.notice("older ones: /files --before %d", s.Next)...)
	}
	for _, m := range s.Messages {
		if m.File == nil {
			continue
		}
		number := ""
		if p.shelf != nil {
			number = fmt.Sprintf("%2d  ", p.shelf.put(m).seq)
		}
		when := p.local(m.Time).Format("2 Jan 15:04")
		rows = append(rows, p.item(fmt.Sprintf("%s%s · %s · by %s, %s", number, fileName(*m.File), fileFacts(*m.File), SanitizeNick(m.From.Nick), when))...)
	}
	return rows
}

func sameDay(a, b time.Time) bool {
	return a.Year() == b.Year() && a.YearDay() == b.YearDay()
}

func (p *page) invited(ev rooms.Invited) []string {
	rows := p.notice("an invite to #%s, for %s, ends %s; /revoke %s ends it", ev.Invite.Room, plural(ev.Invite.MaxUses, "use"), p.until(ev.Invite.Expires), ev.Invite.ID)
	rows = append(rows, Sanitize(ev.Link)) // to be copied in one piece
	return append(rows, p.notice("whoever has it can enter: p2pchat join LINK, or /join LINK here")...)
}

// inviteTerms says how often and how long an invite works.
func (p *page) inviteTerms(i rooms.InviteInfo) string {
	return fmt.Sprintf("%d of %d used, ends %s", i.Uses, i.MaxUses, p.until(i.Expires))
}

// until says when something ends.
func (p *page) until(t time.Time) string {
	switch left := t.Sub(p.now()); {
	case t.IsZero():
		return "never"
	case left <= 0:
		return "now"
	default:
		return "in " + lasting(left)
	}
}

// banned says how long a ban holds: for a while, or until a day of the person's own.
func (p *page) banned(end time.Time) string {
	left := end.Sub(p.now())
	switch {
	case end.IsZero():
		return "for good"
	case left <= 0:
		return "until now"
	case left < 24*time.Hour:
		return "for " + lasting(left)
	}
	return "until " + p.local(end).Format("2 January 2006, 15:04")
}

func (p *page) invites(infos []rooms.InviteInfo) []string {
	if len(infos) == 0 {
		return p.notice("no invite is open; /invite makes one")
	}
	rows := p.notice("%s", plural(len(infos), "invite"))
	for _, i := range infos {
		rows = append(rows, p.item(fmt.Sprintf("%s  #%s  by %s, %s", i.ID, i.Room, SanitizeNick(i.By), p.inviteTerms(i)))...)
	}
	return rows
}

func (p *page) bans(infos []rooms.BanInfo) []string {
	if len(infos) == 0 {
		return p.notice("nobody is banned")
	}
	rows := p.notice("%s", plural(len(infos), "ban"))
	for _, b := range infos {
		text := fmt.Sprintf("%s  %s  by %s, %s", SanitizeNick(b.Nick), b.Peer, SanitizeNick(b.By), p.banned(b.Expires))
		if b.Room == "" {
			text += ", from the whole host"
		}
		if b.Reason != "" {
			text += ": " + b.Reason
		}
		rows = append(rows, p.item(text)...)
	}
	return rows
}

func (p *page) whois(m rooms.Member) []string {
	text := SanitizeNick(m.Nick) + " is " + string(m.Peer) + traits(m)
	if m.Room != "" {
		text += " · in #" + string(m.Room)
	}
	if !m.Since.IsZero() {
		text += " · here for " + lasting(p.now().Sub(m.Since))
	}
	if m.Path != "" {
		text += " · " + m.Path
	}
	return p.notice("%s", text)
}

func (p *page) host(s rooms.HostStatus) []string {
	rows := p.notice("%s, p2pchat %s, up %s, %s of history on disk", s.Name, s.Version, lasting(p.now().Sub(s.Started)), byteSize(s.Disk))
	rows = append(rows, p.item("peer "+string(s.Peer))...)
	for _, addr := range s.Addrs {
		rows = append(rows, p.item("at "+addr)...)
	}
	rows = append(rows, p.notice("%s, %s connected", plural(len(s.Rooms), "room"), plural(len(s.Members), "member"))...)
	for _, r := range s.Rooms {
		text := "#" + string(r.Room) + "  " + occupancy(r)
		if r.Private {
			text += "  private"
		}
		rows = append(rows, p.item(text)...)
	}
	for _, m := range s.Members {
		rows = append(rows, p.item(strings.TrimSpace(SanitizeNick(m.Nick)+"  "+shortPeer(m.Peer)+"  "+m.Path))...)
	}
	if s.Target == "" {
		return rows
	}
	// To be copied in one piece: not broken into rows.
	where := "on another machine"
	if strings.HasPrefix(s.Target, "/ip4/127.") || strings.HasPrefix(s.Target, "/ip6/::1/") {
		where = "in another terminal of this machine"
	}
	return append(append(rows, p.notice("to join, %s:", where)...), "p2pchat join "+Sanitize(s.Target))
}

// plural counts things whose name takes an s.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// narrowestQR is the width under which no invite fits as a QR code.
const narrowestQR = 41

// longestQR is the longest link worth trying; its code would fill a wide screen.
const longestQR = 1000

// qrCode renders a link in half blocks, or nothing where that does not fit.
func qrCode(link string, width int) []string {
	if width < narrowestQR || link == "" || len(link) > longestQR {
		return nil
	}
	var b strings.Builder
	qrterminal.GenerateWithConfig(link, qrterminal.Config{Level: qrterminal.L, Writer: &b, HalfBlocks: true, QuietZone: 1})
	rows := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	for _, row := range rows {
		if columns(row) > width {
			return nil
		}
	}
	return rows
}
