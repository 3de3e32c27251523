package ui

import (
	"errors"

	"p2pchat/rooms"
)

// asRefusal returns err as a refusal, with this code if it is not one already.
func asRefusal(err error, code rooms.Code) *rooms.Refusal {
	var no *rooms.Refusal
	if errors.As(err, &no) {
		return no
	}
	return rooms.Refuse(code, "", "%s", err)
}
