"""Candidates dealt over the ranks give exactly the ensemble that one process finds; every rank runs this."""

import sys

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.bagging import select_bagged
from mpi_automl.ensemble.greedy import GreedyOptions, select
from mpi_automl.metrics.registry import get_metric
from mpi_automl.parallel.reduction import WorldReduction
from mpi_automl.parallel.world import open_world, process_start

sys.path.insert(0, sys.argv[1])
from ensemble_candidates import candidates, hard_votes

RULES = (GreedyOptions(12, seed=5), GreedyOptions(8, seed=5, bags=4))
CASES = (
    (TaskType.BINARY, "accuracy", hard_votes),
    (TaskType.BINARY, "roc_auc", candidates),
    (TaskType.MULTICLASS, "log_loss", candidates),
    (TaskType.MULTIOUTPUT, "r2", candidates),
)

world = open_world(process_start())
reduction = WorldReduction(world)
for task_type, name, make in CASES:
    y, predictions = make(task_type)
    metric = get_metric(name, task_type)
    identities = list(range(100, 100 + len(predictions)))
    for rules in RULES:
        how = select_bagged if rules.bags else select
        alone = how(predictions, y, metric, task_type, rules, identities)
        mine = slice(world.rank, None, world.size)
        together = how(predictions[mine], y, metric, task_type, rules, identities[mine], reduction)
        assert together == alone, (task_type, name, rules, together, alone)
if world.is_root:
    print(f"fine: {world.size} ranks")
