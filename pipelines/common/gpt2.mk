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

$(FETCHED)/vocab.json: | build
	$(BIN)/fetch-model $(MODEL) --out $(FETCHED) $(MIRROR_OPTION) --tokenizer-only

$(FETCHED)/model.safetensors: | $(FETCHED)/vocab.json build
	$(BIN)/fetch-model $(MODEL) --out $(FETCHED) $(MIRROR_OPTION)
