# The table of contents of what can be done here. Each recipe sets up what it needs.

.PHONY: run test sim fuzz fmt lint web load bench doc release

# Builds everything and serves on http://127.0.0.1:8080 with data in ./data.
run: release
	./target/release/switchboard

# Everything that must hold: style, tests on both stores, web apps, browsers, release, small load.
test:
	ops/test-services ops/test

# Many more seeds of the simulation than `make test` runs. See docs/reliability.md.
sim:
	SWITCHBOARD_SIM_SEEDS=$${SWITCHBOARD_SIM_SEEDS:-20000} cargo test --release --locked --package simulation -- --nocapture

# Each target of the fuzzer for a minute; SWITCHBOARD_FUZZ_SECONDS says how long else. See docs/reliability.md.
fuzz:
	ops/fuzz $${SWITCHBOARD_FUZZ_SECONDS:-60}

fmt:
	cargo fmt --all

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	ops/lint

# The two web apps, into widget-js/dist and console/dist, where their sources changed.
web: widget-js/node_modules/.package-lock.json console/node_modules/.package-lock.json
	ops/web widget-js
	ops/web console

# A load of 10,000 idle visitors against a server of its own. See docs/performance.md for more.
load: release
	ops/load idle

bench:
	ops/test-services cargo bench --workspace --locked

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# target/release/switchboard with the web apps in it, and target/release/switchboard-loadtest.
release: web
	cargo build --release --locked --package server --package loadtest --bins

%/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund
