"""The framework for the OpenML AutoML Benchmark speaks of metrics and options that there are."""

import ast

from launching import CHECKOUT

from mpi_automl.data.task import TaskType
from mpi_automl.metrics.registry import metric_names
from mpi_automl.settings import Settings

AMLB = CHECKOUT / "jobs" / "amlb"


def metrics():
    tree = ast.parse((AMLB / "extensions" / "mpi_automl" / "exec.py").read_text())
    (found,) = (node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "METRICS")
    return ast.literal_eval(found)


def test_metrics_are_known():
    known = {
        name for kind in (TaskType.BINARY, TaskType.MULTICLASS, TaskType.REGRESSION) for name in metric_names(kind)
    }
    assert set(metrics().values()) <= known


def test_parameters_of_the_frameworks_are_options():
    lines = (AMLB / "frameworks.yaml").read_text().splitlines()
    parameters = dict(line.split(":") for line in lines if line.startswith("    ") and not line.strip().startswith("_"))
    assert parameters
    assert Settings.from_mapping({name.strip(): value.strip() for name, value in parameters.items()})
