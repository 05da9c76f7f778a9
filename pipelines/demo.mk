# The demo: spam or not, on messages written for this project, with a small GPT-2 trained from scratch. Offline.

OUT := build/demo

TOKENIZER := $(OUT)/tokenizer
TOKENIZER_READY := $(TOKENIZER)/vocab.json
BASE := random:pipelines/demo/config.json
BASE_READY := pipelines/demo/config.json
FINETUNE := --trainable all --pool mean --epochs 12 --lr 1e-3 --schedule linear --warmup 0.1 \
  --eval-every 90 --eval-batches 0

$(OUT)/records.ndjson: pipelines/demo/messages.zip | build
	@mkdir -p $(OUT)
	$(BIN)/fetch-unzip --quiet $< --entry MessageCollection > $@

$(OUT)/balanced.ndjson: $(OUT)/records.ndjson | build
	$(BIN)/balance $< > $@

$(OUT)/train.ndjson $(OUT)/validation.ndjson $(OUT)/test.ndjson: $(OUT)/balanced.ndjson | build
	$(BIN)/split --part $(notdir $(basename $@)) $< > $@

# GPT-2's tokenizer has 50,257 tokens; 512 learned ones are enough for 725 messages.
$(TOKENIZER)/vocab.json: $(OUT)/train.ndjson | build
	$(BIN)/train-tokenizer --vocab-size 512 --out $(TOKENIZER) $<

include pipelines/common/stages.mk

.PHONY: demo-archive
demo-archive: ## (demo) Zip pipelines/demo/messages.tsv again.
	pipelines/demo/build-archive.sh
