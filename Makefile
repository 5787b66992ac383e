# sempadan: `make` lists the targets.
SHELL := /bin/bash
STORE ?= sempadan.gpkg
LISTEN ?= 127.0.0.1:8080
FUZZTIME ?= 30s
# Long calculations, of one thread for the most part: the race detector makes
# them take ten times as long and finds nothing there. They run without it.
LONG := ^Test(PlanOfDemo|PlanAgainst|OrienteeringAgainst|HazardAgainstTruth|SurfaceSmoothingFlags|GapsAndSurfaceOfTheStore|Attack|SmoothingIsServed|AuthorisationProduct|Briefing|HotSpots|GapsDiff|CostlyBandwidth|Validation|SurfaceTIFF|AdaptiveBandwidth|ZoomSweep|OpenAPIIsTrue|PyramidAfterManyEdits)
PAGE := api/ui/dist/index.html
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 8

.PHONY: run
run: build ## build, start on the embedded store with the demo, print the address
	./sempadan serve --demo --store $(STORE) --listen $(LISTEN)

.PHONY: build
build: $(PAGE) ## build ./sempadan with its page
	go build -trimpath -ldflags "-X main.version=$(VERSION)" -o sempadan ./cmd/sempadan

.PHONY: ui
ui $(PAGE): $(shell find api/ui/src -type f 2>/dev/null) api/ui/build.mjs api/ui/package-lock.json
	cd api/ui && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

.PHONY: test
test: build ## all tests (RACE=-race under the race detector)
ifeq ($(RACE),)
	go test -timeout 20m ./...
else
	go test $(RACE) -timeout 20m -skip '$(LONG)' ./...
	go test -timeout 20m -run '$(LONG)' ./api ./cmd/... ./geo/...
endif
	cd api/ui && npm test --silent

.PHONY: lint
lint: $(PAGE) ## gofmt, go vet, staticcheck
	@unformatted="$$(gofmt -l $$(git ls-files '*.go'))"; if [ -n "$$unformatted" ]; then echo "run make fmt; not formatted:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...

.PHONY: fmt
fmt: ## format the Go code
	gofmt -w $$(git ls-files '*.go')

.PHONY: bench
bench: $(PAGE) ## all Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

# Shrinking an interesting input may else take the whole time of a target.
.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (default 30s)
	@set -e; for pkg in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$pkg; \
	  done; done
