# The stages that all pipelines share: tokens, training, scores, evaluation, plots.
#
# A pipeline sets OUT, has rules for $(OUT)/train.ndjson, validation.ndjson and test.ndjson, and sets
#   TOKENIZER        a directory with vocab.json and merges.txt
#   TOKENIZER_READY  the file that must exist before it can be used
#   BASE, BASE_READY the same for the model to start from, which adapt.mk may adapt first
#   FINETUNE         options of finetune
#   SPLIT            options of split, for the rules of the three parts, which depend on $(OUT)/split.settings
#   LENGTH           the padded length in tokens: longest (of the training part), or a number
#   SEED             the seed of adaptation and training, instead of the filters' own
# and may set NAME_settings for rules that depend on $(OUT)/NAME.settings.
# Every result is a file. It is made again when its inputs change, and removed when its recipe fails.

include pipelines/common/adapt.mk

ifeq ($(strip $(LENGTH)),)
override LENGTH := longest
endif
RECIPE_FILE := pipelines/$(if $(filter experiments,$(PIPELINE)),$(DATA),$(PIPELINE)).mk
SEED ?=
SEED_OPTION := $(if $(SEED),--seed $(SEED))

# The settings are inputs, too: files that change only when they do, each with what a stage depends on, so that other options of
# finetune repeat neither the split nor the adaptation. `settings` has all of them.
split_settings = split $(SPLIT)
tokens_settings = length $(LENGTH) tokenizer $(TOKENIZER)
adaptation_settings = base $(BASE) adapt $(ADAPT) unlabelled $(UNLABELLED) tokenizer $(TOKENIZER)$(if $(SEED), seed $(SEED))
SETTINGS = $(if $(SPLIT),split $(SPLIT) )length $(LENGTH) base $(BASE) $(if $(strip $(ADAPT)),adapt $(ADAPT) unlabelled $(UNLABELLED) )tokenizer $(TOKENIZER) finetune $(FINETUNE)$(if $(SEED), seed $(SEED))

$(OUT)/settings: FORCE
	@mkdir -p $(OUT)
	@echo '$(SETTINGS)' | cmp -s - $@ || echo '$(SETTINGS)' > $@

$(OUT)/%.settings: FORCE
	@mkdir -p $(OUT)
	@echo '$($*_settings)' | cmp -s - $@ || echo '$($*_settings)' > $@

# So is the pipeline's file.
$(OUT)/recipe: FORCE | build
	@mkdir -p $(OUT)
	@cmp -s $(RECIPE_FILE) $@ || cp $(RECIPE_FILE) $@

.PHONY: FORCE
FORCE:

$(OUT)/train.safetensors: $(OUT)/train.ndjson $(TOKENIZER_READY) $(OUT)/tokens.settings | build
	$(BIN)/tokenize-pad --tokenizer $(TOKENIZER) --length $(LENGTH) $< $(TO_TARGET)

$(OUT)/%.safetensors: $(OUT)/%.ndjson $(OUT)/train.safetensors | build
	$(BIN)/tokenize-pad --tokenizer $(TOKENIZER) --length $(OUT)/train.safetensors \
	  --labels-from $(OUT)/train.safetensors $< $(TO_TARGET)

$(OUT)/model/model.safetensors: $(OUT)/train.safetensors $(OUT)/validation.safetensors $(OUT)/test.safetensors \
  $(START_READY) $(OUT)/settings | build
	$(BIN)/finetune --base $(START) --tokenizer $(TOKENIZER) $(FINETUNE) $(SEED_OPTION) \
	  --validation $(OUT)/validation.safetensors --test $(OUT)/test.safetensors --out $(OUT)/model --force \
	  < $(OUT)/train.safetensors $(if $(filter --resume,$(FINETUNE)),>>,>) $(OUT)/metrics.partial
	@mv $(OUT)/metrics.partial $(OUT)/metrics.ndjson

# What calibrate has fitted for the model in the meantime is no input.
$(OUT)/scores.ndjson: $(OUT)/test.ndjson $(OUT)/model/model.safetensors | build
	$(BIN)/score --raw --model $(OUT)/model --input ndjson $< $(TO_TARGET)

$(OUT)/validation-scores.ndjson: $(OUT)/validation.ndjson $(OUT)/model/model.safetensors | build
	$(BIN)/score --raw --model $(OUT)/model --input ndjson $< $(TO_TARGET)

$(OUT)/evaluation.txt: $(OUT)/scores.ndjson | build
	$(BIN)/evaluate $< $(TO_TARGET)

# Curves as in the chapter's figures, from the metrics.
$(OUT)/loss.tsv: $(OUT)/model/model.safetensors
	@jq -r 'select(.event == "eval") | [.step, .train_loss, .validation_loss] | @tsv' $(OUT)/metrics.ndjson $(TO_TARGET)

$(OUT)/accuracy.tsv: $(OUT)/model/model.safetensors
	@jq -r 'select(.event == "epoch") | [.epoch, .train_accuracy, .validation_accuracy] | @tsv' \
	  $(OUT)/metrics.ndjson $(TO_TARGET)

$(OUT)/%.svg: $(OUT)/%.tsv pipelines/common/%.gnuplot
	@gnuplot -d -e "input='$<'; output='$@.partial'; title='$(notdir $(OUT)): $*'; \
	  $$(jq -nr -f pipelines/common/plot.jq $(OUT)/metrics.ndjson)" pipelines/common/$*.gnuplot
	@grep -qs '</svg>' $@.partial || { echo "make: gnuplot couldn't write $@" >&2; exit 74; }
	@mv $@.partial $@

# The page about a run. Curves of the test part; the mistakes that the model is surest of, with the words that made them; a linear
# model on the same texts.
CURVES := roc precision-recall histogram

$(CURVES:%=$(OUT)/%.tsv): $(OUT)/%.tsv: $(OUT)/scores.ndjson | build
	@$(BIN)/evaluate --curve $* $< $(TO_TARGET)

# As they are, and with the temperature that fits the validation part.
$(OUT)/reliability.tsv: $(OUT)/scores.ndjson $(OUT)/validation-scores.ndjson | build
	@{ $(BIN)/evaluate --curve reliability $<; printf '\n\n'; \
	  $(BIN)/evaluate --curve reliability --calibrate-on $(OUT)/validation-scores.ndjson $<; } $(TO_TARGET)

$(OUT)/mistakes.ndjson: $(OUT)/scores.ndjson | build
	@jq -sc 'map(select(.label != .expected)) | sort_by(-.probability) | .[:10][]' $< \
	  | $(BIN)/explain --quiet --raw --model $(OUT)/model --input ndjson $(TO_TARGET)

$(OUT)/report.html: $(OUT)/scores.ndjson $(OUT)/validation-scores.ndjson $(OUT)/baseline.ndjson $(OUT)/mistakes.ndjson \
  $(OUT)/loss.svg $(OUT)/accuracy.svg $(CURVES:%=$(OUT)/%.svg) $(OUT)/reliability.svg $(wildcard $(OUT)/suspects.ndjson) | build
	@$(BIN)/report --title '$(notdir $(OUT))' --part train=$(OUT)/train.ndjson --part validation=$(OUT)/validation.ndjson \
	  --part test=$(OUT)/test.ndjson --metrics $(OUT)/metrics.ndjson --scores $(OUT)/scores.ndjson \
	  --validation-scores $(OUT)/validation-scores.ndjson --baseline $(OUT)/baseline.ndjson --mistakes $(OUT)/mistakes.ndjson \
	  $(if $(wildcard $(OUT)/suspects.ndjson),--suspects $(OUT)/suspects.ndjson) \
	  --figure 'Loss on the training and the validation part=$(OUT)/loss.svg' \
	  --figure 'Accuracy after each epoch=$(OUT)/accuracy.svg' \
	  --figure 'ROC curve: the share of its own texts that get a label, against the share of others=$(OUT)/roc.svg' \
	  --figure 'Precision against recall, as the threshold falls=$(OUT)/precision-recall.svg' \
	  --figure 'Reliability: the share of right labels at each probability; on the diagonal it keeps what it promises=$(OUT)/reliability.svg' \
	  --figure 'Test texts by the probability of the label that they got=$(OUT)/histogram.svg' $(TO_TARGET)
