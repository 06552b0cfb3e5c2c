"""A load that looks like users. It fails by the objectives of slo/openslo.yaml: locust --headless ... ends with 1."""

from typing import Any

from locust import HttpUser, between, events, task


class Visitor(HttpUser):
    wait_time = between(0.5, 2)

    @task
    def info(self) -> None:
        # Named by its route, as the service's own metrics are.
        self.client.get("<{ verify_path }>", name="<{ verify_path }>")


@events.quitting.add_listener
def judge(environment: Any, **_: Any) -> None:
    total = environment.stats.total
    slow = total.get_response_time_percentile(0.95) or 0
    if total.num_requests == 0:
        print("nothing was asked")
        environment.process_exit_code = 1
    # A test is short: ten times the budget, or one lost request in a minute would stop every release.
    elif total.fail_ratio > 10 * <{ budget }>:
        print(f"{total.fail_ratio:.2%} of the requests failed")
        environment.process_exit_code = 1
    elif slow > <{ slo_latency_ms }>:
        print(f"5 % took longer than {slow:.0f} ms; the objective is <{ slo_latency_ms }> ms")
        environment.process_exit_code = 1
