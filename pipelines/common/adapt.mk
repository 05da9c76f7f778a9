# Adaptation: before a base is fine-tuned it learns, as a language model, to predict the texts of the training part, and texts
# without labels of the same kind (Gururangan et al. 2020, https://arxiv.org/abs/2004.10964).
#
#   UNLABELLED=FILE   records of which only the text is read; those of validation and test are left out
#   ADAPT='…'         options of pretrain; with ADAPT= nothing is adapted

UNLABELLED ?=
ADAPT ?= $(if $(UNLABELLED),--epochs 5 --batch-rows 16 --lr 5e-4 --schedule linear --warmup 0.1 --precision auto)
ADAPTATION_LENGTH := 128

ifeq ($(strip $(ADAPT)),)
START := $(BASE)
START_READY := $(BASE_READY)
else
START := $(OUT)/adapted
START_READY := $(OUT)/adapted/model.safetensors
endif

ifneq ($(UNLABELLED),)
CHECKS += check-unlabelled
endif

.PHONY: check-unlabelled
check-unlabelled:
	@[ -f "$(UNLABELLED)" -a -r "$(UNLABELLED)" ] || { echo "make: there is no $(UNLABELLED) to read: name a file of records (UNLABELLED=FILE)" >&2; exit 66; }

$(OUT)/texts.ndjson: $(OUT)/train.ndjson $(OUT)/validation.ndjson $(OUT)/test.ndjson $(UNLABELLED) $(OUT)/adaptation.settings
	@jq -cn --slurpfile validation $(OUT)/validation.ndjson --slurpfile test $(OUT)/test.ndjson \
	  -f pipelines/common/texts.jq $(OUT)/train.ndjson $(UNLABELLED) $(TO_TARGET)

$(OUT)/texts.shard: $(OUT)/texts.ndjson $(TOKENIZER_READY) | build
	$(BIN)/tokenize-pad --tokenizer $(TOKENIZER) --pack --length $(ADAPTATION_LENGTH) $< $(TO_TARGET)

$(OUT)/validation-texts.shard: $(OUT)/validation.ndjson $(TOKENIZER_READY) $(OUT)/adaptation.settings | build
	$(BIN)/tokenize-pad --tokenizer $(TOKENIZER) --pack --length $(ADAPTATION_LENGTH) $< $(TO_TARGET)

$(OUT)/adapted/model.safetensors: $(OUT)/texts.shard $(OUT)/validation-texts.shard $(BASE_READY) $(OUT)/adaptation.settings | build
	$(BIN)/pretrain $< --base $(BASE) --tokenizer $(TOKENIZER) $(ADAPT) $(SEED_OPTION) --validation $(OUT)/validation-texts.shard \
	  --out $(OUT)/adapted --force > $(OUT)/adaptation.partial
	@mv $(OUT)/adaptation.partial $(OUT)/adaptation.ndjson
