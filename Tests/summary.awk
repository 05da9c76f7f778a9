# Passes on what `swift test` prints, and ends with how many tests ran and why others were skipped. The status is 1 if a run
# failed, or if there was none.
#
#   swift test 2>&1 | awk -f Tests/summary.awk

{ print; fflush() }

/Test .* skipped(:|\.|$)/ && !/Suite "/ {
  skipped++
  reason = "for a reason that isn't given"
  if (match($0, /skipped: ".*"$/)) reason = substr($0, RSTART + 10, RLENGTH - 11)
  reasons[reason]++
}

match($0, /Test run with [0-9]+ tests?/) {
  split(substr($0, RSTART, RLENGTH), words, " ")
  total += words[4]
  runs++
}

/Test run with [0-9]+ tests?.* failed after / { failed = 1 }

END {
  printf "\n%d test%s ran, %d %s skipped\n", total - skipped, total - skipped == 1 ? "" : "s", skipped, skipped == 1 ? "was" : "were"
  for (reason in reasons) printf "  skipped: %d (%s)\n", reasons[reason], reason
  if (!runs) print "there was no whole run of tests: what was printed above says why"
  exit failed || !runs
}
