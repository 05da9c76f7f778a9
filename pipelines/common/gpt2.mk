# GPT-2's weights and tokenizer, for the pipelines that start from them.
#
#   MIRROR=DIR          look for the files in DIR/gpt2 before asking the network
#   BASE=random:gpt2    start from random weights: then only the tokenizer is fetched
#   BASE=DIR            start from a model directory
#   MODEL=gpt2-medium   a larger GPT-2

MIRROR_OPTION := $(if $(MIRROR),--mirror $(MIRROR))

FETCHED := build/models/$(MODEL)
BASE ?= $(FETCHED)

ifneq ($(filter random:%,$(BASE)),)
TOKENIZER := $(FETCHED)
TOKENIZER_READY := $(FETCHED)/vocab.json
else ifeq ($(BASE),$(FETCHED))
TOKENIZER := $(FETCHED)
TOKENIZER_READY := $(FETCHED)/vocab.json
BASE_READY := $(FETCHED)/model.safetensors
else
TOKENIZER := $(BASE)
endif

# The files of GPT-2 to be fetched, if any. (Experiments fetch their weights themselves, row by row.)
WANTED_FILES := $(if $(filter $(FETCHED),$(TOKENIZER)),vocab.json) \
  $(if $(filter experiments,$(PIPELINE)),,$(if $(filter $(FETCHED),$(BASE)),model.safetensors))
CHECKS += check-base check-gpt2

# A configuration has to be there, and have the tokens of the tokenizer.
CONFIGURATION := $(filter %.json,$(BASE:random:%=%))
GPT2_TOKENS := 50257

.PHONY: check-base
check-base:
	@config='$(CONFIGURATION)'; [ -n "$$config" ] || exit 0; \
	[ -f "$$config" ] || { echo "make: there is no $$config: name the config.json of a GPT-2 (BASE=random:CONFIG.json)" >&2; exit 66; }; \
	[ "$(TOKENIZER)" != "$(FETCHED)" ] || [ "$$(jq .vocab_size "$$config")" = $(GPT2_TOKENS) ] || { \
	  echo "make: $$config has another number of tokens than GPT-2's tokenizer: name its tokenizer (TOKENIZER=DIR)" >&2; exit 78; }

.PHONY: check-gpt2
check-gpt2:
	@for file in $(WANTED_FILES); do \
	  [ -e "$(FETCHED)/$$file" ] || $(if $(MIRROR),[ -e "$(MIRROR)/$(MODEL)/$$file" ] ||) missing="$${missing:-} $$file"; \
	done; \
	[ -z "$${missing:-}" ] || pipelines/common/reachable.sh huggingface.co || { \
	  echo "make:$$missing of $(MODEL) can't be had: huggingface.co doesn't answer, and neither $(FETCHED)" \
	    "nor $(if $(MIRROR),$(MIRROR)/$(MODEL),a MIRROR=DIR) has them: connect to the network, put them there," \
	    "or take other weights (BASE=pipelines/base, BASE=DIR, BASE=random:$(MODEL))" >&2; exit 69; }

$(FETCHED)/vocab.json: | build
	$(BIN)/fetch-model $(MODEL) --out $(FETCHED) $(MIRROR_OPTION) --tokenizer-only

$(FETCHED)/model.safetensors: | $(FETCHED)/vocab.json build
	$(BIN)/fetch-model $(MODEL) --out $(FETCHED) $(MIRROR_OPTION)
