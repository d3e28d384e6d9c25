# Toji (杜氏): two commands.
#   make demo            install what is missing, build, load the demonstration, serve http://127.0.0.1:8080
#   make demo DATA=DIR   the same with your own folder of instrument files
#   make test            everything CI runs

# Where Rust lies once scripts/setup.sh has installed it.
export PATH := $(HOME)/.cargo/bin:$(PATH)

DATA ?=
STORE ?= toji-demo
ADDRESS ?= 127.0.0.1:8080

.PHONY: demo test ui setup bench lint fuzz shots docs api

demo: setup ui
	cargo build --locked --workspace --bin toji
	./target/debug/toji --store $(STORE) demo --address $(ADDRESS) $(if $(DATA),--data $(DATA))

test:
	./scripts/test.sh

setup:
	./scripts/setup.sh build

ui:
	cd ui && npm ci --no-audit --no-fund && npm run build

# The HTTP contract that the pages' types are made from, after an operation changed.
api:
	cargo build --locked --workspace --bin toji
	./target/debug/toji openapi > ui/openapi.json

lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

bench: setup
	python3 bench/bf1/run.py
	python3 bench/culture/run.py

fuzz:
	./scripts/fuzz.sh

shots:
	TOJI_SHOTS="$(CURDIR)/docs/src/images" ./scripts/test-pages.sh

docs:
	mdbook build docs/en && mdbook build docs/ja
	cp -r docs/src/images docs/book/
