"""What single parts of the package are worth: jobs in virtual time, each without one part.

Every table is left out of the choice of its own portfolio. A job tries the candidates of an order in turn, builds its
ensemble as the package does, and is judged on the held-out rows at the end of its time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mpi_automl.ensemble.build import Candidates, build_ensemble, selection_metric
from mpi_automl.ensemble.combination import combine
from mpi_automl.ensemble.greedy import GreedyOptions
from mpi_automl.trial import TrialKey
from repository.candidates import Candidate
from repository.optimism import EARLY_STOPPED
from repository.portfolio import PortfolioOptions, greedy_order, present_order
from repository.simulator import MOST_MEMBERS, SIZE, Job, SimulatedTable, ends

BAGS = 10

Order = Sequence[int]


@dataclass(frozen=True)
class Ablated:
    """What a job comes to without one part.

    Attributes
    ----------
    table, part : str
    seconds : float
        Of the job.
    cost : float
        On the held-out rows, scaled as in `SimulatedTable.scale`.
    """

    table: str
    part: str
    seconds: float
    cost: float


def ablate(
    tables: Sequence[SimulatedTable],
    candidates: Sequence[Candidate],
    options: PortfolioOptions,
    job: Job,
    times: Sequence[float],
) -> list[Ablated]:
    """Run every variant on every table.

    Parameters
    ----------
    tables : sequence of SimulatedTable
        Of one step.
    candidates : sequence of Candidate
    options : PortfolioOptions
    job : Job
    times : sequence of float
        Seconds that jobs take.
    """
    boosted = {i for i, candidate in enumerate(candidates) if candidate.learner in EARLY_STOPPED}
    found = []
    for table in tables:
        portfolio = greedy_order([one for one in tables if one is not table], options)
        rest = np.random.default_rng(0).permutation(len(candidates)).tolist()
        order = [*portfolio, *(i for i in rest if i not in portfolio)]
        variants: dict[str, tuple[Order, Callable[[SimulatedTable, Order], float]]] = {
            "nothing": (order, package_cost),
            "the portfolio, for the present order": (present_order(candidates), package_cost),
            "the portfolio, for a random order": (rest, package_cost),
            "early-stopped boosting": ([i for i in order if i not in boosted], package_cost),
            "bags, check and calibration": (order, lambda one, known: one.ensemble(known)[0]),
            "the ensemble": (order, single_cost),
        }
        for part, (tried, cost) in variants.items():
            finished = ends(table, tried, job)
            for seconds in times:
                known = [i for end, i in finished if end <= seconds]
                scaled = float(table.scaled(cost(table, known) if known else np.inf))
                found.append(Ablated(table.name, part, seconds, scaled))
    return found


def package_cost(table: SimulatedTable, candidates: Order) -> float:
    """Held-out cost of the ensemble that the package makes of some candidates; infinite without any."""
    usable = [i for i in candidates if table.has_predictions[i]]
    usable = sorted(sorted(usable, key=lambda i: table.costs[i])[:MOST_MEMBERS])
    if not usable:
        return float("inf")
    keys = tuple(TrialKey(0, 0, i) for i in usable)
    select_by = selection_metric(table.metric, "auto", table.task_type)
    options = GreedyOptions(size=SIZE, bags=BAGS, select_by=select_by)
    known = Candidates(keys, table.predictions_of(usable, held_out=False))
    ensemble = build_ensemble(known, table.truth.y, table.metric, table.task_type, options)
    held_out = dict(zip(keys, table.predictions_of(usable, held_out=True), strict=True))
    return table.cost_of(combine(ensemble.combination, held_out), held_out=True)


def single_cost(table: SimulatedTable, candidates: Order) -> float:
    """Held-out cost of the candidate that is best alone; infinite without any."""
    usable = [i for i in candidates if table.has_predictions[i]]
    return float(table.held_out_costs[min(usable, key=lambda i: table.costs[i])]) if usable else float("inf")


def ablation_table(found: Sequence[Ablated]) -> list[str]:
    """A table in Markdown: mean scaled costs, and on how many tables a job is worse without the part."""
    times = sorted({one.seconds for one in found})
    costs = {(one.part, one.seconds, one.table): one.cost for one in found}
    tables = sorted({one.table for one in found})
    heads = "".join(f" {seconds:g} s | worse, better |" for seconds in times)
    lines = [f"| without |{heads}", f"|{'---|' * (1 + 2 * len(times))}"]
    for part in dict.fromkeys(one.part for one in found):
        cells = []
        for seconds in times:
            own = np.array([costs[part, seconds, table] for table in tables])
            change = own - np.array([costs["nothing", seconds, table] for table in tables])
            cells.append(f" {own.mean():.3f} | {(change > 1e-3).sum()}, {(change < -1e-3).sum()} |")
        lines.append(f"| {part} |{''.join(cells)}")
    return lines
