# make run    build and start the demonstration: two domains, one gateway, two servers to log in to
# make demo-hf  a conversation between a ship and a shore station over HF radio
# make test   everything: peers, build, vet, lint, unit, fuzz seeds, race, integration
# make bench  the budgets, as ratios (ONLY=relay for one group); writes build/bench.json
# make fuzz   every fuzz target for FUZZTIME each
# make lint   formatting, vet, staticcheck, known vulnerabilities

GO        ?= go
FUZZTIME  ?= 20s
# What a package may take before it is taken for hung. With the race detector the largest takes three minutes of processor time;
# on a busy machine that is ten and more, which is where go test ends it of itself.
HUNG      ?= 40m
BENCHARGS ?=
export CGO_ENABLED ?= 0
TOOL := $(GO) tool -modfile=testbed/tools/go.mod
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)

.PHONY: all build run demo-hf test peers webclient unit race integration lint fuzz bench clean

all: build

build:
	@mkdir -p build
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o build/sallyport ./cmd/sallyport

run: build
	$(GO) build -trimpath -o build/demo ./testbed/demo
	./build/demo -sallyport build/sallyport -state run

# Ship and shore over a simulated HF channel, and a picture of it at the end.
demo-hf: build
	$(GO) build -trimpath -o build/demo-hf ./testbed/demo-hf
	./build/demo-hf -sallyport build/sallyport -state run

test: peers webclient build lint unit race integration
	@echo "make test: all passed"

# Third-party programs the tests talk to. Needs root or sudo; starts nothing.
peers:
	./testbed/install-peers.sh

# JavaScript clients for the tests, as their lock file names them.
webclient: testbed/webclient/node_modules/.installed

testbed/webclient/node_modules/.installed: testbed/webclient/package-lock.json
	cd testbed/webclient && npm ci --silent
	touch $@

unit:
	$(GO) test -timeout $(HUNG) ./cmd/... ./gateway/... ./peering/... ./labels/... ./links/... ./rules/... ./s5066/... ./server/... ./internal/... ./testbed/xmppload/... ./testbed/bench/... ./testbed/house/... ./testbed/labelproof/... ./testbed/simulate/... ./testbed/recordday/...

# The race detector needs cgo; the product does not.
race:
	CGO_ENABLED=1 $(GO) test -timeout $(HUNG) -race -short ./gateway/... ./peering/... ./links/... ./s5066/... ./server/... ./internal/... ./labels/... ./rules/...

# The hostile suite runs alone: it judges what others feel while one attacks.
integration: build
	$(GO) test -count=1 -timeout $(HUNG) ./testbed/scenario/... ./testbed/peers/... ./testbed/client/... ./testbed/nbxmpp/... ./testbed/demo/... ./testbed/demo-hf/... ./testbed/badnet/... ./testbed/cable/... ./testbed/killer/... ./testbed/churn/... ./testbed/radio/... ./testbed/login/... ./testbed/hostileclient/... ./testbed/imserver/... ./testbed/webclient/... ./testbed/aioxmpp/... ./testbed/docs/... ./examples/...
	$(GO) test -count=1 -timeout $(HUNG) ./testbed/hostile/...

lint:
	./testbed/tools/lint.sh

fuzz:
	./testbed/tools/fuzz.sh $(FUZZTIME)

bench: build
	$(GO) build -trimpath -o build/bench ./testbed/bench
	./build/bench -sallyport build/sallyport -json build/bench.json $(if $(ONLY),-only $(ONLY)) $(BENCHARGS)

clean:
	rm -rf build run
