# What a run's plots need to know of it, as assignments of gnuplot: the training texts, the steps of an epoch, and the
# accuracy on the test part.
#
#   jq -nr -f plot.jq metrics.ndjson

[inputs]
| first(.[] | select(.event == "start" or .event == "resume")) as $run
| last(.[] | select(.event == "end")) as $last
| "texts=\($run.training_rows)",
  "steps=\([$run.training_rows / ([$run.batch, $run.training_rows] | min) / ($run.accumulate // 1) | floor, 1] | max).0",
  "test=\($last.test_accuracy // "NaN")"
| . + ";"
