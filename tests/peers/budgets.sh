#!/usr/bin/env bash
# Measures six objectives from a real Prometheus with thirty days of history, spends a budget on purpose, and sees what stands in the
# way of deployments then; ends with 1 when something went otherwise than expected. docs/how-to/try-on-real-peers.md says what it needs.
set -euo pipefail
: "${PASSERELLE:?path of the server program, built with the feature simulator}"
: "${PROMETHEUS_URL:?the Prometheus}" "${EXPORTER_URL:?the exporter that it scrapes}" "${LIMIT_S:=60}"

folder=$(mktemp -d)
chmod 711 "$folder" # the private Postgres may run as another user
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=${PORT:-$(free)} cluster=$(free)
base=http://127.0.0.1:$port
export PASSERELLE__DATA__FOLDER=$folder/data PASSERELLE__SERVER__LISTEN=127.0.0.1:$port PASSERELLE__LOG__FILTER=error
export PASSERELLE__OUTBOUND__ALLOW_NETWORKS=127.0.0.1/32 PASSERELLE__DEPLOYMENTS__VERIFY_MS=500
unset DATABASE_URL
cat > "$folder/world.yaml" << 'YAML'
seed: 1
speed: 40
clusters:
  test:
    namespaces:
      shop:
        deployments:
          web: { image: 'tinyweb:v1', replicas: 2 }
YAML
"$PASSERELLE" simulator --listen "127.0.0.1:$cluster" --world "$folder/world.yaml" > "$folder/cluster.log" 2>&1 &
simulator=$!
"$PASSERELLE" serve > "$folder/out.log" 2> "$folder/err.log" &
server=$!
trap 'kill $server $simulator 2>/dev/null; wait $server $simulator 2>/dev/null; rm -rf "$folder"' EXIT
for _ in $(seq 300); do curl -fs "$base/readyz" > /dev/null 2>&1 && break; sleep 0.2; done
curl -fs "$base/readyz" > /dev/null || { cat "$folder/err.log" >&2; exit 1; }
token=$("$PASSERELLE" admin token create --user checker --role admin --expires 1d)

for service in checkout catalog search payments orders users; do
  printf -- '---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: %s, namespace: shop}\n' "$service"
  printf 'spec: {type: service, lifecycle: production, owner: group:shop/team}\n'
done | "$PASSERELLE" import - --server "$base" --token "$token"

wrong=0
"$(dirname "$0")/budgets.py" "$base" "$token" "http://127.0.0.1:$cluster/k8s/test" "$PROMETHEUS_URL" "$EXPORTER_URL" "$LIMIT_S" || wrong=1
"$PASSERELLE" audit verify
[ "$wrong" = 0 ] || cat "$folder/err.log" >&2
exit $wrong
