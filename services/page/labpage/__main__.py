"""`python -m labpage`: the settings are in the environment, as compose.yaml gives them."""

from __future__ import annotations

import os

from labpage.server import serve

if __name__ == "__main__":
    serve(os.environ["LAB_PROMETHEUS_URL"], int(os.environ["LAB_PAGE_PORT"]))
