# The demo: spam or not, on messages written for this project, with the base in pipelines/base. Offline.

OUT := build/demo

include pipelines/common/from-base.mk
FROM_RANDOM := --trainable all --pool mean --epochs 12 --lr 1e-3 --schedule linear --warmup 0.1 \
  --eval-every 90 --eval-batches 0
FROM_OTHER := --trainable last-1 --pool last-token --epochs 5
SMALL := random:pipelines/demo/config.json
# GPT-2's tokenizer has 50,257 tokens; 512 learned ones are enough for 725 messages.
SMALL_VOCABULARY := 512

include pipelines/common/small.mk

$(OUT)/records.ndjson: pipelines/demo/messages.zip $(OUT)/recipe | build
	@mkdir -p $(OUT)
	$(BIN)/fetch-unzip --quiet $< --entry MessageCollection $(TO_TARGET)

$(OUT)/balanced.ndjson: $(OUT)/records.ndjson | build
	$(BIN)/balance $< $(TO_TARGET)

$(OUT)/train.ndjson $(OUT)/validation.ndjson $(OUT)/test.ndjson: $(OUT)/balanced.ndjson $(OUT)/split.settings | build
	$(BIN)/split $(SPLIT) --part $(notdir $(basename $@)) $< $(TO_TARGET)

include pipelines/common/stages.mk

.PHONY: demo-archive
demo-archive: ## (demo) Zip pipelines/demo/messages.tsv again.
	pipelines/demo/build-archive.sh
