// Package files answers: how does a file get off this disk into a room, and out of a
// room onto this disk?
//
// [Pick] takes a file to be sent: it is a regular file, whatever stands at its path; its
// type is what its content says; pictures lose what their camera noted. [Folder] takes
// files that others have sent. Both work on disks and know no network.
//
// Guarantees:
//
//   - Nothing is written outside the folder, whatever a file is called, whatever links
//     lead out of it; nothing is overwritten; no file that came is executable.
//   - A file stands under its name when it is whole and its hash is right, not before, and
//     nothing that comes later changes it: one saver at a time writes to a part.
//   - A file that changes while it is sent is noticed; what was said about it stays true
//     of the bytes that went out, or it does not go out.
//   - Nothing is opened by itself, and nothing at all but pictures, films, sound, PDF and
//     plain text, by name and by content.
package files
