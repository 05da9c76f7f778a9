# Five classes: the desk that a message to customer service belongs to. Messages written for this project, and the base in
# pipelines/base. Offline.
#
# For a task of your own copy this file to pipelines/mine.mk, change OUT and the rule for records.ndjson, and run
# `make all PIPELINE=mine` (docs/pipelines.md).

OUT := build/routing

# Equal texts stay in one part, and every part has the same shares of the classes.
SPLIT := --group-by text --stratify

# Where words are dropped, longer training pays.
FROM_BASE_EPOCHS := 10
include pipelines/common/from-base.mk
FROM_BASE += --class-weights balanced --word-dropout 0.15
FROM_RANDOM := --trainable all --pool mean --epochs 10 --lr 1e-3 --schedule cosine --warmup 0.1 --label-smoothing 0.1 \
  --class-weights balanced --eval-every 104 --eval-batches 0
FROM_OTHER := --trainable last-2 --pool last-token --epochs 5 --class-weights balanced
SMALL := random:pipelines/routing/config.json
# GPT-2's tokenizer has 50,257 tokens; 2,048 learned ones are enough for a thousand messages.
SMALL_VOCABULARY := 2048

include pipelines/common/small.mk

# Lines of a class, a tab, and a text.
$(OUT)/records.ndjson: pipelines/routing/messages.tsv $(OUT)/recipe | build
	@mkdir -p $(OUT)
	jq -cR 'split("\t") | {id: "routing-\(input_line_number)", label: .[0], text: .[1]}' $< $(TO_TARGET)

$(OUT)/train.ndjson $(OUT)/validation.ndjson $(OUT)/test.ndjson: $(OUT)/records.ndjson $(OUT)/split.settings | build
	$(BIN)/split $(SPLIT) --part $(notdir $(basename $@)) $< $(TO_TARGET)

include pipelines/common/stages.mk
