# The 19 experiments that go with chapter 6: what to train, which token to read, how to pad, from which weights.
# Published results: https://github.com/rasbt/LLMs-from-scratch, ch06/02_bonus_additional-experiments.
#
#   make experiments                          all of them, then build/experiments/results.md and results.ndjson
#   make experiment-16                        one of them
#   make experiment-10 SEEDS=3                with seeds 123, 124, 125: mean ± standard deviation
#   make experiments BASE=random:gpt2         from random weights; the table says so in every row
#   make experiments ROWS='1 2 16'            some of them
#   make experiments OPTIONS='--epochs 2'     with other options of finetune
#   make experiments OPTIONS='--features build/features'   frozen blocks once for all rows and seeds that share them
#   make experiments LENGTH=120               pad to, or cut at, 120 tokens where a row says the longest
#   make experiments DATA=demo                on the split of another pipeline
#   make experiments-table                    print the table of the finished runs (with their OPTIONS and LENGTH)
#
# A finished run, one row with one seed, isn't repeated. With other options, weights or tokens it is another run, beside
# the first: every choice of OPTIONS and LENGTH has a table of its own, with all its seeds. A run that two rows share is made
# once. A run that fails leaves its reason in the table, and the others continue; the next make tries it again.

DATA ?= book
SEEDS ?= 1
OPTIONS ?=
ALL_ROWS := 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19
ROWS ?= $(ALL_ROWS)

ifeq ($(filter $(DATA),$(filter-out experiments base,$(PIPELINES))),)
$(error There is no pipeline $(DATA). DATA is one of: $(filter-out experiments base,$(PIPELINES)))
endif
ifneq ($(shell expr '$(SEEDS)' : '[1-9][0-9]*$$' > /dev/null || echo bad),)
$(error SEEDS=$(SEEDS) isn't a number of seeds from 1 on)
endif

include pipelines/$(DATA).mk

#         model        padded to  options of finetune
ROW_1  := gpt2         longest    --pool last-position --trainable last-1
ROW_2  := gpt2         longest    --pool first --trainable last-1
ROW_3  := gpt2         longest    --pool last-position --trainable head
ROW_4  := gpt2         longest    --pool last-position --trainable last-2
ROW_5  := gpt2         longest    --pool last-position --trainable all
ROW_6  := gpt2-medium  longest    --pool last-position --trainable last-1
ROW_7  := gpt2-large   longest    --pool last-position --trainable last-1
ROW_8  := gpt2-xl      longest    --pool last-position --trainable last-1
ROW_9  := gpt2-xl      longest    --pool last-position --trainable all
# Always from random weights.
ROW_10 := gpt2         longest    --pool last-position --trainable all
ROW_11 := gpt2         longest    --pool last-position --lora-rank 16 --lora-alpha 16
ROW_12 := gpt2-xl      longest    --pool last-position --lora-rank 16 --lora-alpha 8
ROW_13 := gpt2         1024       --pool last-position --trainable last-1
# The last token of a text sees no pad, and none is computed, so padding changes nothing.
ROW_14 := gpt2         longest    --pool last-token --trainable last-1 --batch 1
ROW_15 := gpt2         longest    --pool last-token --trainable last-1 --batch 1 --accumulate 8
ROW_16 := gpt2         longest    --pool last-token --trainable last-1
ROW_17 := gpt2         longest    --pool last-position --trainable last-1 --no-causal-mask
# Pads ignored in the loss: no label is a pad, so this is row 1 again.
ROW_18 := $(ROW_1)
ROW_19 := gpt2         longest    --pool mean --trainable last-1

# The options of all rows, as in the chapter.
COMMON := --epochs 5 --lr 5e-5 --weight-decay 0.1 --eval-every 50 --eval-batches 5

model = $(word 1,$(ROW_$1))
length = $(patsubst longest,$(LENGTH),$(word 2,$(ROW_$1)))
options = $(wordlist 3,99,$(ROW_$1)) $(COMMON)

# The base of row $1: GPT-2 of its size, pretrained or random. A BASE that is a model directory or a configuration has
# one size, and rows of larger models have no base then.
ifeq ($(BASE),build/models/$(MODEL))
base = build/models/$(model)
RANDOM_BASE := random:gpt2
else ifneq ($(filter random:gpt2%,$(BASE)),)
base = random:$(model)
RANDOM_BASE := random:gpt2
else
base = $(if $(filter gpt2,$(model)),$(BASE),none)
RANDOM_BASE := $(if $(filter random:%,$(BASE)),$(BASE),random:$(BASE)/config.json)
endif
base_of_row = $(if $(filter 10,$1),$(RANDOM_BASE),$(base))

EXPERIMENTS := build/experiments$(if $(filter-out book,$(DATA)),/$(DATA))
# Runs from different weights lie side by side.
RUN_FOLDER := $(EXPERIMENTS)/runs/$(subst /,-,$(subst :,-,$(BASE)))

# Part of the names of all files of a choice of OPTIONS and LENGTH.
VARIANT := $(shell bash pipelines/experiments/options.sh $(or $(LENGTH),longest) $(OPTIONS))

# The experiments' own tokens: another run of the pipeline doesn't change them.
tokens = $(patsubst %,$(EXPERIMENTS)/tokens-$(length)/%.safetensors,train validation test)

$(EXPERIMENTS)/tokens-%/train.safetensors: $(OUT)/train.ndjson $(TOKENIZER_READY) | build
	@mkdir -p $(@D)
	$(BIN)/tokenize-pad --tokenizer $(TOKENIZER) --length $* $< $(TO_TARGET)

$(EXPERIMENTS)/tokens-%/validation.safetensors: $(EXPERIMENTS)/tokens-%/train.safetensors $(OUT)/validation.ndjson | build
	$(BIN)/tokenize-pad --tokenizer $(TOKENIZER) --length $< --labels-from $< $(OUT)/validation.ndjson $(TO_TARGET)

$(EXPERIMENTS)/tokens-%/test.safetensors: $(EXPERIMENTS)/tokens-%/train.safetensors $(OUT)/test.ndjson | build
	$(BIN)/tokenize-pad --tokenizer $(TOKENIZER) --length $< --labels-from $< $(OUT)/test.ndjson $(TO_TARGET)

# The runs of row $1, and its goal. run.sh finds out whether a run is already done.
seeds := $(shell seq 123 $$((122 + $(SEEDS))))
runs = $(seeds:%=$(RUN_FOLDER)/row-$1/seed-%)

define row
$(RUN_FOLDER)/row-$1/seed-%: $(tokens) FORCE | build
	@BIN=$(BIN) MIRROR="$(MIRROR)" OPTIONS="$(OPTIONS)" VARIANT="$(VARIANT)" pipelines/experiments/run.sh $$(@D) $$* \
	  $(EXPERIMENTS)/tokens-$(length) $(TOKENIZER) $(base_of_row) $(options)

experiment-$1: $(runs)
endef
$(foreach number,$(ALL_ROWS),$(eval $(call row,$(number))))

# Published beside measured, of all runs from these weights with these OPTIONS and this LENGTH.
RESULTS := $(EXPERIMENTS)/results$(VARIANT)
define write_results
@mkdir -p $(EXPERIMENTS)
@{ cat $(RUN_FOLDER)/row-*/current$(VARIANT)/seed-*.json $(RUN_FOLDER)/row-*/current$(VARIANT)/seed-*.failed 2> /dev/null || true; } \
  | jq -cn --arg data $(DATA) --slurpfile published pipelines/experiments/published.ndjson \
    -f pipelines/experiments/results.jq > $(RESULTS).ndjson
@jq -rs -f pipelines/experiments/table.jq $(RESULTS).ndjson > $(RESULTS).md
endef

.PHONY: experiments experiments-table $(ALL_ROWS:%=experiment-%)

experiments: $(foreach number,$(ROWS),$(call runs,$(number)))

experiments experiments-table:
	$(write_results)
	@cat $(RESULTS).md

# Here a run that fails is an error.
$(ALL_ROWS:%=experiment-%): experiment-%:
	$(write_results)
	@sed -n -e '/^| row/p' -e '/^| ---/p' -e '/^| $* /p' $(RESULTS).md
	@test -z "$$(ls $(seeds:%=$(RUN_FOLDER)/row-$*/current$(VARIANT)/seed-%.failed) 2> /dev/null)"

all: experiments

# Tokens stay for the next run. Every run has all cores to itself.
.SECONDARY:
.NOTPARALLEL:
