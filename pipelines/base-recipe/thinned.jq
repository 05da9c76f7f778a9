# The log of a training, short enough to keep: its beginning and end, every evaluation, and every 50th step.
#
#   jq -c -f thinned.jq metrics.ndjson …

select(.event != "step" or .step % 50 == 0) | select(.event != "checkpoint")
