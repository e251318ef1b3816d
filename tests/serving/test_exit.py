"""A process that decided ends without a complaint of any library."""

import subprocess
import sys
from pathlib import Path

from tactful.serving.settings import Settings

PROGRAM = """
import sys
import duckdb
from pathlib import Path
from tests.serving.shop import service_of
from tactful.serving.settings import Settings

service = service_of(Settings.of(Path(sys.argv[1])))
service.decide("leaver", "d1")
service.store.close()
"""


def test_a_process_that_decided_ends_without_reports_of_leaks(shop: Settings) -> None:
    command = [sys.executable, "-c", PROGRAM, str(shop.data)]
    result = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert "leaked" not in result.stderr, result.stderr
