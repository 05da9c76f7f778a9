#!/bin/bash
# Ends well where one of some servers answers, or where a proxy is set that may know a way to them.
#
#   reachable.sh HOST…
if [ -n "${https_proxy:-}${HTTPS_PROXY:-}${all_proxy:-}${ALL_PROXY:-}" ]; then exit 0; fi
for host; do
  # bash opens the connection itself; the name alone can take longer than anyone waits.
  bash -c 'exec 3<> "/dev/tcp/$0/443"' "$host" 2> /dev/null &
  connection=$!
  for _ in $(seq 50); do
    if ! kill -0 $connection 2> /dev/null; then
      if wait $connection; then exit 0; fi
      break
    fi
    sleep 0.1
  done
  kill $connection 2> /dev/null
done
exit 1
