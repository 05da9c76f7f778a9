# The UCI SMS Spam Collection (Almeida & Hidalgo 2011, CC BY 4.0) and GPT-2, for the pipelines that use them.
#
#   MIRROR=DIR          look for the archive in DIR, and for the model's files in DIR/gpt2, before asking the network
#   BASE=random:gpt2    start from random weights: then only the tokenizer is fetched
#   BASE=DIR            start from a model directory
#   MODEL=gpt2-medium   a larger GPT-2

MIRROR_OPTION := $(if $(MIRROR),--mirror $(MIRROR))

$(OUT)/records.ndjson: | build
	@mkdir -p $(OUT) build/cache
	$(BIN)/fetch-unzip https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip \
	  --fallback https://f001.backblazeb2.com/file/LLMs-from-scratch/sms%2Bspam%2Bcollection.zip \
	  --sha256 1587ea43e58e82b14ff1f5425c88e17f8496bfcdb67a583dbff9eefaf9963ce3 \
	  --entry SMSSpamCollection \
	  --entry-sha256 7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d \
	  --cache build/cache $(MIRROR_OPTION) > $@

FETCHED := build/models/$(MODEL)
BASE ?= $(FETCHED)

ifneq ($(filter random:%,$(BASE)),)
TOKENIZER := $(FETCHED)
TOKENIZER_READY := $(FETCHED)/vocab.json
else ifeq ($(BASE),$(FETCHED))
TOKENIZER := $(FETCHED)
TOKENIZER_READY := $(FETCHED)/vocab.json
BASE_READY := $(FETCHED)/model.safetensors
else
TOKENIZER := $(BASE)
endif

$(FETCHED)/vocab.json: | build
	$(BIN)/fetch-model $(MODEL) --out $(FETCHED) $(MIRROR_OPTION) --tokenizer-only

$(FETCHED)/model.safetensors: | $(FETCHED)/vocab.json build
	$(BIN)/fetch-model $(MODEL) --out $(FETCHED) $(MIRROR_OPTION)
