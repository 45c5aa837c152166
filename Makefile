# Joinery's chores. `make` alone lists them.

CARGO ?= cargo
# Builds exactly what Cargo.lock says; after changing a Cargo.toml run `cargo check` once.
LOCKED := --locked

.DEFAULT_GOAL := help

.PHONY: help
help: ## List these chores.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Watch meetings become Join buttons, live, until Ctrl-C; DEMO_SECONDS=30 make demo runs and judges itself.
	$(CARGO) build $(LOCKED) --package joinery-connector --package joinery-agent --package joinery-demo
	@exec $${CARGO_TARGET_DIR:-target}/debug/joinery-demo

.PHONY: test
test: packages lint ## Run every test; as root it first installs the Debian packages that they use.
	$(CARGO) build $(LOCKED) --workspace --bins
	$(CARGO) test $(LOCKED) --workspace --exclude joinery-tests
	@# Scenarios wait more than they work: eight at a time take a minute and a half on two cores.
	RUST_TEST_THREADS=8 $(CARGO) test $(LOCKED) --package joinery-tests

.PHONY: check
check: lint deny-if-there ## Run the quick checks: format, clippy, tidy, licences, unit and doc tests.
	$(CARGO) test $(LOCKED) --workspace --exclude joinery-tests

.PHONY: bench
bench: ## Measure latency, throughput, memory and sizes; prints and asserts nothing.
	$(CARGO) build $(LOCKED) --release --package joinery-connector --package joinery-agent
	$(CARGO) bench $(LOCKED) --package joinery-tests --benches

.PHONY: fmt
fmt: ## Format the code.
	$(CARGO) fmt --all

.PHONY: generate
generate: ## Write the protobuf code anew from proto/joinery/v1.
	$(CARGO) xtask generate

.PHONY: deny
deny: ## Check licences, banned crates and sources; installs cargo-deny first if it is missing.
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check licenses bans sources

.PHONY: lint
lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings
	$(CARGO) xtask tidy

.PHONY: packages
packages:
	@scripts/test-packages

# Building cargo-deny takes minutes: the quick checks use it where it is; `make deny` also installs it.
.PHONY: deny-if-there
deny-if-there:
	@if command -v cargo-deny >/dev/null; then $(MAKE) --no-print-directory deny; \
	else echo "NOTICE: cargo-deny is not installed: licences, bans and sources were NOT checked; run \`make deny\`"; fi
