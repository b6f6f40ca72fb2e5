# The commands of Holdfast. `make demo` and `make test` are all the set-up a fresh Debian 12 needs.
# `make help` lists them.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
PROGRAM := build/release/bin/holdfast

.DEFAULT_GOAL := help
.PHONY: help setup configure build demo test check-style tidy interop bench simulate prove torture fuzz asan tsan format clean

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## Install what is missing (Debian packages, pinned downloads)
	@scripts/bootstrap

configure: setup
	@cmake --preset release >build/configure.log || { cat build/configure.log; exit 1; }

build: configure ## Build the program: build/release/bin/holdfast
	@ninja -C build/release -j$(JOBS) holdfast

demo: build ## Back up a real organization, break it, and get it back
	@$(PROGRAM) demo --sample-data build/deps/vega-datasets/data

test: configure ## All the tests
	@scripts/fetch-deps --python
	@ninja -C build/release -j$(JOBS)
	@tools/run-tests

check-style: ## Layers, file and function sizes, formatting
	@tools/check-style

tidy: ## clang-tidy over our code (slow)
	@scripts/bootstrap tidy
	@tools/run-tidy

interop: configure ## Google's own clients against localcloud, ours against other servers
	@scripts/fetch-deps --python
	@ninja -C build/release -j$(JOBS) holdfast avro_judge contract_message_bus_test
	@interop/run build/release

bench: setup ## Benchmarks beside their peers; writes bench/RESULTS.md
	@scripts/fetch-deps --python
	@bench/run

simulate: configure ## The engine on the simulated cloud, SEEDS (20000) of them from FIRST (1) on
	@ninja -C build/release -j$(JOBS) simulation_test
	@HOLDFAST_SEEDS=$${SEEDS:-20000} HOLDFAST_FIRST_SEED=$${FIRST:-1} build/release/tests/simulation_test \
	  --gtest_filter=BackupSimulation.WhateverHappened* 2>build/simulate.log

prove: configure ## Retention over every small history (19 million), against an oracle
	@ninja -C build/release -j$(JOBS) prove_retention
	@HOLDFAST_PROVE=1 build/release/tests/prove_retention

torture: build ## SIGKILL of the program and of localcloud, ROUNDS (500) in each scenario
	@HOLDFAST_ROUNDS=$${ROUNDS:-500} /usr/bin/python3 tests/scenario/kill.py $(PROGRAM)

fuzz: ## Fuzz every parser of outside bytes, FUZZ_SECONDS (60) each
	@scripts/bootstrap fuzz
	@tools/run-fuzz

asan: setup ## The unit tests under AddressSanitizer and UBSan
	@tools/run-sanitized asan

tsan: setup ## The unit tests under ThreadSanitizer
	@tools/run-sanitized tsan

format: ## Format our C++ in place
	@git ls-files '*.h' '*.cc' | xargs clang-format-14 -i

clean: ## Remove build products (keeps downloads)
	@rm -rf build/release build/debug build/asan build/tsan build/fuzz
