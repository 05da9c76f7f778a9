# Five classes: the desk that a message to customer service belongs to. Messages written for this project, and a small
# GPT-2 trained from scratch. Offline.
#
#   make all PIPELINE=routing BASE=build/models/gpt2    from pretrained GPT-2, which is downloaded
#
# For a task of your own copy this file to pipelines/mine.mk, change OUT and the rule for records.ndjson, and run
# `make all PIPELINE=mine` (docs/pipelines.md).

OUT := build/routing

# Equal texts stay in one part, and every part has the same shares of the classes.
SPLIT := --group-by text --stratify

SMALL := random:pipelines/routing/config.json
BASE ?= $(SMALL)

ifeq ($(BASE),$(SMALL))
BASE_READY := pipelines/routing/config.json
TOKENIZER := $(OUT)/tokenizer
TOKENIZER_READY := $(TOKENIZER)/vocab.json
FINETUNE ?= --trainable all --pool mean --epochs 10 --lr 1e-3 --schedule cosine --warmup 0.1 --label-smoothing 0.1 \
  --class-weights balanced --eval-every 104 --eval-batches 0

# GPT-2's tokenizer has 50,257 tokens; 2,048 learned ones are enough for a thousand messages.
$(TOKENIZER)/vocab.json: $(OUT)/train.ndjson | build
	$(BIN)/train-tokenizer --vocab-size 2048 --out $(TOKENIZER) $<
else
FINETUNE ?= --trainable last-2 --pool last-token --epochs 5 --class-weights balanced
include pipelines/common/gpt2.mk
endif

# Lines of a class, a tab, and a text.
$(OUT)/records.ndjson: pipelines/routing/messages.tsv | build
	@mkdir -p $(OUT)
	jq -cR 'split("\t") | {id: "routing-\(input_line_number)", label: .[0], text: .[1]}' $< > $@

$(OUT)/train.ndjson $(OUT)/validation.ndjson $(OUT)/test.ndjson: $(OUT)/records.ndjson $(OUT)/settings | build
	$(BIN)/split $(SPLIT) --part $(notdir $(basename $@)) $< > $@

include pipelines/common/stages.mk
