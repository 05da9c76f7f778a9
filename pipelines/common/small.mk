# The base of the pipelines that need no network: the small GPT-2 of pipelines/base.
#
#   BASE=random:pipelines/NAME/config.json   start from random weights, with a tokenizer that is learned from the training part
#   BASE=build/models/gpt2                   start from GPT-2, which is downloaded
#   BASE=DIR                                 start from another model directory
#
# A pipeline sets
#   SMALL, SMALL_VOCABULARY              random weights of a small model, and the tokens of the tokenizer that goes with them
#   FROM_BASE, FROM_RANDOM, FROM_OTHER   options of finetune for pipelines/base, for SMALL and for other weights

BASE ?= pipelines/base

ifeq ($(BASE),$(SMALL))
BASE_READY := $(SMALL:random:%=%)
TOKENIZER := $(OUT)/tokenizer
TOKENIZER_READY := $(TOKENIZER)/vocab.json
FINETUNE ?= $(FROM_RANDOM)

$(TOKENIZER)/vocab.json: $(OUT)/train.ndjson | build
	$(BIN)/train-tokenizer --vocab-size $(SMALL_VOCABULARY) --out $(TOKENIZER) $<
else
FINETUNE ?= $(if $(filter pipelines/base,$(BASE)),$(FROM_BASE),$(FROM_OTHER))
include pipelines/common/gpt2.mk
endif
