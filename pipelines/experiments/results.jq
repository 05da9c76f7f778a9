# One line for each published experiment, with what was measured: mean and standard deviation over the seeds.
#
#   cat runs | jq -cn --arg data book --slurpfile published published.ndjson -f results.jq

def mean: add / length;
def deviation: mean as $mean | if length < 2 then null else map(pow(. - $mean; 2)) | add / (length - 1) | sqrt end;
def summary(value): map(value) | {mean: mean, sd: deviation};

# What a run started from. Random weights are never called anything else.
def weights:
  if startswith("random:") then "random" elif startswith("build/models/") then "pretrained" else "other" end;

[inputs] as $runs
| $published[]
| .row as $row
| [$runs[] | select(.row == $row)] as $all
| [$all[] | select(has("failed") | not)] as $done
| . + {
    data: $data,
    measured: (
      if $done == [] then null
      else
        ($done[0] | {base, weights: (.base | weights), same_as, padded_to, options, more_options, length, test_rows, parameters, trainable_parameters})
        + {seeds: ($done | map(.seed) | sort)}
        + ($done | {
            train: summary(.train_accuracy), validation: summary(.validation_accuracy), test: summary(.test_accuracy),
            minutes: summary(.seconds / 60)
          })
      end),
    failed: [$all[] | select(has("failed")) | {seed, base} + .failed]
  }
