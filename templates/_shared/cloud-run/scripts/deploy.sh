#!/usr/bin/env bash
# Deploys one release to one environment: migration, new revision without traffic, a look at it, traffic in steps; back when it is not well.
#   scripts/deploy.sh staging|production IMAGE@sha256:DIGEST [--no-migration]
# gcloud must be logged in already.
set -euo pipefail

usage() { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
environment=$1 image=$2 option=${3:-}
[ -z "$option" ] || [ "$option" = --no-migration ] || usage
[[ $image =~ ^(.+)(:[^:@/]+)@(sha256:[0-9a-f]{64})$ ]] || { echo "$image has no tag with a digest: a tag alone can name something else tomorrow" >&2; exit 2; }
# Cloud Run takes a tag or a digest, not both.
image=${BASH_REMATCH[1]}@${BASH_REMATCH[3]}
case $environment in
  staging) service=<{ name }>-staging steps=() ;;
  production) service=<{ name }> steps=(10 50) ;;
  *) usage ;;
esac
at=(--project <{ project }> --region <{ region }> --quiet)

<% if database %>
if [ "$option" != --no-migration ]; then
  echo "Migrating with $image"
  gcloud run jobs update "$service-migrate" "${at[@]}" --image "$image"
  # --wait: this ends with the migration, and fails with it. Nothing was deployed then, the version before goes on.
  gcloud run jobs execute "$service-migrate" "${at[@]}" --wait
fi

<% endif %>
service_json() { gcloud run services describe "$service" "${at[@]}" --format json; }
# What serves now; while traffic is split, what was ready last.
before=$(service_json | jq --raw-output '[.status.traffic[]? | select(.percent == 100) | .revisionName][0] // .status.latestReadyRevisionName')

# Without traffic, under an address of its own. Its startup probe must succeed, or this fails.
gcloud run deploy "$service" "${at[@]}" --no-traffic --tag candidate --container <{ name }> --image "$image"
after=$(service_json | jq --raw-output .status.latestCreatedRevisionName)

back() {
  echo "Back to $before" >&2
  gcloud run services update-traffic "$service" "${at[@]}" --to-revisions "$before=100" >&2
  exit 1
}
trap back ERR
<% if not events %>

look() { # look URL: three good answers in a row, within a minute
  local good=0 token
  token=$(gcloud auth print-identity-token --audiences "$1" 2>/dev/null || gcloud auth print-identity-token)
  for _ in $(seq 20); do
    if curl --fail --silent --show-error --max-time 5 --output /dev/null --header "authorization: Bearer $token" "$1<{ verify_path }>"; then
      good=$((good + 1))
      [ $good -lt 3 ] || return 0
    else
      good=0
      sleep 3
    fi
  done
  return 1
}

url=$(service_json | jq --raw-output '[.status.traffic[] | select(.tag == "candidate") | .url][0]')
look "$url"
<% endif %>
for percent in "${steps[@]}"; do
  gcloud run services update-traffic "$service" "${at[@]}" --to-revisions "$after=$percent,$before=$((100 - percent))"
  echo "$after has $percent %"
  sleep 60
<% if not events %>
  look "$url"
<% endif %>
done
gcloud run services update-traffic "$service" "${at[@]}" --to-revisions "$after=100"
trap - ERR
echo "$environment runs $image ($after)"
