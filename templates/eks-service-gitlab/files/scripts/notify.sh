#!/usr/bin/env bash
# One line to Slack: scripts/notify.sh success|failure. Without the variable SLACK_WEBHOOK_URL nothing is sent.
set -euo pipefail
[ -n "${SLACK_WEBHOOK_URL:-}" ] || { echo "No SLACK_WEBHOOK_URL: nothing sent."; exit 0; }
jq --null-input --arg result "$1" --arg title "$CI_COMMIT_TITLE" --arg by "$GITLAB_USER_LOGIN" --arg url "$CI_PIPELINE_URL" \
  '{text: "<{ name }>: \($result): \($title) (\($by)) \($url)"}' |
  curl --fail --silent --show-error --header 'content-type: application/json' --data @- "$SLACK_WEBHOOK_URL"
