#!/usr/bin/env bash
# Watches production after a deployment, and goes back when it fails too often: scripts/watch.sh URL [SECONDS]
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: $0 URL [SECONDS]" >&2; exit 2; }
url=$1 seconds=${2:-600}
asked=0 failed=0 end=$((SECONDS + seconds))
while [ $SECONDS -lt $end ]; do
  asked=$((asked + 1))
  curl --fail --silent --max-time 5 --output /dev/null "$url<{ verify_path }>" || failed=$((failed + 1))
  # More than 5 % of at least forty: not one bad moment.
  if [ $asked -ge 40 ] && [ $((failed * 20)) -gt $asked ]; then
    echo "$failed of $asked requests failed: going back" >&2
    kubectl --namespace <{ namespace_production }> rollout undo deployment/<{ name }>
    kubectl --namespace <{ namespace_production }> rollout status deployment/<{ name }> --timeout=330s
    exit 1
  fi
  sleep 2
done
echo "$failed of $asked requests failed"
[ $((failed * 20)) -le $asked ]
