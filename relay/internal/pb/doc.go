// Package pb holds the messages of package relay, made from punch.proto.
package pb

//go:generate protoc --go_out=. --go_opt=paths=source_relative punch.proto
