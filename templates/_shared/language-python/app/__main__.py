"""Starts the server: `python -m app`."""

import signal
import sys
from types import FrameType

import uvicorn

from app.logs import set_up_logs
from app.main import create_app
from app.settings import Settings


def leave(_signal: int, _frame: FrameType | None) -> None:
    """Ends well: once it has shut down, uvicorn raises the signal anew, and the process would count as killed."""
    sys.exit(0)


def main() -> None:
    signal.signal(signal.SIGTERM, leave)
    settings = Settings()
    set_up_logs(settings.log_level)
    uvicorn.run(
        create_app(settings),
        # Every interface: inside a container the loopback address is reachable by nobody else.
        host="0.0.0.0",  # noqa: S104
        port=settings.port,
        # The access log is ours (app/metrics.py): one JSON line with the route, not the raw path, and none for probes.
        access_log=False,
        log_config=None,
        # On SIGTERM: no new connections, running requests get this long. Shorter than the platform's own grace
        # period, so that the process ends by itself and is never killed in the middle of an answer.
        timeout_graceful_shutdown=settings.shutdown_grace_s,
        # Behind the platform's proxy the client's address is in X-Forwarded-For.
        proxy_headers=True,
        server_header=False,
    )


if __name__ == "__main__":
    main()
