package rooms

import (
	"fmt"
	"strings"
	"time"
)

// Code names a reason for a refusal. Codes are append-only: they travel on the
// wire and in the JSON output, and programs compare them.
type Code string

// The codes.
const (
	RoomExists         Code = "room_exists"
	NoSuchRoom         Code = "no_such_room" // also a private room, to whoever may not enter it
	RoomFull           Code = "room_full"
	BadName            Code = "bad_name"
	NameTaken          Code = "name_taken"
	NotInRoom          Code = "not_in_room"
	Denied             Code = "denied"
	Banned             Code = "banned"
	InviteInvalid      Code = "invite_invalid" // unknown, expired, used up, revoked: one answer
	RateLimited        Code = "rate_limited"
	TooLong            Code = "too_long"
	TooLarge           Code = "too_large"
	Quota              Code = "quota"
	Storage            Code = "storage"
	NoSuchMember       Code = "no_such_member"
	NoSuchFile         Code = "no_such_file"
	BadRequest         Code = "bad_request"
	UnsupportedVersion Code = "unsupported_version"
	Unreachable        Code = "unreachable"
	IdentityMismatch   Code = "identity_mismatch"
	Busy               Code = "busy"
)

// Codes lists every code, in the order in which they were added.
func Codes() []Code {
	return []Code{
		RoomExists, NoSuchRoom, RoomFull, BadName, NameTaken, NotInRoom, Denied, Banned,
		InviteInvalid, RateLimited, TooLong, TooLarge, Quota, Storage, NoSuchMember,
		NoSuchFile, BadRequest, UnsupportedVersion, Unreachable, IdentityMismatch, Busy,
	}
}

// Refusal is an answer that says no: the code for programs, a message that names
// the thing, and the next step for a person. It is an Event and an error.
type Refusal struct {
	Code    Code
	Message string
	Hint    string        // what to do next; may be empty
	Retry   time.Duration // with RateLimited: when the same command would be accepted
}

// Error returns the message and the hint in one line.
func (r *Refusal) Error() string {
	if r.Hint == "" {
		return r.Message
	}
	if strings.Contains(r.Message, "\n") { // of several lines: the hint has one of its own
		return r.Message + "\n" + r.Hint
	}
	return r.Message + "; " + r.Hint
}

// Refuse makes a refusal; the message is formatted as by fmt.Sprintf.
func Refuse(code Code, hint, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Message: fmt.Sprintf(format, args...), Hint: hint}
}
