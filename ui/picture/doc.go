// Package picture answers: what is in a file, how does it look in small, and how
// is that shown in a terminal?
//
// Who sends a file asks [Sniff] and [Look] what it is, makes a [Preview] of a
// picture or a [Still] of a film, and takes metadata out with [Strip]. Who receives
// one asks [Claims] and [Executable] whether its name can be trusted, decodes the
// preview with [Check], and draws it with [Render], in the [Mode] that [Detect] or
// the terminal's own [Answers] chose.
//
// The package knows no network and no terminal, and reads files only through an
// io.ReaderAt; [Still] alone opens one, and starts ffmpeg on it.
//
// Guarantees, whatever is in a file:
//
//   - Nothing is decoded before its header is within the limits, and what the
//     decoder will take is worked out from it: 64 MiB and two seconds at most for a
//     preview, one at a time. A receiver decodes 12 KiB of PNG or JPEG, no more
//     than 640×480 pixels.
//   - Lengths in a file are compared with its size before they are used, and a file
//     has no more than 65,536 parts.
//   - No byte of a file reaches a terminal or another person's preview: pictures
//     are encoded anew. What [Render] gives holds no control character but the
//     sequences of its mode, and ends with a reset.
//   - A preview holds no metadata. A thumbnail within a photo is not used: it may
//     show what was cut off the photo.
package picture
