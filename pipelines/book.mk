# Chapter 6 of "Build a Large Language Model (From Scratch)", exactly as published: as many ham as spam (747), 70/10/20, every
# message padded to the longest training message with <|endoftext|>, pretrained GPT-2 (124M), the last block, the final
# LayerNorm and the head trained, loss and accuracy from the last position, which for most messages is a pad. All of it
# in 32-bit floats.

OUT := build/book

FINETUNE ?= --trainable last-1 --pool last-position --epochs 5 --batch 8 --lr 5e-5 --weight-decay 0.1 \
  --eval-every 50 --eval-batches 5 --seed 123 --precision f32

include pipelines/common/uci.mk

$(OUT)/balanced.ndjson: $(OUT)/records.ndjson | build
	$(BIN)/balance --seed 123 $< $(TO_TARGET)

BOOK_SPLIT := --fractions 0.7,0.1,0.2 --seed 123

$(OUT)/train.ndjson $(OUT)/validation.ndjson $(OUT)/test.ndjson: $(OUT)/balanced.ndjson $(OUT)/split.settings | build
	$(BIN)/split $(or $(SPLIT),$(BOOK_SPLIT)) --part $(notdir $(basename $@)) $< $(TO_TARGET)

include pipelines/common/stages.mk
