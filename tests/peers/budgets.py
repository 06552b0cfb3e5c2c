#!/usr/bin/env python3
"""Thirty days of six objectives from a real Prometheus, and one budget spent on purpose.

    budgets.py BASE TOKEN CLUSTER PROMETHEUS EXPORTER LIMIT_S

What the portal counted is held against the counters themselves, asked of Prometheus directly and subtracted here. Ends with 1 when
something went otherwise than expected.
"""

import html
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime
from fractions import Fraction

BASE, TOKEN, CLUSTER, PROMETHEUS, EXPORTER, LIMIT_S = sys.argv[1:]
SERVICES = ["checkout", "catalog", "search", "payments", "orders", "users"]
TARGET = Fraction(999, 1000)
PASSWORD = "correct horse battery"
# A minute ends, its last sample is scraped, the pass that comes every 15 s reads it.
TURNS_WITHIN_S = 90
wrong = 0


def ask(method, url, body=None, headers=None):
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"} if data is not None else {}
    request = urllib.request.Request(url, data=data, method=method, headers={**kind, **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def api(method, path, body=None, mime="application/json", expect=(200, 201, 204)):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": mime}
    status, text, _ = ask(method, f"{BASE}/api/v1{path}", body, headers)
    if status not in expect:
        sys.exit(f"{method} {path}: {status} {text}")
    return json.loads(text) if text else None


class Person:
    """Somebody with a session: glass is not broken by a token."""

    def __init__(self, name):
        api("POST", "/users", {"name": name, "display_name": name, "password": PASSWORD})
        api("POST", "/role-bindings", {"user": name, "role": "operator", "scope": {"kind": "everything"}})
        self.cookie = ""
        self.call("POST", "/api/v1/sessions", {"user": name, "password": PASSWORD})

    def call(self, method, path, body=None):
        headers = {"Cookie": self.cookie, "Origin": BASE, "Accept-Language": "en"}
        status, text, answered = ask(method, BASE + path, body, headers)
        if answered.get("Set-Cookie"):
            self.cookie = answered["Set-Cookie"].split(";")[0]
        if status >= 400:
            sys.exit(f"{method} {path}: {status} {text}")
        return text

    def post(self, path, body):
        return json.loads(self.call("POST", f"/api/v1{path}", body))


def check(what, seen, expected):
    global wrong
    print(f"{what:<58} {seen}")
    if seen != expected:
        wrong = 1
        print(f"  expected {expected}")


def second(moment):
    return int(datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp())


def counter(service, codes, at):
    """A counter's value at a moment, over all its series, as Prometheus holds it."""
    query = f'sum(http_requests_total{{service="{service}",code=~"{codes}"}})'
    parts = urllib.parse.urlencode({"query": query, "time": at})
    _, text, _ = ask("GET", f"{PROMETHEUS}/api/v1/query?{parts}")
    result = json.loads(text)["data"]["result"]
    return int(float(result[0]["value"][1])) if result else 0


def counted(service, begin, end):
    """Bad and all events between two moments."""
    return tuple(counter(service, codes, end) - counter(service, codes, begin) for codes in ("5..", ".*"))


def left_of(bad, total):
    return 1 - Fraction(bad) / ((1 - TARGET) * total)


def most_left():
    """The service to burn: an earlier run has spent the budget of another."""
    now = int(time.time())
    left = {name: left_of(*counted(name, now - 30 * 86400, now)) for name in SERVICES}
    best = max(left, key=left.get)
    if left[best] < Fraction(1, 2):
        sys.exit(f"no service has half of its budget left ({best} has {float(left[best]):.0%}): start another Prometheus")
    return best


def verdict(bad, total):
    left = left_of(bad, total)
    levels = [("block", left <= 0), ("approval", left < Fraction(1, 10)), ("warn", left < Fraction(1, 4))]
    return next((name for name, holds in levels if holds), "ok")


def set_up():
    make = lambda path, body: api("POST", path, body)  # noqa: E731
    make("/environments", {"name": "production", "tier": "production", "order": 1, "progress_deadline_s": 60})
    kubeconfig = json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": CLUSTER}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    })
    make("/connections", {"name": "cluster", "kind": "kubernetes",
                          "config": {"kubeconfig": {"value": kubeconfig}, "simulated": True}})
    make("/bindings", {"service": f"shop/{BURNT}", "environment": "production", "kind": "kubernetes",
                       "connection": "cluster", "config": {"namespace": "shop", "deployment": "web"}})
    make("/connections", {"name": "prom", "kind": "prometheus", "config": {"url": PROMETHEUS}})
    api("POST", "/connections/prom/check")
    # Budgets alone decide here.
    api("PUT", "/gates/policies/production", {"error_budget": "block"})
    api("POST", "/notifications/channels",
        {"name": "hook", "kind": "webhook", "config": {"url": f"{EXPORTER}/alerts", "secret": {"value": "a secret of this try"}}})
    api("POST", "/notifications/rules", {"channel": "hook", "events": []})
    ask("DELETE", f"{EXPORTER}/alerts")


def deployment(image):
    return {"service": f"shop/{BURNT}", "environment": "production", "image": image, "reason": "a try on real peers"}


def ended(id):
    for _ in range(240):
        out = api("GET", f"/deployments/{id}")
        if out["ended_at"]:
            return out
        time.sleep(0.5)
    sys.exit(f"deployment {id} does not end")


def back_filled():
    """Imports the objectives; the seconds until thirty days of each are counted."""
    lines = "".join(
        f'  - {{name: "{name} Availability", sli: availability, target: 99.9, window: 30d}}\n' for name in SERVICES
    )
    start = time.monotonic()
    report = api("POST", "/slos/imports?namespace=shop&connection=prom",
                 f"service_level_objectives:\n{lines}".encode(), "application/yaml")
    check("objectives imported", report["created"], len(SERVICES))
    while time.monotonic() - start < 600:
        rows = [api("GET", f"/slos/{slo['id']}") for slo in report["slos"]]
        fresh = [row for row in rows if row["coverage"] > 0.995 and (row["data_age_s"] or 1e9) < 180]
        if len(fresh) == len(rows):
            break
        time.sleep(0.2)
    took = time.monotonic() - start
    check(f"30 days of {len(rows)} services in at most {LIMIT_S} s: {took:.1f} s", took <= float(LIMIT_S), True)
    for row in rows:
        name = row["service"].split("/")[1]
        begin, end = second(row["period_from"]), second(row["period_to"])
        check(f"  {name}: bad and all events as its counters say", (row["bad"], row["total"]), counted(name, begin, end))
    return next(row["id"] for row in rows if row["service"] == f"shop/{BURNT}")


def burn(slo, aim):
    """Makes the service fail until so much of the budget is left."""
    row = api("GET", f"/slos/{slo}")
    need = (row["remaining_ratio"] - aim) * row["budget_total"]
    usual = json.loads(ask("GET", f"{EXPORTER}/services")[1])[BURNT]
    begin = now_bad()
    ask("PUT", f"{EXPORTER}/services/{BURNT}", {"rps": need / 10, "error_ratio": 1})
    while now_bad() - begin < need:
        time.sleep(0.1)
    ask("PUT", f"{EXPORTER}/services/{BURNT}", {name: usual[name] for name in ("rps", "error_ratio")})
    return time.monotonic()


def now_bad():
    _, text, _ = ask("GET", f"{EXPORTER}/metrics")
    lines = [line.split() for line in text.splitlines() if f'total{{service="{BURNT}",code="5' in line]
    return sum(float(value) for _, value in lines)


def decision():
    return api("GET", f"/gates/decision?service=shop/{BURNT}&environment=production")


def of_budget(gates):
    return next(gate for gate in gates if gate["kind"] == "error_budget")


def turns(slo, person, aim, before, wanted):
    """The budget falls to `aim`: the verdict turns at the minute at which the counters say so, everywhere alike."""
    burnt = burn(slo, aim)
    while decision()["decision"] != wanted and time.monotonic() - burnt < 2 * TURNS_WITHIN_S:
        time.sleep(0.5)
    after = time.monotonic() - burnt
    check(f"{before} -> {wanted} within {TURNS_WITHIN_S} s: {after:.0f} s after the last failure", after <= TURNS_WITHIN_S, True)
    row = api("GET", f"/slos/{slo}")
    begin, end = second(row["period_from"]), second(row["period_to"])
    bad, total = counted(BURNT, begin, end)
    check("  the counters, up to that minute", (row["bad"], row["total"], row["verdict"]), (bad, total, wanted))
    check("  the counters, a minute before", verdict(*counted(BURNT, begin - 60, end - 60)), before)
    said = decision()
    plan = api("POST", "/plans", deployment("tinyweb:v2"))
    why = of_budget(plan["gates"])["reason"]
    check("  the plan says what CI is told", why, of_budget(said["gates"])["reason"])
    left = of_budget(plan["gates"])["facts"]["remaining_percent"]
    check(f'  it names what is left: "{why}"', f"{left:.1f}".rstrip("0").rstrip(".") in why, True)
    page = person.call("GET", f"/services/shop/{BURNT}/deploy?environment=production&image=tinyweb:v2")
    check("  the deploy page says it too", why in html.unescape(page), True)


def told(kind):
    _, text, _ = ask("GET", f"{EXPORTER}/alerts")
    messages = [one["notification"] for one in json.loads(text)]
    return [one for one in messages if one.get("type") == kind and one["event"]["service"] == f"shop/{BURNT}"]


def heard(kind):
    end = time.monotonic() + 20
    while not told(kind) and time.monotonic() < end:
        time.sleep(0.5)
    return len(told(kind))


def past_the_gate(person):
    stopped = person.post("/deployments", deployment("tinyweb:v2"))
    check("a deployment is blocked", stopped["state"], "blocked")
    person.post("/break-glass", {"service": f"shop/{BURNT}", "environment": "production", "minutes": 10,
                                 "reason": "the fix of what burns it", "password": PASSWORD})
    goes = ended(person.post("/deployments", deployment("tinyweb:v2"))["id"])
    check("with broken glass it goes", goes["state"], "succeeded")
    check("once", person.post("/deployments", deployment("tinyweb:v1"))["state"], "blocked")
    rows = api("GET", "/audit?action=gate.break_glass&outcome=success")["items"]
    check("the audit has who and why", [(row["actor"], row["reason"]) for row in rows], [("ada", "the fix of what burns it")])
    check("others are told", (heard("break_glass.opened"), heard("break_glass.used")), (1, 1))
    back = api("POST", f"/services/shop/{BURNT}/environments/production/rollback", {"reason": "a try on real peers"})
    check("a roll back is not stopped", ended(back["id"])["state"], "succeeded")


def what_was_told():
    heard("postmortem.opened")
    changes = [(one["event"]["verdict_before"], one["event"]["verdict"]) for one in told("budget.changed")]
    check("each change of the verdict was told once", changes, [("ok", "warn"), ("warn", "approval"), ("approval", "block")])
    tasks = api("GET", f"/postmortems?service=shop/{BURNT}&state=open")["items"]
    check("one post-mortem is to be written, and was told", (len(tasks), len(told("postmortem.opened"))), (1, 1))
    print(f"  {tasks[0]['bad']:.0f} failures, {tasks[0]['spent']:.1%} of the budget")
    closed = api("POST", f"/postmortems/{tasks[0]['id']}/close", {"words": "it was burnt on purpose"})
    check("and is closed", closed["state"], "closed")


def main():
    print(f"burns: {BURNT}")
    set_up()
    person = Person("ada")
    first = api("POST", "/deployments", deployment("tinyweb:v1"))
    check("a deployment before there are objectives", ended(first["id"])["state"], "succeeded")
    slo = back_filled()
    check("at first", (decision()["decision"], verdict_of(slo)), ("allow", "ok"))
    turns(slo, person, 0.18, "ok", "warn")
    turns(slo, person, 0.05, "warn", "approval")
    asks = person.post("/deployments", deployment("tinyweb:v2"))
    check("a deployment waits for an approval", asks["state"], "awaiting_approval")
    api("POST", f"/deployments/{asks['id']}/cancel", {"reason": "a try on real peers"})
    turns(slo, person, -0.05, "approval", "block")
    past_the_gate(person)
    what_was_told()
    sys.exit(wrong)


def verdict_of(slo):
    return api("GET", f"/slos/{slo}")["verdict"]


BURNT = most_left()
main()
