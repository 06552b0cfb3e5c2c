#!/usr/bin/env python3
"""How long after the cluster says that a pod is ready does the deployment's live feed say so?

    lag.py BASE TOKEN DEPLOYMENT NAMESPACE

Reads a watch of `kubectl` and the deployment's server-sent events side by side until the deployment has ended; prints
the delay of each pod in seconds. Ends with 1 when one took longer than a second, or when no pod was seen.
"""

import json
import os
import subprocess
import sys
import threading
import time

LIMIT_S = 1.0
base, token, deployment, namespace = sys.argv[1:]
in_cluster: dict[str, float] = {}
in_feed: dict[str, float] = {}


def watch_cluster(process: subprocess.Popen) -> None:
    decoder, text = json.JSONDecoder(), ""
    for line in process.stdout:
        text += line
        if line.rstrip() != "}":
            continue
        pod, _ = decoder.raw_decode(text.lstrip())
        text = ""
        conditions = pod.get("status", {}).get("conditions", [])
        if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
            in_cluster.setdefault(pod["metadata"]["name"], time.monotonic())


def read_feed(process: subprocess.Popen) -> None:
    for line in process.stdout:
        if not line.startswith("data:"):
            continue
        event = json.loads(line[5:])
        for pod in event.get("data", {}).get("instances", []) if event.get("kind") == "instances" else []:
            if pod["state"] == "ready":
                in_feed.setdefault(pod["name"], time.monotonic())


def start(command: list[str]) -> subprocess.Popen:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)


kubectl = os.environ.get("KUBECTL", "kubectl")
url = f"{base}/api/v1/deployments/{deployment}"
header = f"Authorization: Bearer {token}"
pods = start([kubectl, "-n", namespace, "get", "pods", "--watch", "-o", "json"])
feed = start(["curl", "-sN", "-H", header, "-H", "Accept: text/event-stream", f"{url}/events"])
threading.Thread(target=watch_cluster, args=(pods,), daemon=True).start()
threading.Thread(target=read_feed, args=(feed,), daemon=True).start()
end = time.monotonic() + 120
while time.monotonic() < end:
    answer = subprocess.run(["curl", "-s", "-H", header, url], capture_output=True, text=True, check=True)
    if json.loads(answer.stdout)["ended_at"]:
        break
    time.sleep(0.5)
time.sleep(LIMIT_S)
pods.kill()
feed.kill()

# Pods that were ready before both were read say nothing.
first = min(in_cluster.values(), default=0) + 0.2
rolled = {name: at for name, at in in_cluster.items() if at > first}
delays = {name: in_feed.get(name, float("inf")) - at for name, at in rolled.items()}
for name, delay in delays.items():
    print(f"  {name}: {delay:+.2f} s after the cluster's own watch")
sys.exit(0 if delays and max(delays.values()) <= LIMIT_S else 1)
