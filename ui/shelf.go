package ui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"p2pchat/rooms"
	"p2pchat/ui/picture"
)

// shelf remembers the files that were shown. The number of a file is that of its message:
// everybody in the room calls it by that, at any time, and /redact takes it, too.
type shelf struct {
	files map[place]*shelved
	ids   map[string]place
	order []place                 // as they came
	epoch map[rooms.RoomID]uint64 // of the histories that the numbers are of
}

// place is that of a message.
type place struct {
	room rooms.RoomID
	seq  rooms.Seq
}

// shelved is a file that has been shown.
type shelved struct {
	place
	file  rooms.File
	saved string // where it is on this machine; "": it was not fetched
}

// mostShelved is how many files are remembered; the oldest are forgotten.
const mostShelved = 4096

func newShelf() *shelf {
	return &shelf{files: map[place]*shelved{}, ids: map[string]place{}, epoch: map[rooms.RoomID]uint64{}}
}

// enter forgets the files of a room whose numbers begin anew, with another history.
func (s *shelf) enter(room rooms.RoomID, epoch uint64) {
	if epoch == 0 || s.epoch[room] == epoch {
		return
	}
	if s.epoch[room] != 0 {
		s.order = slices.DeleteFunc(s.order, func(at place) bool {
			if at.room != room {
				return false
			}
			s.remove(at)
			return true
		})
	}
	s.epoch[room] = epoch
}

func (s *shelf) remove(at place) {
	delete(s.ids, s.files[at].file.ID)
	delete(s.files, at)
}

// put remembers the file of a message, which has one.
func (s *shelf) put(m rooms.Message) *shelved {
	at := place{m.Room, m.Seq}
	f := s.files[at]
	if f != nil && f.file.ID == m.File.ID {
		return f
	}
	if f == nil {
		s.order = append(s.order, at)
	} else {
		s.remove(at)
	}
	f = &shelved{place: at, file: *m.File}
	s.files[at], s.ids[f.file.ID] = f, at
	if len(s.order) > mostShelved {
		s.remove(s.order[0])
		s.order = s.order[1:]
	}
	return f
}

// byID returns the file of an ID; nil, when it was not shown.
func (s *shelf) byID(id string) *shelved {
	at, ok := s.ids[id]
	if !ok {
		return nil
	}
	return s.files[at]
}

// mostDigits are those of a number; an ID, which may be of digits only, has more.
const mostDigits = 12

// fileNumber reads the number of a file.
func fileNumber(word string) (rooms.Seq, bool) {
	word = strings.Trim(word, "[]#")
	n, err := strconv.ParseUint(word, 10, 63)
	return rooms.Seq(n), err == nil && n > 0 && len(word) <= mostDigits
}

// noFile is the refusal of a number that no file has.
func noFile(word string) *rooms.Refusal {
	return rooms.Refuse(rooms.NoSuchFile, "/files shows those of this room", "there is no file %s here", quote(word))
}

// fileFacts describes a file in a few words: "png 640×320 · 182 KiB".
func fileFacts(f rooms.File) string {
	var parts []string
	kind := picture.Kind(f.MIME)
	if f.Width > 0 && f.Height > 0 {
		kind += fmt.Sprintf(" %d×%d", f.Width, f.Height)
	}
	parts = append(parts, kind)
	if f.Duration > 0 {
		parts = append(parts, lasting(f.Duration))
	}
	parts = append(parts, byteSize(f.Size))
	if lie := picture.Claims(f.Name, f.MIME); lie != "" {
		parts = append(parts, lie)
	}
	return Sanitize(strings.Join(parts, " · "))
}

// fileName is what a file is called, on the screen.
func fileName(f rooms.File) string {
	const most = 60
	name := []rune(Sanitize(f.Name))
	if len(name) > most { // its end tells the kind
		name = append(append(name[:most-16:most-16], '…'), name[len(name)-15:]...)
	}
	return string(name)
}
