# sprongus: two commands matter on a fresh machine, `make demo` and `make test`; `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON  ?= python3
PROFILE ?= dev
PREFIX  ?= /usr/local
DESTDIR ?=
CYCLES  ?= 1000
CASES   ?= 100000
SEQUENCES ?= 20000

CARGO   ?= cargo
VENV    := target/venv
PY      := $(VENV)/bin/python
OUT     := target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
MODULE  := sprongus-py/python/sprongus/_sprongus.abi3.so
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
WITH_PG := $(OUT)/with-postgres
# Always the whole workspace: another choice of packages is another choice of features, and everything is built again.
ALL     := --workspace --locked --profile $(PROFILE)

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## install what is missing: apt packages (PostgreSQL, valgrind, …) and a Python environment in target/venv
	@PYTHON=$(PYTHON) VENV=$(VENV) tests/support/setup.sh

.PHONY: build
build: ## build the library, the C library, the Python module and every test
	$(CARGO) build $(ALL) --all-targets
	install -D -m 755 $(OUT)/lib_sprongus.so $(MODULE)

.PHONY: demo
demo: ## import a CSV through a run and show it; ARGS="--csv file.csv --db app.db" for your own
	@PYTHON=$(PYTHON) tests/support/setup.sh demo
	$(CARGO) build --locked -p sprongus-py
	install -D -m 755 target/debug/lib_sprongus.so $(MODULE)
	PYTHONPATH=sprongus-py/python $(PYTHON) examples/python/demo.py $(ARGS)

.PHONY: test
test: setup lint features test-rust test-c test-python test-interop ## everything: lint, unit, doc, conformance, C, C++, Python, examples

.PHONY: lint
lint: ## formatting, and clippy with warnings as errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(ALL) --all-targets -- -D warnings

.PHONY: features
features: ## each database alone
	$(CARGO) clippy -p sprongus --locked --no-default-features --features sqlite -- -D warnings
	$(CARGO) clippy -p sprongus --locked --no-default-features --features postgres -- -D warnings

.PHONY: test-rust
test-rust: build ## unit, doc, fault and crash tests and the conformance suite
	$(WITH_PG) $(CARGO) test $(ALL)

.PHONY: conformance
conformance: build ## the conformance suite alone; FILTER=runs:: for a part of it
	$(WITH_PG) $(CARGO) test $(ALL) --test conformance -- $(FILTER)

.PHONY: test-c
test-c: build ## the C ABI as C99, C11 and C++17, under valgrind and AddressSanitizer, and the C examples
	PROFILE_DIR=$(OUT) $(WITH_PG) tests/c/run.sh

.PHONY: test-python
test-python: setup build ## the Python module: behaviour, stubs, examples
	PYTHON=$(PY) $(WITH_PG) tests/python/run.sh $(ARGS)

.PHONY: test-interop
test-interop: setup build ## one store, used from C, Python and Rust
	PROFILE_DIR=$(OUT) PYTHON=$(PY) $(WITH_PG) tests/interop/run.sh

.PHONY: bench
bench: ## speed and memory beside the same work by hand on the bare driver; ARGS="--only claims" for a part of it
	$(CARGO) build --release --locked -p sprongus-testkit -p sprongus-bench
	tests/bench/door/build.sh
	target/release/with-postgres target/release/sprongus-bench $(ARGS)

.PHONY: bench-quick
bench-quick: ## the same in few minutes: less of everything
	$(MAKE) bench ARGS="--quick $(ARGS)"

.PHONY: bench-peers
bench-peers: ## the same workloads through other queues, which it installs from the registries; ARGS=--quick for less
	$(CARGO) build --release --locked -p sprongus-testkit
	tests/bench/door/build.sh
	target/release/with-postgres tests/bench/peers/run.sh $(ARGS)

.PHONY: crash
crash: build ## kill -9 loops on both databases, CYCLES kills each (1000)
	SPRONGUS_CRASH_CYCLES=$(CYCLES) $(WITH_PG) $(CARGO) test $(ALL) --test crash -- --nocapture

.PHONY: fuzz
fuzz: build ## the property tests with CASES cases each (100000), the queue beside its model with SEQUENCES (20000)
	PROPTEST_CASES=$(CASES) SPRONGUS_SEQUENCES=$(SEQUENCES) $(WITH_PG) $(CARGO) test $(ALL) --lib --tests -- prop

.PHONY: generate
generate: ## write anew what is generated: the C header, its symbol list, the JSON Schemas
	SPRONGUS_GENERATE=1 $(CARGO) test $(ALL) --lib --tests -- generated

.PHONY: wheel
wheel: setup ## the Python wheel, in target/wheels
	$(VENV)/bin/maturin build --release --locked -m sprongus-py/Cargo.toml

.PHONY: install
install: ## the C library, headers, pkg-config and CMake files under DESTDIR/PREFIX (/usr/local)
	$(CARGO) build --release --locked -p sprongus-ffi
	PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) VERSION=$(VERSION) sprongus-ffi/install.sh

.PHONY: clean
clean: ## remove what was built
	$(CARGO) clean
	rm -f $(MODULE)
