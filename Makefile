# muster's own commands. `make test` is everything on a bare Debian 12 with Rust, git and build-essential.
# All targets share one build folder, target/.
CARGO ?= cargo
NEXTEST_ARGS ?=

.PHONY: all build install test attack bench fuzz check fmt-check clippy generated generated-check deny clean

all: build

build:
	$(CARGO) build --locked --workspace --bins

# What the tests need, from Debian's packages and crates.io; says what it installs.
install:
	tests/install.sh

# The tests run the two programs from the build folder, so these are built first, and with the same features.
test: install
	$(CARGO) build --locked --workspace --bins --tests
	$(CARGO) nextest run --locked --workspace $(NEXTEST_ARGS)

# Every case of docs/attacks.md: prints the table, and ends with how many cases passed and failed.
attack: install
	$(CARGO) build --locked --workspace --bins --tests
	rm -f target/nextest/attack/junit.xml
	-$(CARGO) nextest run --locked --workspace --profile attack $(NEXTEST_ARGS)
	target/debug/attack-table docs/attacks.md target/nextest/attack/junit.xml

# Speed and size, as one JSON object on the last line of stdout; progress goes to stderr. `make bench ARGS="noop"`
# takes those measures only.
# Both commands take the whole workspace, so that they build the same dependencies once.
bench:
	tests/install.sh packages
	$(CARGO) build --locked --release --workspace --bins
	$(CARGO) bench --locked --workspace --bench bench -- $(ARGS)

# Every parser that takes bytes from outside, each for 20 seconds or as many as are said: `make fuzz SECONDS=3600`.
# `make fuzz TARGETS="yaml template"` takes these only.
fuzz:
	FUZZ_SECONDS=$(or $(SECONDS),$(FUZZ_SECONDS),20) tests/fuzz/run.sh $(TARGETS)

check: fmt-check clippy generated-check

fmt-check:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

# Every generated file of the repository is written by a test named `generated::…` of the crate that owns it.
# Those tests compare; with MUSTER_GENERATE=1 they write instead.
generated:
	MUSTER_GENERATE=1 $(CARGO) nextest run --locked --workspace --no-tests=pass -E 'test(/(^|::)generated::/)'

generated-check:
	$(CARGO) nextest run --locked --workspace --no-tests=pass -E 'test(/(^|::)generated::/)'

# Licences and advisories of the dependencies. Needs cargo-deny and the advisory database from the network.
deny:
	$(CARGO) deny --locked check

clean:
	$(CARGO) clean
