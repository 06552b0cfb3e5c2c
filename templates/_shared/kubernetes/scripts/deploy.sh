#!/usr/bin/env bash
# Deploys one release to one environment, and goes back when it does not become well.
#   scripts/deploy.sh staging|production IMAGE@sha256:DIGEST [--no-migration]
# kubectl must be logged in to the cluster already.
set -euo pipefail

usage() { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
environment=$1 image=$2 option=${3:-}
cd "$(dirname "$0")/.."
[ -d "deploy/overlays/$environment" ] || usage
[ -z "$option" ] || [ "$option" = --no-migration ] || usage
[[ $image =~ ^(.+)(:[^:@/]+)@(sha256:[0-9a-f]{64})$ ]] || { echo "$image has no tag with a digest: a tag alone can name something else tomorrow" >&2; exit 2; }
repository=${BASH_REMATCH[1]} digest=${BASH_REMATCH[3]}
case $environment in
  staging) namespace=<{ namespace_staging }> ;;
  production) namespace=<{ namespace_production }> ;;
  *) usage ;;
esac
kube=(kubectl --namespace "$namespace")
apply=(apply --server-side --force-conflicts --field-manager pipeline)

# A folder that takes an overlay and puts the release into it: the same digest for whatever runs it.
release() { # release NAME RESOURCE
  mkdir -p "deploy/release/$1"
  cat >"deploy/release/$1/kustomization.yaml" <<RELEASE
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: $namespace
resources:
  - ../../$2
images:
  - name: <{ image_name }>
    newName: $repository
    digest: $digest
RELEASE
  kubectl kustomize "deploy/release/$1" >"deploy/release/$1.yaml"
}
rm -rf deploy/release
release service "overlays/$environment"

# What the release needs before anything of it runs: account, network, references to secrets.
"${kube[@]}" "${apply[@]}" --filename deploy/release/service.yaml --selector phase=before-migration
<% if database %>
"${kube[@]}" wait --for=condition=Ready --timeout=120s externalsecret/<{ name }>-secrets
# A key that is spelled otherwise would stop the pods with CreateContainerConfigError, in the middle of the rollout: better now, by name.
# shellcheck disable=SC2016 # the dollar is the Go template's
keys=$("${kube[@]}" get secret <{ name }>-secrets --output 'go-template={{range $key, $_ := .data}}{{$key}} {{end}}')
[[ " $keys" == *" database_url "* ]] || { echo "secret <{ name }>-secrets has the keys: $keys. It needs database_url." >&2; exit 1; }

if [ "$option" != --no-migration ]; then
  release migration migration
  job=<{ name }>-migrate
  "${kube[@]}" delete job "$job" --ignore-not-found --wait --timeout=60s
  "${kube[@]}" "${apply[@]}" --filename deploy/release/migration.yaml
  echo "Migrating with $image"
  # Both ends are watched: waiting for success alone would take ten minutes to see a failure.
  outcome=
  for _ in $(seq 310); do
    outcome=$("${kube[@]}" get job "$job" --output 'jsonpath={.status.conditions[?(@.status=="True")].type}')
    case $outcome in *Complete* | *Failed*) break ;; esac
    sleep 2
  done
  "${kube[@]}" logs "job/$job" --all-containers --tail=200 || true
  case $outcome in
    *Complete*) "${kube[@]}" delete job "$job" --wait=false ;;
    *)
      "${kube[@]}" describe job "$job" | tail -n 15 >&2
      echo "The migration did not succeed: nothing was deployed, the version before goes on. The Job stays, to be looked at." >&2
      exit 1
      ;;
  esac
fi
<% endif %>

# The alerts, from the files that promtool tests. They look at production.
for rules in monitoring/*.rules.yaml; do
  name=$(basename "$rules" .rules.yaml)
  {
    printf 'apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: %s\nspec:\n' "$name"
    sed '/^#/d; s/^/  /' "$rules"
  } >"deploy/release/rules-$name.yaml"
  [ "$environment" != production ] || "${kube[@]}" "${apply[@]}" --filename "deploy/release/rules-$name.yaml"
done

before=$("${kube[@]}" get deployment <{ name }> --ignore-not-found --output 'jsonpath={.spec.template.spec.containers[0].image}')
"${kube[@]}" "${apply[@]}" --filename deploy/release/service.yaml
if ! "${kube[@]}" rollout status deployment/<{ name }> --timeout=330s; then
  echo "It does not become well. Its pods, and what they say:" >&2
  "${kube[@]}" get pods --selector app=<{ name }> --output wide >&2 || true
  "${kube[@]}" get events --sort-by=.lastTimestamp --field-selector type=Warning | tail -n 10 >&2 || true
  if [ -n "$before" ]; then
    "${kube[@]}" rollout undo deployment/<{ name }>
    "${kube[@]}" rollout status deployment/<{ name }> --timeout=330s
    echo "Back at $before" >&2
  fi
  exit 1
fi
echo "$environment runs $image"
