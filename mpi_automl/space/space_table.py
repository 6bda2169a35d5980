"""The table of a search space for people, and its size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from mpi_automl.space.hyperparameters import Categorical, Hyperparameter

if TYPE_CHECKING:
    from mpi_automl.space.space import SearchSpace


@dataclass(frozen=True)
class SpaceRow:
    """One component, or one of its hyperparameters, of a space's table.

    Attributes
    ----------
    step, component : str
    hyperparameter : str
        Empty for a component without any.
    values : str
        Range or choices.
    default : str
    when : str
        Condition under which it is active, beyond the choice of the component.
    """

    step: str
    component: str
    hyperparameter: str = ""
    values: str = ""
    default: str = ""
    when: str = ""


@dataclass(frozen=True)
class SpaceSize:
    """How large a search space is.

    Attributes
    ----------
    components : int
    hyperparameters : int
        Dimensions of a vector.
    forbidden : int
        Clauses.
    pipelines : int
        Combinations of components, whatever their hyperparameters, before clauses.
    """

    components: int
    hyperparameters: int
    forbidden: int
    pipelines: int

    def describe(self) -> str:
        """The size in one sentence."""
        return (
            f"{self.components} components, {self.hyperparameters} hyperparameters, "
            f"{self.forbidden} forbidden clauses, {self.pipelines:,} combinations of components."
        )


def rows(space: SearchSpace) -> Iterator[SpaceRow]:
    """Every component of a space with its hyperparameters, in the order of the pipeline."""
    for step, components in space.components.items():
        for component in components.values():
            declared = component.declare(space.profile)
            if not declared:
                yield SpaceRow(step, component.name)
            for hyperparameter in declared:
                yield SpaceRow(
                    step,
                    component.name,
                    hyperparameter.name,
                    values_text(hyperparameter),
                    default_text(hyperparameter),
                    when_text(hyperparameter),
                )


def size(space: SearchSpace) -> SpaceSize:
    """Count components, hyperparameters, clauses and combinations."""
    return SpaceSize(
        components=sum(len(components) for components in space.components.values()),
        hyperparameters=len(space.configspace),
        forbidden=len(space.configspace.forbidden_clauses),
        pipelines=prod(len(components) for components in space.components.values()),
    )


def table(space: SearchSpace) -> str:
    """The space as text: one line for each hyperparameter, then what was left out, then the size."""
    cells = [("step", "component", "hyperparameter", "values", "default", "active when")]
    previous = ("", "")
    for row in rows(space):
        step = "" if row.step == previous[0] else row.step
        component = "" if (row.step, row.component) == previous else row.component
        cells.append((step, component, row.hyperparameter, row.values, row.default, row.when))
        previous = (row.step, row.component)
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    if space.left_out:
        lines += ["", "Left out for this table:"]
        lines += [f"  {step}:{name} {reason}" for step, name, reason in space.left_out]
    return "\n".join([*lines, "", size(space).describe()])


def values_text(hyperparameter: Hyperparameter) -> str:
    """Range or choices, such as ``1 to 20`` or ``gini, entropy``."""
    if isinstance(hyperparameter, Categorical):
        return ", ".join(map(_plain, hyperparameter.choices))
    scale = " (log)" if hyperparameter.log else ""
    return f"{_plain(hyperparameter.lower)} to {_plain(hyperparameter.upper)}{scale}"


def default_text(hyperparameter: Hyperparameter) -> str:
    """The default value."""
    if isinstance(hyperparameter, Categorical) and hyperparameter.default is None:
        return _plain(hyperparameter.choices[0])
    return _plain(hyperparameter.default)


def when_text(hyperparameter: Hyperparameter) -> str:
    """The condition, such as ``kernel is poly or sigmoid``; empty if there is none."""
    return " and ".join(f"{name} is {' or '.join(map(_plain, values))}" for name, values in hyperparameter.when.items())


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
