# The UCI SMS Spam Collection (Almeida & Hidalgo 2011, CC BY 4.0) and GPT-2, for the pipelines that use them.
#
#   MIRROR=DIR          look for the archive in DIR before asking the network, and for the model's files in DIR/gpt2

include pipelines/common/gpt2.mk

CHECKS += check-uci

.PHONY: check-uci
check-uci:
	@[ -e $(OUT)/records.ndjson ] || $(if $(MIRROR),[ -e "$(MIRROR)/sms+spam+collection.zip" ] ||) [ -n "$$(ls build/cache 2> /dev/null)" ] \
	  || pipelines/common/reachable.sh archive.ics.uci.edu f001.backblazeb2.com || { \
	  echo "make: sms+spam+collection.zip can't be had: neither archive.ics.uci.edu nor f001.backblazeb2.com answers:" \
	    "connect to the network, or name a folder that has it (MIRROR=DIR)" >&2; exit 69; }

$(OUT)/records.ndjson: $(OUT)/recipe | build
	@mkdir -p $(OUT) build/cache
	$(BIN)/fetch-unzip https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip \
	  --fallback https://f001.backblazeb2.com/file/LLMs-from-scratch/sms%2Bspam%2Bcollection.zip \
	  --sha256 1587ea43e58e82b14ff1f5425c88e17f8496bfcdb67a583dbff9eefaf9963ce3 \
	  --entry SMSSpamCollection \
	  --entry-sha256 7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d \
	  --cache build/cache $(MIRROR_OPTION) $(TO_TARGET)
