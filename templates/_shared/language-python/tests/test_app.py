"""The promises that the platform relies on: probes, metrics, settings."""

import json
import logging
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from app.healthcheck import main as healthcheck
from app.logs import JsonFormatter
from app.main import create_app
from app.settings import Settings
<% if database %>

# Nobody listens on port 1: the tests need no database, and the connection is refused at once.
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
<% endif %>


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(Settings(version="1.2.3"<% if database %>, database_url=NOWHERE<% endif %>))) as client:
        yield client


def test_alive_without_asking_anybody(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}


<% if database %>
def test_not_ready_without_its_database(client: TestClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "database does not answer")


def test_the_address_of_the_database_is_required_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(ValidationError):
        Settings()
    assert "nobody" not in repr(Settings(database_url=NOWHERE))
<% else %>
def test_ready_once_started(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}
<% endif %>


def test_not_ready_while_stopping() -> None:
    app = create_app(Settings(<% if database %>database_url=NOWHERE<% endif %>))
    with TestClient(app) as client:
        app.state.ready = False
        assert client.get("/readyz").status_code == 503


def test_the_version_that_answers(client: TestClient) -> None:
    assert client.get("/api/v1/info").json()["version"] == "1.2.3"


def test_requests_are_counted_by_route_and_probes_are_not(client: TestClient) -> None:
    client.get("/api/v1/info")
    client.get("/healthz")
    client.get("/no/such/path")
    text = client.get("/metrics").text
    assert 'http_requests_total{code="200",method="GET",route="/api/v1/info"}' in text
    assert 'route="unmatched"' in text
    assert 'route="/healthz"' not in text
    assert 'le="<{ slo_latency_ms / 1000 }>"' in text


def test_metrics_are_not_for_outside(client: TestClient) -> None:
    assert client.get("/metrics", headers={"x-forwarded-for": "203.0.113.7"}).status_code == 404


def test_a_wrong_setting_stops_the_start() -> None:
    with pytest.raises(ValidationError):
        Settings(port=0<% if database %>, database_url=NOWHERE<% endif %>)


def test_a_log_line_is_json_with_its_fields() -> None:
    record = logging.makeLogRecord({"msg": 'it "works"', "levelname": "INFO", "code": 200})
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["severity"], line["code"]) == ('it "works"', "INFO", 200)


def test_the_health_command_fails_when_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1")
    assert healthcheck() == 1
<% if events %>


def test_an_event_is_acknowledged_and_a_broken_one_is_not(client: TestClient) -> None:
    push = {"message": {"messageId": "1", "data": "aGVsbG8="}, "subscription": "projects/p/subscriptions/s"}
    assert client.post("/events", json=push).status_code == 204
    push["message"] = {"messageId": "1", "data": "not base64!"}
    assert client.post("/events", json=push).status_code == 400
    assert client.post("/events", json={}).status_code == 422
<% endif %>
