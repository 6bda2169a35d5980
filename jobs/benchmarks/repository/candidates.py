"""The candidates: about 250 configurations for classification and for regression, in an order that serves any prefix.

First every learner with its defaults. The rest are the portfolio of the package, published configurations and random
ones of all families, with learners in turn by their share of the random ones. A candidate is a mapping of
hyperparameters to values; what a table's search space does not have is left out where it is adapted
(`mpi_automl.search.portfolio.adapt_configuration`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.atomic_write import atomic_write_text
from repository.published import NOTICES, Values, read_published
from repository.ranges import BOOSTERS, PREPROCESSOR, RESCALING, Family, families, natural_steps

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from mpi_automl.search.vectors import VectorSpace

STEPS = ("classifier", "regressor")
COMMITTED = Path(__file__).parent / "candidates"
"""Folder of the candidates that a repository is built from."""
_FIRST = ("lightgbm", "extra_trees", "catboost", "mlp", "random_forest", "xgboost", "gradient_boosting")


@dataclass(frozen=True)
class Candidate:
    """A configuration that is evaluated on every table.

    Attributes
    ----------
    source : {"default", "package", "published", "random"}
    learner : str
    values : dict
        Of hyperparameters by name.
    position : int or None
        In the order in which the package tries its initial configurations where nothing else is known.
    """

    source: str
    learner: str
    values: Values
    position: int | None = None


def reference_space(step: str) -> ConfigurationSpace:
    """The package's own space for a table of numbers and categories with missing values."""
    from mpi_automl.data.task import ColumnKind, Profile, TaskType
    from mpi_automl.space.space import build_space

    kinds = (ColumnKind.NUMERICAL,) * 10 + (ColumnKind.CATEGORICAL,) * 10
    task, outputs = (TaskType.BINARY, 2) if step == "classifier" else (TaskType.REGRESSION, 1)
    facts = {"n_rows": 1000, "n_columns": 20, "n_outputs": outputs, "kinds": kinds}
    cardinalities = (0,) * 10 + (5,) * 10
    profile = Profile(
        task, **facts, cardinalities=cardinalities, has_missing=True, is_sparse=False, is_nonnegative=False
    )
    return build_space(profile).configspace


def make_candidates(step: str, count: int, published: Path | None, head: int = 4) -> list[Candidate]:
    """Make the candidates of a step.

    Parameters
    ----------
    step : {"classifier", "regressor"}
    count : int
        Random ones fill the list up to this number.
    published : Path, optional
        Folder with the files of published configurations.
    head : int
        Configurations taken from each portfolio of Auto-sklearn 2.
    """
    maker = _Maker(step)
    for values in maker.defaults():
        maker.add("default", values)
    known = [] if published is None else read_published(published, step, head)
    for own, other in zip_longest(maker.present(), known):
        for source, values in (("package", own), ("published", other)):
            if values is not None:
                maker.add(source, values)
    rng = np.random.default_rng(0)
    kinds = {family.learner: family for family in families(step)}
    shares = {learner: family.share for learner, family in kinds.items()}
    for learner in _rounds(shares):
        if len(maker.made) >= count:
            break
        maker.add("random", maker.draw(kinds[learner], rng))
    return _in_turn(maker.in_order()[:count], shares)


class _Maker:
    """Collects candidates that differ and that the reference space allows."""

    def __init__(self, step: str) -> None:
        from mpi_automl.search.vectors import VectorSpace

        self._choice = f"{step}:__choice__"
        self._step = step
        self.space: VectorSpace = VectorSpace(reference_space(step))
        self.made: dict[str, Candidate] = {}
        self._present = {self._key(values): i for i, values in enumerate(self.present())}

    def add(self, source: str, values: Values) -> None:
        key = self._key(values)
        if key and key not in self.made:
            self.made[key] = Candidate(source, values[self._choice], values, self._present.get(key))

    def in_order(self) -> list[Candidate]:
        return list(self.made.values())

    def _key(self, values: Values) -> str:
        """What makes two candidates the same; empty where the space forbids one."""
        vector = self._adapted(values)
        # Hyperparameters that the space does not have must tell candidates apart, too.
        unknown = {name: value for name, value in values.items() if name not in self.space.names}
        return "" if vector is None else json.dumps({**unknown, **named(self.space, vector)}, sort_keys=True)

    def _adapted(self, values: Values) -> np.ndarray | None:
        from mpi_automl.search.portfolio import adapt_configuration

        return adapt_configuration(self.space, values)

    def defaults(self) -> Iterator[Values]:
        """Every learner with its defaults, strong ones first, behind its natural steps or else what is allowed."""
        known = [str(name) for name in self.space.space[self._choice].choices]
        order = [*(name for name in _FIRST if name in known), *(name for name in known if name not in _FIRST)]
        for learner in order:
            plain = {self._choice: learner, PREPROCESSOR: "no_preprocessing", **natural_steps(learner)}
            fallbacks = (plain, {self._choice: learner}, {**plain, RESCALING: "minmax"})
            yield next((values for values in fallbacks if self._adapted(values) is not None), plain)

    def present(self) -> list[Values]:
        """What the package tries first where no repository has chosen, in its order."""
        from mpi_automl.search.initial import distinct
        from mpi_automl.search.portfolio import portfolio

        rows = np.concatenate([portfolio(self.space, chosen=False), self.space.default[None]])
        return [named(self.space, vector) for vector in distinct(rows)]

    def draw(self, family: Family, rng: np.random.Generator) -> Values:
        """A random candidate of a family."""
        if not family.learner:
            return self._draw_anything(rng)
        prefix = f"{self._step}:{family.learner}:"
        steps = family.steps[int(rng.integers(len(family.steps)))]
        if family.ranges is not None:
            drawn = {f"{prefix}{name}": draw(rng) for name, draw in family.ranges.items()}
        else:
            state = np.random.RandomState(int(rng.integers(2**31)))
            own = {name: hp for name, hp in self.space.space.items() if name.startswith(prefix)}
            drawn = {name: _plain(hp.to_value(hp.sample_vector(1, seed=state)[0])) for name, hp in own.items()}
        return {self._choice: family.learner, PREPROCESSOR: "no_preprocessing", **steps, **drawn}

    def _draw_anything(self, rng: np.random.Generator) -> Values:
        state = np.random.RandomState(int(rng.integers(2**31)))
        for _ in range(100):
            values = named(self.space, self.space.sample(1, state)[0])
            if values[self._choice] not in BOOSTERS:
                return values
        raise RuntimeError("the space has no learners but boosting")


def _in_turn(candidates: list[Candidate], shares: dict[str, int]) -> list[Candidate]:
    """Defaults first, then learners in turn, each as often as its share says, while it has candidates left."""
    ordered = [candidate for candidate in candidates if candidate.source == "default"]
    waiting: dict[str, list[Candidate]] = {}
    for candidate in candidates[len(ordered) :]:
        waiting.setdefault(candidate.learner, []).append(candidate)
    for learner in _rounds({learner: shares.get(learner, 1) for learner in waiting}):
        if not any(waiting.values()):
            break
        if waiting[learner]:
            ordered.append(waiting[learner].pop(0))
    return ordered


def _rounds(shares: Mapping[str, int]) -> Iterator[str]:
    """Keys in turn, each as often as its share says, spread evenly (smooth weighted round-robin), without end."""
    credit = dict.fromkeys(shares, 0)
    while True:
        for key, share in shares.items():
            credit[key] += share
        chosen = max(credit, key=credit.__getitem__)
        credit[chosen] -= sum(shares.values())
        yield chosen


def named(space: VectorSpace, vector: np.ndarray) -> Values:
    """Active hyperparameters by name, as JSON can hold them."""
    from ConfigSpace import Configuration

    return {name: _plain(value) for name, value in dict(Configuration(space.space, vector=vector)).items()}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def write_candidates(path: Path, candidates: list[Candidate]) -> None:
    """Write candidates, one a line."""
    lines = ",\n".join(json.dumps(asdict(candidate)) for candidate in candidates)
    atomic_write_text(path, f'{{"notices": {json.dumps(NOTICES)},\n"candidates": [\n{lines}\n]}}\n')


def load_candidates(path: Path) -> list[Candidate]:
    """Read what `write_candidates` wrote."""
    return [Candidate(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))["candidates"]]
