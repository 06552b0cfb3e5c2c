#!/usr/bin/env bash
# Deploys, fails and rolls back on real peers through a running server, and ends with 1 when one of them went otherwise
# than expected. docs/how-to/try-on-real-peers.md says what it needs.
set -euo pipefail
: "${PASSERELLE:?path of the server program}"
: "${KUBECONFIG:=}" "${DOCKER_HOST:=}" "${KUBECTL:=kubectl}" "${DOCKER:=docker}" "${REGISTRY:=127.0.0.1:15000}"
[ -n "$KUBECONFIG$DOCKER_HOST" ] || { echo "neither KUBECONFIG nor DOCKER_HOST is set: nothing to try" >&2; exit 2; }

folder=$(mktemp -d)
chmod 711 "$folder" # the private Postgres may run as another user
port=${PORT:-3555}
base=http://127.0.0.1:$port
wrong=0
export PASSERELLE__DATA__FOLDER=$folder/data PASSERELLE__SERVER__LISTEN=127.0.0.1:$port PASSERELLE__LOG__FILTER=warn
unset DATABASE_URL
"$PASSERELLE" serve > "$folder/out.log" 2> "$folder/err.log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$folder"' EXIT
for _ in $(seq 150); do curl -fs "$base/readyz" > /dev/null 2>&1 && break; sleep 0.2; done
token=$("$PASSERELLE" admin token create --user checker --role admin --expires 1d)

api() { # method path [json]
  curl -sS -X "$1" "$base/api/v1$2" -H "Authorization: Bearer $token" ${3:+-H 'Content-Type: application/json' -d "$3"}
}
field() { # a dotted name, from JSON on standard input
  python3 -c 'import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value.get(key) if isinstance(value, dict) else None
print(value if isinstance(value, str) else json.dumps(value))' "$1"
}
make() { # path json field
  local answer value
  answer=$(api POST "$1" "$2")
  value=$(field "$3" <<< "$answer")
  [ "$value" != null ] || { echo "POST $1: $answer" >&2; exit 1; }
  echo "$1: $value"
}
ended() { # id: the deployment when it has ended
  local out
  for _ in $(seq 600); do
    out=$(api GET "/deployments/$1")
    [ "$(field ended_at <<< "$out")" != null ] && break
    sleep 0.5
  done
  echo "$out"
}
check() { # environment, what, deployment, state, cause
  local state cause
  state=$(field state <<< "$3") cause=$(field failure.cause <<< "$3")
  printf '%-11s %-32s %-12s %s\n' "$1" "$2" "$state" "$cause"
  [ "$state $cause" = "$4 $5" ] || { wrong=1; printf '  expected %s %s\n  %s\n' "$4" "$5" "$(field failure <<< "$3")"; }
}
deploy() { # environment image state cause
  local id
  id=$(api POST /deployments "{\"service\":\"shop/web\",\"environment\":\"$1\",\"image\":\"$2\",\"reason\":\"peer acceptance\"}" | field id)
  check "$1" "$2" "$(ended "$id")" "$3" "$4"
}
live() { # environment image: as deploy, and the live feed keeps up with the cluster
  local id
  id=$(api POST /deployments "{\"service\":\"shop/web\",\"environment\":\"$1\",\"image\":\"$2\",\"reason\":\"peer acceptance\"}" | field id)
  "$(dirname "$0")/lag.py" "$base" "$token" "$id" shop || { wrong=1; echo "  expected each pod within 1 s"; }
  check "$1" "$2" "$(ended "$id")" succeeded null
}
plans() { # environment image: the look before the act, 100 times
  local p95
  p95=$(for _ in $(seq 100); do
    curl -sS -o "$folder/plan.json" -w '%{time_total}\n' -X POST "$base/api/v1/plans" -H "Authorization: Bearer $token" \
      -H 'Content-Type: application/json' -d "{\"service\":\"shop/web\",\"environment\":\"$1\",\"image\":\"$2\"}"
  done | sort -n | sed -n 95p)
  [ "$(field gates < "$folder/plan.json")" != null ] || { wrong=1; echo "  no plan: $(cat "$folder/plan.json")"; }
  printf '%-11s %-32s p95 %s s\n' "$1" "plan, 100 times" "$p95"
  python3 -c 'import sys; sys.exit(float(sys.argv[1]) > 0.3)' "$p95" || { wrong=1; echo "  expected 0.3 s at most"; }
}
back() { # environment image
  local id out
  id=$(api POST "/services/shop/web/environments/$1/rollback" '{"reason":"peer acceptance"}' | field id)
  out=$(ended "$id")
  check "$1" "roll back" "$out" succeeded null
  case "$(field image <<< "$out")" in "$2"*) ;; *) wrong=1; echo "  expected $2, not $(field image <<< "$out")" ;; esac
}

"$PASSERELLE" import - --server "$base" --token "$token" << 'YAML'
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: web, namespace: shop}
spec: {type: service, lifecycle: production, owner: group:shop/team}
YAML
make /environments '{"name":"kubernetes","tier":"staging","order":1,"progress_deadline_s":90}' name
make /environments '{"name":"swarm","tier":"staging","order":2,"progress_deadline_s":90}' name

on_kubernetes() {
  # What an earlier run left behind would be the start of this one.
  "$KUBECTL" delete namespace shop --ignore-not-found --timeout=90s > /dev/null
  "$KUBECTL" create namespace shop > /dev/null
  "$KUBECTL" -n shop apply -f - > /dev/null << 'YAML'
apiVersion: v1
kind: Secret
metadata: {name: web-secret}
stringData: {database_url: x}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: tinyweb
          image: tinyweb:v1
          imagePullPolicy: IfNotPresent
          ports: [{containerPort: 8080}]
          readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}
          livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 2}
YAML
  make /connections "{\"name\":\"cluster\",\"kind\":\"kubernetes\",\"config\":{\"kubeconfig\":{\"file\":\"$KUBECONFIG\"}}}" name
  make /connections/cluster/check '' message
  make /bindings '{"service":"shop/web","environment":"kubernetes","kind":"kubernetes","connection":"cluster","config":{"namespace":"shop","deployment":"web","container":"tinyweb"}}' id
  deploy kubernetes tinyweb:v1 succeeded null
  live kubernetes tinyweb:v2
  deploy kubernetes tinyweb:v4 rolled_back crash_loop
  deploy kubernetes tinyweb:v3 rolled_back probe
  deploy kubernetes tinyweb:nope rolled_back image_pull
  back kubernetes tinyweb:v1
  plans kubernetes tinyweb:v2
  "$KUBECTL" -n shop patch deployment web --type strategic -p '{"spec":{"template":{"spec":{"containers":[{"name":"tinyweb","env":[{"name":"DB","valueFrom":{"secretKeyRef":{"name":"web-secret","key":"database-url"}}}]}]}}}}' > /dev/null
  sleep 2
  deploy kubernetes tinyweb:v2 failed missing_config
  "$KUBECTL" delete namespace shop --wait=false > /dev/null
}

on_swarm() {
  "$DOCKER" service rm shop_web > /dev/null 2>&1 || true
  sleep 2
  timeout 60 "$DOCKER" service create -d -q --name shop_web --replicas 2 --endpoint-mode dnsrr --update-order start-first \
    --update-failure-action rollback --update-monitor 8s "$REGISTRY/tinyweb:v1" > /dev/null
  make /connections "{\"name\":\"swarm\",\"kind\":\"docker_swarm\",\"config\":{\"endpoint\":\"$DOCKER_HOST\"}}" name
  make /connections/swarm/check '' message
  make /bindings '{"service":"shop/web","environment":"swarm","kind":"docker_swarm","connection":"swarm","config":{"service":"shop_web"}}' id
  deploy swarm "$REGISTRY/tinyweb:v1" succeeded null
  deploy swarm "$REGISTRY/tinyweb:v2" succeeded null
  deploy swarm "$REGISTRY/tinyweb:v4" rolled_back crash_loop
  deploy swarm "$REGISTRY/tinyweb:v3" rolled_back probe
  deploy swarm "$REGISTRY/tinyweb:nope" rolled_back image_pull
  back swarm "$REGISTRY/tinyweb:v1"
  plans swarm "$REGISTRY/tinyweb:v2"
  "$DOCKER" service rm shop_web > /dev/null
}

[ -z "$KUBECONFIG" ] || on_kubernetes
[ -z "$DOCKER_HOST" ] || on_swarm
"$PASSERELLE" audit verify
exit $wrong
