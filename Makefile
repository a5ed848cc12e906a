# Every verb of the project. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help quickstart build test check reference bench clean deps

VERBOSITY ?= q
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1

AGENT := artifacts/agent/stacyvm-agent
SERVER := stacyvm

AGENT_SOURCES := $(shell find src/StacyVM.Agent src/StacyVM.Protocol -name '*.cs' -not -path '*/obj/*' 2>/dev/null) \
	src/StacyVM.Agent/StacyVM.Agent.csproj src/StacyVM.Protocol/StacyVM.Protocol.csproj
SERVER_SOURCES := $(shell find src -name '*.cs' -not -path '*/obj/*' 2>/dev/null) $(shell find src -name '*.csproj')
BUILD_FILES := Directory.Build.props Directory.Packages.props global.json

help: ## list the verbs
	@awk 'BEGIN {FS = ":.*## "; print "StacyVM: make <verb>\n"} /^[a-z]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' Makefile

quickstart: ## install what is needed, build, and walk through the main job with real output
	@scripts/quickstart

build: deps $(SERVER) ## leave the published native binary ./stacyvm in the root
	@ls -l $(SERVER) | awk '{printf "built ./stacyvm (%.1f MB, the agent is inside)\n", $$5/1e6}'

test: ## install what the tests need, build, run everything, end with the count
	@scripts/ensure-deps build run test
	@$(MAKE) --no-print-directory $(SERVER)
	@scripts/test

check: ## format, analyzers, architecture rules, AOT warnings
	@scripts/ensure-deps build
	@scripts/check

reference: ## write the generated pages below docs again
	@STACYVM_WRITE_REFERENCE=1 dotnet run --project tests/StacyVM.Tests -- -noLogo -class '*ReferenceTests'

bench: build ## measure this machine: ./stacyvm bench $(BENCH), e.g. BENCH=--load
	@./$(SERVER) bench $(BENCH)

clean: ## remove everything that was built
	rm -rf artifacts $(SERVER)
	find src tests bench -depth -type d \( -name bin -o -name obj \) -exec rm -rf {} +

deps:
	@scripts/ensure-deps build run

# The agent is published first: it travels inside the server's binary.
$(AGENT): $(AGENT_SOURCES) $(BUILD_FILES)
	@echo "building the agent (static, native AOT) …"
	@scripts/publish src/StacyVM.Agent artifacts/agent
	@touch $@

$(SERVER): $(AGENT) $(SERVER_SOURCES) $(BUILD_FILES)
	@echo "building the server (native AOT; about a minute the first time) …"
	@scripts/publish src/StacyVM artifacts/server
	@install -m 0755 artifacts/server/stacyvm $(SERVER)
