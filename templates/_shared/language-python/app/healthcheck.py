"""The health command of the image: `python -m app.healthcheck`. The image has no curl, and needs none."""

import os
import sys
from urllib.error import URLError
from urllib.request import urlopen


def main() -> int:
    port = int(os.environ.get("PORT", "<{ port }>"))
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return 0 if answer.status == 200 else 1
    except (URLError, OSError):
        return 1


if __name__ == "__main__":
    sys.exit(main())
