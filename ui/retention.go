package ui

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"p2pchat/rooms"
)

// buildRetention reads how much of its history a room is to keep.
func buildRetention(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	words := strings.Fields(a.text())
	if len(words) == 0 {
		return nil, nil
	}
	r, err := ParseRetention(words)
	if err != nil {
		return nil, a.usage("%s", err)
	}
	return rooms.SetRetention{Retention: r}, nil
}

// Less than this is a slip, and would cost a whole history.
const (
	leastMessages = 100
	leastAge      = time.Hour
	leastBytes    = 64 << 10
)

// ParseRetention reads how much of a history is kept, as people write it: an age such
// as 30d, a size such as 100MiB, a number of messages, one of each at most; or all.
func ParseRetention(words []string) (rooms.Retention, error) {
	var r rooms.Retention
	if len(words) == 1 && strings.EqualFold(words[0], "all") {
		return r, nil
	}
	for _, word := range words {
		age, notAge := parseDuration(word)
		n, notNumber := strconv.ParseInt(word, 10, 64)
		size, notSize := ParseBytes(word)
		switch {
		case notNumber == nil && n > 0 && n < leastMessages:
			return r, fmt.Errorf("keeps %d messages or more; an age has a unit, such as %dd", leastMessages, n)
		case notNumber == nil && n > 0 && r.Messages == 0:
			r.Messages = n
		case notAge == nil && r.Age == 0 && word == strings.ToLower(word): // 100M is not meant to be minutes
			if r.Age = age; age < leastAge {
				return r, fmt.Errorf("keeps what is younger than %s, or more", lasting(leastAge))
			}
		case notSize == nil && size > 0 && r.Bytes == 0:
			if r.Bytes = size; size < leastBytes {
				return r, fmt.Errorf("keeps %s or more", byteSize(leastBytes))
			}
		default:
			return r, errors.New("takes an age like 30d, a size like 100MiB, a number of messages, or all, not " + strconv.Quote(word))
		}
	}
	return r, nil
}

// sizes are the units of sizes, in bytes; those with an i and those without mean the
// same here.
var sizes = []struct {
	names []string
	bytes int64
}{
	{[]string{"gib", "gb"}, 1 << 30}, {[]string{"mib", "mb"}, 1 << 20}, {[]string{"kib", "kb"}, 1 << 10},
}

// ParseBytes reads a size: a number of bytes, or one with a unit such as KiB, MB or
// GiB behind it.
func ParseBytes(s string) (int64, error) {
	number, unit := strings.ToLower(strings.TrimSpace(s)), int64(1)
	for _, size := range sizes {
		for _, name := range size.names {
			if n, ok := strings.CutSuffix(number, name); ok && unit == 1 {
				number, unit = strings.TrimSpace(n), size.bytes
			}
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, errors.New("it takes a number of bytes, or one like 128KiB, 1MiB")
	}
	return n * unit, nil
}

// retentionText says how much of its history a room keeps.
func retentionText(r rooms.Retention) string {
	var parts []string
	if r.Age > 0 {
		parts = append(parts, "what is younger than "+lasting(r.Age.Round(time.Second)))
	}
	if r.Bytes > 0 {
		parts = append(parts, "the last "+byteSize(r.Bytes))
	}
	if r.Messages > 0 {
		parts = append(parts, "the last "+plural(int(r.Messages), "message"))
	}
	if len(parts) == 0 {
		return "everything"
	}
	return strings.Join(parts, " and of that ")
}

func (c *chat) showRetention(string) {
	if !c.scene.inRoom() {
		c.print(c.page.refusal(nowhere())...)
		return
	}
	c.print(c.page.retention(c.scene.room)...)
}

func (j *jsonMode) showRetention(string) {
	if !j.scene.inRoom() {
		j.write(errorObject(j.ref, rooms.Refuse(rooms.NotInRoom, "join a room first", "you are in no room")))
		return
	}
	j.write(retentionAnswer{head: ok(j.ref), Room: j.scene.room.Room, Retention: retentionOf(j.scene.room.Retention)})
}

func (p *pipe) showRetention(string) { p.tell(p.page.retention(p.scene.room)) }

// retention says how much a room keeps.
func (p *page) retention(room rooms.RoomInfo) []string {
	if room.NoHistory {
		return p.notice("nothing said here is kept")
	}
	return p.notice("this room keeps %s", retentionText(room.Retention))
}

// jsonRetention is how much a room keeps; 0: no bound.
type (
	jsonRetention struct {
		Age      int64 `json:"age_s"` // seconds
		Bytes    int64 `json:"bytes"`
		Messages int64 `json:"messages"`
	}
	retentionAnswer struct {
		head
		Room      rooms.RoomID   `json:"room"`
		Retention *jsonRetention `json:"retention"` // null: everything is kept
	}
)

// retentionOf is nil where everything is kept.
func retentionOf(r rooms.Retention) *jsonRetention {
	if r == (rooms.Retention{}) {
		return nil
	}
	return &jsonRetention{int64(r.Age / time.Second), r.Bytes, r.Messages}
}
