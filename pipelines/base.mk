# The base: a small GPT-2, pretrained on a corpus of texts without labels, that other runs can start from.
#
#   make base CORPUS=DIR                    everything: mix, tokenizer, shards, training, evaluation
#   make base-shards CORPUS=DIR             everything before the training
#   make base-check                         whether the mix has texts that models are tested on
#   make base-keep                          copy the trained base, with its card, to pipelines/base
#   make base CORPUS=DIR VOCABULARY=8192    with a tokenizer of another size
#   make base CORPUS=DIR PRETRAIN='…' ANNEAL='…'   with other options of pretrain
#   make base CORPUS=DIR SEED=2             mixed and trained with another seed
#
# CORPUS holds files of records, NAME.ndjson or NAME.ndjson.zst, of which only `text` is read. pipelines/base-recipe/sources.tsv
# says how often a file is used, and how much of it is cut into lines; a file that it doesn't have is used once, whole. The
# corpus isn't part of this project: the weights, the tokenizer and the table of sources are.
#
# Training has two stages: most of it on rows of 128 tokens, with a constant learning rate; then rows of 256, with a rate that
# falls to 0. It saves itself every 200 steps. A make that was stopped goes on from there.

OUT := build/base
RECIPE := pipelines/base-recipe
# The seed of the mix and of pretrain, where one is set. Without it the mix has 1, and pretrain its own.
SEED ?=
MIX_SEED := $(or $(strip $(SEED)),1)
SEED_OPTION := $(if $(strip $(SEED)),--seed $(strip $(SEED)))
VOCABULARY ?= 16384
# Both stages have 16,384 tokens a step.
UPDATES := --optimizer muon --lr 5e-3 --muon-lr 6e-3 --precision auto
# How the base in pipelines/base was made. More steps make a better one: an epoch has 2,855 of the first stage.
PRETRAIN ?= --max-steps 800 --batch-rows 128 --schedule constant --warmup 58 --ema 0
ANNEAL ?= --max-steps 250 --batch-rows 64 --schedule linear --warmup 5 --ema 0.99 --validate-every 125

ifneq ($(filter all overlap verify baseline,$(MAKECMDGOALS)),)
$(error The base sorts no texts into classes: it is made with make base)
endif

FILES := $(if $(CORPUS),$(sort $(wildcard $(CORPUS)/*.ndjson $(CORPUS)/*.ndjson.zst)))
V := $(OUT)/v$(VOCABULARY)
AWK := LC_ALL=C awk -f $(RECIPE)/words.awk -f $(RECIPE)/unseen.awk
SHA256 := $(if $(shell command -v sha256sum),sha256sum,shasum -a 256)

# A file that is made anew each time, but changes only when its contents do.
REPLACE = if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# The end of a recipe that counts what it writes: the counts $1, sorted, are in $2 before the target appears.
COUNTED = LC_ALL=C sort $1 > $2.partial && rm $1 && mv $2.partial $2 && mv $@.partial $@

.PHONY: base base-shards base-check base-keep FORCE
FORCE:

base: base-shards $(V)/evaluation.txt $(V)/sources.md
	@echo
	@cat $(V)/evaluation.txt
	@echo
	@echo "model    $(V)/model"
	@echo "metrics  $(V)/metrics.ndjson"
	@echo "sources  $(V)/sources.md"
	@echo "use      make base-keep, then finetune --base pipelines/base …"

SHARDS := $(foreach length,128 256,$(V)/train-$(length).shard $(V)/validation-$(length).shard)

base-shards: $(SHARDS) $(OUT)/checked ## (base) Everything before the training.

base-check: $(OUT)/train.ndjson $(OUT)/validation.ndjson ## (base) Look in the mix for texts that models of this project are tested on.
	$(AWK) -f $(RECIPE)/check.awk $(OUT)/unseen.ndjson $^

base-keep: ## (base) Copy the trained base, with its card, to pipelines/base.
	@[ -e $(V)/evaluation.txt ] || { echo "make: there is no $(V)/model: run make base first" >&2; exit 66; }
	@mkdir -p pipelines/base
	cp $(V)/model/* pipelines/base
	jq -c -f $(RECIPE)/thinned.jq $(V)/constant.ndjson $(V)/metrics.ndjson > pipelines/base/training.ndjson
	{ cat $(V)/model/README.md; echo; jq -rs -f $(RECIPE)/stages.jq $(V)/constant.ndjson $(V)/metrics.ndjson; echo; \
	  cat $(RECIPE)/about.md; echo; cat $(V)/sources.md; } > pipelines/base/README.md

# What is missing is told before anything is done.
ifneq ($(filter base base-shards base-check,$(MAKECMDGOALS)),)
CHECKS += check-corpus
endif

.PHONY: check-corpus
check-corpus:
	@[ -n "$(FILES)" ] || [ -z "$(CORPUS)" -a -e $(OUT)/documents.ndjson ] || { echo "make: $(if $(CORPUS),$(CORPUS) has no .ndjson and no .ndjson.zst,there" \
	  "is no corpus): name a folder that has files of records with a text (CORPUS=DIR); docs/pipelines.md describes it" >&2; exit 66; }
	@[ -z "$(filter %.zst,$(FILES))" ] || command -v zstd > /dev/null || { \
	  echo "make: zstd is needed for $(firstword $(filter %.zst,$(FILES))): install it, or unpack the files" >&2; exit 69; }

# Without CORPUS what was made of the last one stays as it is.
$(OUT)/corpus.sha256: FORCE
	@mkdir -p $(OUT)
	@$(if $(FILES),(cd $(CORPUS) && $(SHA256) $(notdir $(FILES))) > $@.new; $(REPLACE),:)

# The texts that models are tested on. Those of sms-spam are among them where that pipeline has been run.
$(OUT)/unseen.ndjson: FORCE
	@mkdir -p $(OUT)
	@{ jq -cR 'split("\t") | {source: "unseen", text: .[1]}' pipelines/demo/messages.tsv pipelines/routing/messages.tsv; \
	  cat /dev/null $(firstword $(wildcard build/sms-spam/records.ndjson build/book/records.ndjson)) \
	    | jq -c '{source: "unseen", text}'; } > $@.new; $(REPLACE)

$(OUT)/documents.ndjson: $(OUT)/corpus.sha256 $(OUT)/unseen.ndjson $(addprefix $(RECIPE)/,collect.sh words.awk unseen.awk clean.awk) | build
	$(RECIPE)/collect.sh $(FILES) \
	  | $(AWK) -f $(RECIPE)/clean.awk -v counts=$(OUT)/clean.tsv.new $(OUT)/unseen.ndjson - > $@.partial
	@$(call COUNTED,$(OUT)/clean.tsv.new,$(OUT)/clean.tsv)

# A mix without this file has the seed 1.
MIX_SEED_FILE := $(if $(filter-out 1,$(MIX_SEED))$(wildcard $(OUT)/seed),$(OUT)/seed)

$(OUT)/seed: FORCE
	@mkdir -p $(OUT)
	@echo '$(MIX_SEED)' > $@.new; $(REPLACE)

$(OUT)/train.ndjson $(OUT)/validation.ndjson: $(OUT)/documents.ndjson $(addprefix $(RECIPE)/,sources.tsv mix.awk) $(MIX_SEED_FILE)
	$(AWK) -f $(RECIPE)/mix.awk -v part=$(notdir $(basename $@)) -v seed=$(MIX_SEED) -v counts=$@.counts \
	  $(RECIPE)/sources.tsv $(OUT)/unseen.ndjson $< | LC_ALL=C sort | cut -f 2- > $@.partial
	@$(call COUNTED,$@.counts,$(basename $@).tsv)

$(OUT)/checked: $(OUT)/train.ndjson $(OUT)/validation.ndjson $(RECIPE)/check.awk
	$(AWK) -f $(RECIPE)/check.awk $(OUT)/unseen.ndjson $(filter %.ndjson,$^) $(TO_TARGET)

$(V)/tokenizer/vocab.json: $(OUT)/train.ndjson | build
	@mkdir -p $(V)
	$(BIN)/train-tokenizer --vocab-size $(VOCABULARY) --out $(V)/tokenizer $<

$(V)/%-128.shard: $(OUT)/%.ndjson $(V)/tokenizer/vocab.json | build
	$(BIN)/tokenize-pad --tokenizer $(V)/tokenizer --pack --length 128 $< $(TO_TARGET)

$(V)/%-256.shard: $(OUT)/%.ndjson $(V)/tokenizer/vocab.json | build
	$(BIN)/tokenize-pad --tokenizer $(V)/tokenizer --pack --length 256 $< $(TO_TARGET)

# The shape of the model, with as many tokens as the tokenizer has.
$(V)/config.json: $(RECIPE)/config.json $(V)/tokenizer/vocab.json
	@jq --slurpfile vocabulary $(V)/tokenizer/vocab.json \
	  '($$vocabulary[0] | length) as $$size | .vocab_size = $$size | .bos_token_id = $$size - 1 | .eos_token_id = $$size - 1' $< $(TO_TARGET)

$(V)/settings: FORCE
	@mkdir -p $(V)
	@echo 'pretrain $(UPDATES) $(PRETRAIN), then $(ANNEAL)$(if $(SEED_OPTION), seed $(strip $(SEED)))' > $@.new; $(REPLACE)

# A run with other settings than those of the checkpoints is refused: remove these, or go back. Metrics of a run that was stopped
# are continued.
PRETRAIN_ON = $(BIN)/pretrain $(V)/train-$1.shard --validation $(V)/validation-$1.shard --tokenizer $(V)/tokenizer $(UPDATES) $(SEED_OPTION) \
  --checkpoint-every 200 --resume --force

$(V)/constant/model.safetensors: $(SHARDS) $(V)/config.json $(V)/settings $(OUT)/checked | build
	$(call PRETRAIN_ON,128) --base random:$(V)/config.json $(PRETRAIN) --out $(V)/constant >> $(V)/constant.partial
	@[ ! -s $(V)/constant.partial ] || mv $(V)/constant.partial $(V)/constant.ndjson
	@touch $@

$(V)/model/model.safetensors: $(V)/constant/model.safetensors
	$(call PRETRAIN_ON,256) --base $(V)/constant $(ANNEAL) --weights bf16 --out $(V)/model >> $(V)/metrics.partial
	@[ ! -s $(V)/metrics.partial ] || mv $(V)/metrics.partial $(V)/metrics.ndjson
	@touch $@

$(V)/evaluation.txt: $(V)/model/model.safetensors $(RECIPE)/evaluation.jq
	@jq -rs -f $(RECIPE)/evaluation.jq $(V)/constant.ndjson $(V)/metrics.ndjson $(TO_TARGET)

$(V)/sources.md: $(OUT)/train.ndjson $(RECIPE)/sources.awk
	@mkdir -p $(V)
	@LC_ALL=C awk -f $(RECIPE)/sources.awk $(OUT)/corpus.sha256 $(OUT)/clean.tsv $(OUT)/train.tsv $(RECIPE)/sources.tsv $(TO_TARGET)
