package wire

import (
	"fmt"
	"reflect"

	"google.golang.org/protobuf/proto"

	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

// An answer over FrameLimit goes out as several frames with the same ref, all
// but the last marked more. Its reader merges them as protobuf merges messages:
// lists are put one behind the other.

// headBytes is more than what a part holds besides the items of its lists: ref,
// more, the body's tag and length, and a Roster's room.
const headBytes = 1 << 10

// appendParts appends a frame that is over FrameLimit in parts.
func appendParts(buf []byte, f *pb.HostFrame) []byte {
	parts, total := split(f), 0
	for i, part := range parts {
		part.Ref, part.More = f.Ref, i < len(parts)-1
		total += proto.Size(part)
	}
	if total > AnswerLimit || items(f) > AnswerItems {
		return appendFrame(buf, tooLarge(f.Ref))
	}
	for _, part := range parts {
		buf = appendFrame(buf, part)
	}
	return buf
}

func tooLarge(ref uint64) *pb.HostFrame {
	const message = "the answer is too large to be sent"
	if ref == 0 {
		// A refusal without a ref would end the session.
		return &pb.HostFrame{Body: &pb.HostFrame_Notice{Notice: &pb.Notice{Text: message}}}
	}
	f := &pb.HostFrame{Ref: ref}
	putRefusal(f, rooms.Refuse(rooms.TooLarge, "ask for less at a time", message))
	return f
}

// split cuts a frame with a long list into frames within FrameLimit. Every other
// frame is within it by the limits of its fields.
func split(f *pb.HostFrame) (parts []*pb.HostFrame) {
	switch b := f.Body.(type) {
	case *pb.HostFrame_Listing:
		for _, list := range runs(b.Listing.Rooms) {
			parts = append(parts, &pb.HostFrame{Body: &pb.HostFrame_Listing{Listing: &pb.Listing{Rooms: list}}})
		}
	case *pb.HostFrame_Roster:
		for _, list := range runs(b.Roster.Members) {
			roster := &pb.Roster{Room: b.Roster.Room, Members: list}
			parts = append(parts, &pb.HostFrame{Body: &pb.HostFrame_Roster{Roster: roster}})
		}
	case *pb.HostFrame_Page:
		for _, list := range runs(b.Page.Messages) {
			parts = append(parts, &pb.HostFrame{Body: &pb.HostFrame_Page{Page: &pb.Page{Messages: list}}})
		}
	case *pb.HostFrame_Found:
		for _, list := range runs(b.Found.Messages) {
			parts = append(parts, &pb.HostFrame{Body: &pb.HostFrame_Found{Found: &pb.Found{Messages: list, Next: b.Found.Next}}})
		}
	case *pb.HostFrame_Shared:
		for _, list := range runs(b.Shared.Messages) {
			parts = append(parts, &pb.HostFrame{Body: &pb.HostFrame_Shared{Shared: &pb.Shared{Messages: list, Next: b.Shared.Next}}})
		}
	case *pb.HostFrame_InviteList:
		for _, list := range runs(b.InviteList.Invites) {
			parts = append(parts, &pb.HostFrame{Body: &pb.HostFrame_InviteList{InviteList: &pb.InviteList{Invites: list}}})
		}
	case *pb.HostFrame_BanList:
		for _, list := range runs(b.BanList.Bans) {
			parts = append(parts, &pb.HostFrame{Body: &pb.HostFrame_BanList{BanList: &pb.BanList{Bans: list}}})
		}
	case *pb.HostFrame_HostStatus:
		for _, status := range splitStatus(b.HostStatus) {
			parts = append(parts, &pb.HostFrame{Body: &pb.HostFrame_HostStatus{HostStatus: status}})
		}
	}
	return parts
}

// splitStatus puts everything but the long lists into the first part.
func splitStatus(m *pb.HostStatus) []*pb.HostStatus {
	parts := []*pb.HostStatus{{
		Version: m.Version, Peer: m.Peer, Name: m.Name, Started: m.Started,
		Target: m.Target, Addrs: m.Addrs, Disk: m.Disk,
	}}
	for _, list := range runs(m.Rooms) {
		parts = append(parts, &pb.HostStatus{Rooms: list})
	}
	for _, list := range runs(m.Members) {
		parts = append(parts, &pb.HostStatus{Members: list})
	}
	return parts
}

// runs cuts a list into runs that fit into a frame each.
func runs[T proto.Message](list []T) (cut [][]T) {
	const tagAndLength = 1 + lengthBytes
	start, size := 0, headBytes
	for i, item := range list {
		n := proto.Size(item) + tagAndLength
		if size+n > FrameLimit && i > start {
			cut = append(cut, list[start:i])
			start, size = i, headBytes
		}
		size += n
	}
	return append(cut, list[start:])
}

// items counts what the lists of a frame hold; -1 says that the frame has none
// and so cannot come in parts.
func items(f *pb.HostFrame) int {
	switch b := f.Body.(type) {
	case *pb.HostFrame_Listing:
		return len(b.Listing.Rooms)
	case *pb.HostFrame_Roster:
		return len(b.Roster.Members)
	case *pb.HostFrame_Page:
		return len(b.Page.Messages)
	case *pb.HostFrame_Found:
		return len(b.Found.Messages)
	case *pb.HostFrame_Shared:
		return len(b.Shared.Messages)
	case *pb.HostFrame_InviteList:
		return len(b.InviteList.Invites)
	case *pb.HostFrame_BanList:
		return len(b.BanList.Bans)
	case *pb.HostFrame_HostStatus:
		s := b.HostStatus
		return len(s.Addrs) + len(s.Rooms) + len(s.Members)
	}
	return -1
}

// frames reads a frame, and those that continue it, into f.
func (r *Reader) frames(f *pb.HostFrame) error {
	total, err := r.read(f, FrameLimit)
	if err != nil || f.Body == nil {
		return err
	}
	ref, kind := f.Ref, reflect.TypeOf(f.Body)
	for err = joinable(f, total); f.More && err == nil; err = joinable(f, total) {
		// Merging leaves what a frame does not name as it was.
		f.Ref, f.More = 0, false
		size, err := r.read(f, FrameLimit)
		if err == nil && (f.Ref != ref || reflect.TypeOf(f.Body) != kind) {
			err = &MalformedError{Reason: "an answer in parts is interrupted"}
		}
		if err != nil {
			f.Ref = 0
			return inside(err)
		}
		total += size
	}
	if err != nil {
		f.Ref = 0
	}
	return err
}

// joinable checks what was merged so far, of frames of total bytes.
func joinable(f *pb.HostFrame, total int) error {
	n := items(f)
	switch {
	case f.More && n < 0:
		return &MalformedError{Reason: "an answer in parts that is no list"}
	case n > AnswerItems || total > AnswerLimit:
		return fmt.Errorf("%w: an answer of %d items and %d bytes, at most %d and %d",
			ErrTooLarge, n, total, AnswerItems, AnswerLimit)
	}
	return nil
}
