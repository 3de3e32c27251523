# Every check has one name here; .ci/run and the workflows call these.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME   ?= 10s
TARGETS     = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 freebsd/amd64 freebsd/arm64

.PHONY: build test durable bugs race vet lint tidy generate fuzz cross cover soak matrix long bench screens ci

build:
	go build -trimpath -o p2pchat .

test:
	go test ./...

# The built program, killed and cut off at full length; it needs root and strace.
durable:
	P2PCHAT_DURABLE=1 go test -count=1 -timeout 20m -run '^Test(Kill9|Delivery|FailingDisk|ReachVideo)$$' -v .

# Bugs that lose or double messages, put in one at a time: a test has to find each.
bugs:
	P2PCHAT_BUGS=1 go test -count=1 -timeout 30m -run '^TestSeededBugs$$' .

race:
	go test -race -short -shuffle=on ./...

vet:
	test -z "$$(gofmt -l .)"
	go vet ./...

lint:
	go run $(STATICCHECK) ./...

tidy:
	go mod tidy -diff
	go mod verify

# The generated code is what wire.proto and punch.proto say.
generate:
	go generate ./node/wire ./relay/internal/pb
	git diff --exit-code -- node/wire relay/internal

# Every fuzz target for FUZZTIME; what it finds is committed with the fix. At the end of
# that time, Go before 1.27 now and then fails without having found anything (go.dev/issue/75804).
fuzz:
	@set -e; git grep -l '^func Fuzz' -- '*_test.go' | while read -r file; do \
		sed -n 's/^func \(Fuzz[A-Za-z0-9]*\).*/\1/p' "$$file" | while read -r target; do \
			echo "fuzz $$target in $$(dirname $$file)"; \
			out=$$(go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x ./$$(dirname $$file) </dev/null 2>&1) && failed=0 || failed=1; \
			echo "$$out" | tail -n 40; \
			if [ $$failed = 1 ]; then case "$$out" in \
				*"Failing input"*) exit 1;; \
				*"    context deadline exceeded"*) echo "nothing was found";; \
				*) exit 1;; \
			esac; fi; \
		done; \
	done

cross:
	@set -e; for target in $(TARGETS); do \
		echo "vet $$target"; \
		CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} go build -o /dev/null . ; \
	done

cover:
	go test -short -cover ./rooms ./history ./node/wire ./node ./ui

# 500 members in one room for 90 s, 20 messages a second.
soak:
	P2PCHAT_SOAK=90s go test -count=1 -timeout 20m -run '^TestSoak$$' -v ./node

# Every kind of joiner to every kind of host, one after the other, for the table in
# docs/nat.md. It needs root.
matrix:
	P2PCHAT_SERIAL=1 P2PCHAT_JOINERS=all go test -count=1 -timeout 30m -run '^TestReachMatrix$$' -v .

# The tests in the lab whose full length is too long for CI.
long:
	P2PCHAT_SERIAL=1 P2PCHAT_LONG=1 go test -count=1 -timeout 90m -run '^TestReach(Crowd|LimitedRelay|Lasts|Idle|IdleRelayed|Video)$$' -v .

# The screens in docs/screens are what a lively room looks like now.
screens:
	P2PCHAT_SCREENS=1 go test -run TestScreens .

bench:
	go test -run '^$$' -bench . -benchmem ./rooms ./history ./node/wire ./node ./ui

ci: vet test race lint tidy fuzz
