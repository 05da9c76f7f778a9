# GPT-2 as Unix filters: everything that can be made. `make` alone prints the targets.

# Older ones run recipes without -e, -u and pipefail (.SHELLFLAGS), so that what fails would seem to have gone well.
ifeq ($(filter oneshell,$(.FEATURES)),)
$(error This make is too old: install GNU make 3.82 or newer (brew install make) and run gmake)
endif

# The goals of the experiments and of the base name their pipeline themselves.
OWN_PIPELINE := $(if $(filter experiment%,$(MAKECMDGOALS)),experiments)$(if $(filter base base-%,$(MAKECMDGOALS)),base)
ifneq ($(OWN_PIPELINE),)
ifneq ($(filter-out $(OWN_PIPELINE),$(if $(filter command,$(origin PIPELINE)),$(PIPELINE))),)
$(error $(firstword $(MAKECMDGOALS)) takes no PIPELINE$(if $(filter experiments,$(OWN_PIPELINE)),; DATA=$(PIPELINE) takes its texts))
endif
PIPELINE := $(OWN_PIPELINE)
endif
PIPELINE ?= demo
# A folder of this name beside another one would be entered instead of ours.
unexport CDPATH
MODEL ?= gpt2
MIRROR ?=
SWIFT ?= swift
PYTHON ?= python3
PREFIX ?= /usr/local

# What may be set on the command line. Without this list a misspelt name would be ignored.
SETTINGS_OF_MAKE := PIPELINE MODEL MIRROR BASE LENGTH FINETUNE SPLIT TOKENIZER DATA SEEDS ROWS OPTIONS CORPUS VOCABULARY PRETRAIN ANNEAL \
  UNLABELLED ADAPT SEED OUT ONLY RUNS STEPS BASES QUICK FULL SWIFT SWIFT_FLAGS PYTHON PREFIX DESTDIR LOCKED
UNKNOWN := $(filter-out $(SETTINGS_OF_MAKE),$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name))))
ifneq ($(UNKNOWN),)
$(error There is no $(firstword $(UNKNOWN)) to be set. It is one of: $(filter-out LOCKED,$(SETTINGS_OF_MAKE)))
endif

# Paths become words of commands and prerequisites.
PATHS := OUT BASE TOKENIZER MIRROR UNLABELLED CORPUS
$(foreach name,$(PATHS),$(if $(word 2,$($(name)))$(findstring ',$($(name)))$(findstring ",$($(name))),$(error $(name)=$($(name)): a path with a blank or a quotation mark can't be used here: name another one)))
ifeq ($(origin OUT)/$(strip $(OUT)),command line/)
$(error OUT is empty: name a folder)
endif
# A folder may be written as a shell completes it.
folder = $(patsubst ./%,%,$(patsubst $(CURDIR)/%,%,$(patsubst %/,%,$1)))
ifneq ($(BASE),)
override BASE := $(if $(filter random:%,$(BASE)),random:)$(call folder,$(BASE:random:%=%))
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
SHELL := /bin/bash
.SHELLFLAGS := -e -u -o pipefail -c

FILTERS := fetch-unzip balance split train-tokenizer tokenize-pad pretrain generate finetune baseline score evaluate calibrate suspects explain report fetch-model convert-model
BIN := .build/release
PACKAGES := libzip-dev libdnnl-dev libssl-dev pkg-config gnuplot-nox jq
BREW_PACKAGES := libzip onednn gnuplot jq pkgconf
# Some tests need these, and are skipped without them.
TEST_PACKAGES := strace python3 openssl

# Homebrew's headers and libraries are where the compiler doesn't look by itself.
ifeq ($(shell uname -s),Darwin)
BREW := $(shell brew --prefix 2>/dev/null)
override SWIFT_FLAGS += -Xcc -I$(BREW)/include -Xlinker -L$(BREW)/lib
endif

PIPELINES := $(sort $(patsubst pipelines/%.mk,%,$(wildcard pipelines/*.mk)))
ifneq ($(words $(foreach name,$(PIPELINES),$(if $(filter 1/$(name),$(words $(PIPELINE))/$(PIPELINE)),$(name)))),1)
$(error There is no pipelines/$(PIPELINE).mk. PIPELINE is one of: $(PIPELINES))
endif

# Goals that don't touch a pipeline's files. All others work on its folder, one make at a time.
FREE_GOALS := help deps build test test-cpus sanitize parity bench lint format docs examples server server-test install deb uninstall clean
# The table can be printed while runs are in progress.
LOCKED_GOALS := $(if $(LOCKED),,$(filter-out $(FREE_GOALS),$(filter-out experiments-table,$(MAKECMDGOALS))))

.PHONY: $(FREE_GOALS) all base experiments overlap verify baseline report

help: ## Print this list.
	@echo "make TARGET [PIPELINE=NAME] [BASE=random:gpt2|DIR] [MIRROR=DIR] [MODEL=gpt2] [LENGTH=N] [FINETUNE='--epochs 3 …']"
	@echo "PIPELINE is one of: $(filter-out experiments base,$(PIPELINES)). Without it: demo"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile pipelines/$(PIPELINE).mk | expand -t 18

deps: ## Install the system packages that are missing.
	@if command -v dpkg-query > /dev/null; then \
	  missing=; \
	  for package in $(PACKAGES); do \
	    case $$package in gnuplot-nox) if command -v gnuplot > /dev/null; then continue; fi;; esac; \
	    dpkg-query -W -f '$${db:Status-Status}\n' $$package 2> /dev/null | grep -qx installed || missing="$$missing $$package"; \
	  done; \
	  if [ -z "$$missing" ]; then exit 0; fi; \
	  if [ "$$(id -u)" = 0 ]; then run=; \
	  elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then run=sudo; \
	  else echo "make: packages are missing; run: sudo apt-get install$$missing" >&2; exit 69; fi; \
	  echo "installing$$missing"; \
	  $$run apt-get update -qq || true; \
	  $$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-remove --no-install-recommends $$missing > /dev/null; \
	elif command -v brew > /dev/null; then \
	  for package in $(BREW_PACKAGES); do brew list --versions $$package > /dev/null || brew install $$package; done; \
	else \
	  echo "make: neither apt nor Homebrew is here; install oneDNN, libzip and OpenSSL with their headers, gnuplot and jq" >&2; \
	fi

build: deps ## Compile all filters into .build/release.
	@$(SWIFT) build -c release $(SWIFT_FLAGS)

# The end of a command whose output is the target: the file appears whole, or not at all, even after a SIGKILL.
TO_TARGET = > $@.partial && mv $@.partial $@

# Pipelines: each sets OUT = build/NAME and has the rules for its files.
ifeq ($(LOCKED_GOALS),)
include pipelines/$(PIPELINE).mk

all: $(OUT)/evaluation.txt $(OUT)/loss.svg $(OUT)/accuracy.svg $(OUT)/report.html ## Run the pipeline: fetch, train, score, evaluate, plot, report.
	@echo
	@cat $(OUT)/evaluation.txt
	@echo
	@echo "model    $(OUT)/model"
	@echo "metrics  $(OUT)/metrics.ndjson"
	@echo "plots    $(OUT)/loss.svg $(OUT)/accuracy.svg"
	@echo "report   $(OUT)/report.html"
	@echo "try      echo 'some text' | $(BIN)/score --model $(OUT)/model"

report: $(OUT)/report.html ## Write one page about the run: data, training, results, mistakes.
	@echo $<

base: ## Pretrain a base on the texts of CORPUS=DIR: mix, tokenizer, shards, training, evaluation.

experiments: ## Run the 19 experiments of the chapter, published beside measured; experiment-16 runs one.

overlap: $(OUT)/train.ndjson $(OUT)/validation.ndjson $(OUT)/test.ndjson ## Count the texts that are also in the training part.
	@for part in validation test; do \
	  jq -nr --arg part $$part --slurpfile train $< -f pipelines/common/overlap.jq $(OUT)/$$part.ndjson; \
	done

verify: | build ## Compare the model's weights with the checksum in its config.json.
	$(BIN)/score --verify --model $(OUT)/model < /dev/null

baseline: $(OUT)/baseline.ndjson ## Evaluate a linear model on n-grams, on the same parts.
	@$(BIN)/evaluate $<

$(OUT)/baseline/config.json: $(OUT)/train.ndjson | build
	@$(BIN)/baseline --quiet $< --out $(OUT)/baseline --force > $(OUT)/baseline-metrics.ndjson

$(OUT)/baseline.ndjson: $(OUT)/test.ndjson $(OUT)/baseline/config.json
	@$(BIN)/score --quiet --model $(OUT)/baseline --input ndjson $< $(TO_TARGET)

# What a pipeline needs is checked before anything is done.
deps: | $(CHECKS)
else
FOLDER := $(if $(filter command,$(origin OUT)),$(OUT),build/$(if $(filter experiments,$(PIPELINE)),$(or $(DATA),book),$(PIPELINE)))

.PHONY: $(LOCKED_GOALS) experiments-table
$(LOCKED_GOALS) $(filter experiments-table,$(MAKECMDGOALS)):
	@pipelines/common/locked.sh $(FOLDER) $(MAKE) --no-print-directory LOCKED=1 $@
endif

# Tests of the mathematics, which mustn't depend on the kernels that oneDNN chooses for this CPU.
MATHS_TESTS := GPT2KitTests
AVX512 := $(shell grep -qsw avx512f /proc/cpuinfo && echo AVX512_CORE)

test: PACKAGES += $(TEST_PACKAGES)
test: deps ## Run all tests.
	@$(SWIFT) build -c release --build-tests $(SWIFT_FLAGS)
	@$(SWIFT) test -c release --skip-build $(SWIFT_FLAGS) 2>&1 | awk -f Tests/summary.awk

test-cpus: deps ## Run the tests of the mathematics as on older CPUs: AVX2, and AVX-512 without bf16 if this CPU has it.
	@$(SWIFT) build -c release --build-tests $(SWIFT_FLAGS)
	@for isa in AVX2 $(AVX512); do \
	  echo "oneDNN as on a CPU with $$isa"; \
	  ONEDNN_MAX_CPU_ISA=$$isa $(SWIFT) test -c release --skip-build $(SWIFT_FLAGS) --filter '$(MATHS_TESTS)' 2>&1 \
	    | awk -f Tests/summary.awk | grep -v '^. \(Test\|Suite\) .*\(started\|passed\)'; \
	done

# Leaks aren't looked for: Swift keeps bits of its own in pointers, which LeakSanitizer then takes for lost.
sanitize: export ASAN_OPTIONS := detect_leaks=0
sanitize: export TSAN_OPTIONS := suppressions=$(CURDIR)/Tests/sanitize/thread.supp
sanitize: deps ## Run the tests of the mathematics under ThreadSanitizer, and those of all libraries under AddressSanitizer.
	@run() { \
	  $(SWIFT) build -c release --build-tests --sanitize $$1 --scratch-path .build/$$1 $(SWIFT_FLAGS); \
	  $(SWIFT) test -c release --skip-build --sanitize $$1 --scratch-path .build/$$1 $(SWIFT_FLAGS) "$${@:2}" 2>&1 \
	    | awk -f Tests/summary.awk | grep -v '^. \(Test\|Suite\) .*\(started\|passed\)'; \
	}; \
	run thread --filter '$(MATHS_TESTS)'; \
	run address --skip FilterTests

# SwiftPM's plan of a package doesn't notice files that are new in one that it depends on by path, so it is made anew.
examples: build ## Build the example programs of Examples/, which use the library as any package would.
	@rm -f .build/examples/release.yaml
	@$(SWIFT) build -c release $(SWIFT_FLAGS) --package-path Examples --scratch-path .build/examples

server: build ## Build score-server, a package of its own in Server/.
	@rm -f .build/server/release.yaml
	@$(SWIFT) build -c release $(SWIFT_FLAGS) --package-path Server --scratch-path .build/server

# Its model: the demo's.
server-test: server ## Ask a running score-server what a client could; with schemathesis and selenium (PYTHON=…) more of it.
	@[ -e build/demo/model/model.safetensors ] || { echo "make: there is no build/demo/model: run make all first" >&2; exit 66; }
	@PYTHON='$(PYTHON)' Server/Tests/run.sh build/demo/model

parity: build ## Compare 50 training steps of GPT-2 124M with PyTorch's; needs PyTorch.
	@Benchmarks/parity.sh

bench: build ## Measure against PyTorch, tiktoken and jq; writes BENCHMARKS.md (ONLY=… RUNS=… PYTHON=… QUICK=1 FULL=1).
	@ONLY='$(ONLY)' RUNS='$(RUNS)' PYTHON='$(PYTHON)' MIRROR='$(MIRROR)' BASE='$(if $(filter command,$(origin BASE)),$(BASE))' DATA='$(DATA)' \
	  STEPS='$(STEPS)' QUICK='$(QUICK)' FULL='$(FULL)' Benchmarks/bench

FORMATTED := Package.swift Sources Tests Benchmarks $(foreach package,Examples Server,$(package)/Package.swift $(package)/Sources)

lint: ## Check the style of the sources, who imports whom, names of files, and the documentation of declarations.
	@$(SWIFT) format lint --strict --recursive --parallel $(FORMATTED)
	@Tests/floors.sh

format: ## Format the sources.
	@$(SWIFT) format --in-place --recursive --parallel $(FORMATTED)

# The libraries that others may build on. Whatever DocC warns of ends it: a link that leads nowhere, a parameter without a word.
DOCUMENTED := Records Tokenization GPT2Kit

docs: deps ## Build the documentation of the libraries, DocC archives in build/docs.
	@mkdir -p build/docs
	@for library in $(DOCUMENTED); do \
	  $(SWIFT) package -c release $(SWIFT_FLAGS) --allow-writing-to-directory build/docs generate-documentation --target $$library \
	    --output-path build/docs/$$library.doccarchive --warnings-as-errors; \
	done
	@echo "read them with: $(PYTHON) -m http.server --directory build/docs/GPT2Kit.doccarchive, then /documentation/gpt2kit"

# The installed tools need oneDNN, libzip, libcrypto and libcurl, and no Swift: its library is linked into them, where the system
# allows it. Its part that downloads needs libcurl.
STATIC := $(if $(BREW),,--static-swift-stdlib --scratch-path .build/static -Xlinker --as-needed -Xlinker -lcurl)
INSTALLED_FROM := $(if $(BREW),$(BIN),.build/static/release)

install: PACKAGES += libcurl4-openssl-dev
install: deps ## Install `gpt2`, the filters, their manual and completions in PREFIX (default /usr/local).
	@$(SWIFT) build -c release $(STATIC) $(SWIFT_FLAGS)
	@Sources/gpt2/install.sh $(INSTALLED_FROM) "$(DESTDIR)$(PREFIX)" $(FILTERS)

deb: PACKAGES += libcurl4-openssl-dev dpkg-dev
deb: deps ## Make a package for Debian of what install installs, in build/.
	@$(SWIFT) build -c release $(STATIC) $(SWIFT_FLAGS)
	@Sources/gpt2/deb.sh $(INSTALLED_FROM) build $(FILTERS)

uninstall: ## Remove what install has put into PREFIX.
	@rm -rf "$(DESTDIR)$(PREFIX)/libexec/gpt2"
	@rm -f "$(DESTDIR)$(PREFIX)/bin/gpt2" $(FILTERS:%="$(DESTDIR)$(PREFIX)/share/man/man1/gpt2-%.1") \
	  "$(DESTDIR)$(PREFIX)/share/man/man1/gpt2.1" "$(DESTDIR)$(PREFIX)/share/man/man5/gpt2kit-formats.5" \
	  "$(DESTDIR)$(PREFIX)/share/man/man7/gpt2kit.7" "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/gpt2" \
	  "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_gpt2" "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/gpt2.fish"

clean: ## Remove what pipelines and compiler made. Downloads in build/cache and build/models stay.
	@for lock in build/*/.lock; do \
	  if [ -e "$$lock" ] && command -v flock > /dev/null && ! flock -n "$$lock" true; then \
	    echo "make: another make is at work on $$(dirname "$$lock"): wait for it, or end it" >&2; exit 75; \
	  fi; \
	done
	@$(SWIFT) package clean
	@rm -rf .build/thread .build/address .build/static .build/examples .build/server
	@if [ -d build ]; then find build/ -mindepth 1 -maxdepth 1 ! -name cache ! -name models -exec rm -rf {} +; fi
