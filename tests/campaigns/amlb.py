"""The OpenML AutoML Benchmark itself gives two tables to mpi_automl and scores its predictions.

``AMLB=/path/to/automlbenchmark AMLB_PYTHON=/path/to/bin/python pytest -m campaign tests/campaigns/amlb.py``, with a
Python that has the benchmark's requirements; ``-s`` shows what it prints.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pandas as pd
import pytest
from launching import CHECKOUT, clean_environment, default_mpi, require_environment

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1800)]

USER = CHECKOUT / "jobs" / "amlb"


def test_the_benchmark_scores_two_tables(tmp_path):
    place, python = os.environ.get("AMLB"), os.environ.get("AMLB_PYTHON")
    if not place or not python:
        pytest.skip("AMLB and AMLB_PYTHON do not name a checkout of the benchmark and a Python for it")
    environment = {**clean_environment(require_environment(default_mpi())), "PYTHON": sys.executable}
    # The benchmark's Python is another one.
    del environment["PYTHONPATH"]
    subprocess.run([sys.executable, USER / "make_tables.py"], check=True)
    words = [python, "runbenchmark.py", "mpi_automl", "local", "1m2c", "-u", str(USER), "-o", str(tmp_path)]
    subprocess.run(words, cwd=place, env=environment, check=True, timeout=1500)
    table = pd.read_csv(tmp_path / "results.csv").set_index("task")
    print(table.to_string())
    assert table["info"].isna().all()
    assert table["acc"]["wine"] > 0.8
    assert table["r2"]["diabetes"] > 0.2
    assert (table["models_count"] > 2).all()
