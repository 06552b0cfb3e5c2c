#!/bin/sh
# What a user needs, asked of a deployed service: smoke.sh URL COMMIT
set -eu
url=$1
commit=$2
echo "It answers, with the version that was just deployed ($commit)"
<% if language == 'container' %>
curl --fail --silent --show-error --retry 10 --retry-delay 3 --retry-all-errors "$url<{ ready_path }>" > /dev/null
<% else %>
for _ in 1 2 3 4 5 6 7 8 9 10; do
  answer=$(curl --fail --silent --show-error --retry 5 --retry-all-errors "$url/api/v1/info")
  case $answer in *"$commit"*) found=yes && break ;; esac
  sleep 3
done
[ "${found:-no}" = yes ] || { echo "another version answers: $answer"; exit 1; }
<% endif %>
echo "Metrics are not public"
status=$(curl --silent --output /dev/null --write-out '%{http_code}' "$url/metrics")
[ "$status" = 404 ] || { echo "/metrics answers $status"; exit 1; }
echo "Plain HTTP leads to HTTPS"
plain=http://${url#https://}
status=$(curl --silent --output /dev/null --write-out '%{http_code}' "$plain/")
case $status in 301 | 308) ;; *) echo "http answers $status"; exit 1 ;; esac
