"""Compatibility of components: their declared properties become forbidden combinations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from mpi_automl.data.task import Profile
from mpi_automl.errors import UserError
from mpi_automl.space.component import Component
from mpi_automl.space.component_selection import ComponentSelection, LeftOut
from mpi_automl.space.steps import Step, learner_step

Clause: TypeAlias = Mapping[str, tuple[str, ...]]
"""Names of steps with components that may not all be chosen at once."""

PREPROCESSOR = "feature_preprocessor"


def fits(preprocessor: Component, learner: Component, profile: Profile) -> bool:
    """Whether a learner can follow a feature preprocessor, whatever the steps before them do."""
    before, after = preprocessor.properties, learner.properties
    form = ("sparse" if profile.is_sparse else "dense") if before.output == "input" else before.output
    if not (after.sparse if form == "sparse" else after.dense):
        return False
    if before.expands and after.nonlinear:
        return False
    return not (after.nonnegative and before.output_nonnegative == "no")


def drop_incompatible(selection: ComponentSelection, profile: Profile) -> ComponentSelection:
    """Take out components that fit with none of the others: learners, feature preprocessors, balancing.

    Raises
    ------
    UserError
        If nothing remains.
    """
    last = learner_step(profile)
    selection = _weighted_only(selection, last)
    learners, preprocessors = selection.of(last.name), selection.of(PREPROCESSOR)
    reachable = tuple(x for x in learners if any(fits(p, x, profile) for p in preprocessors))
    if not reachable:
        raise UserError(
            f"None of the feature preprocessors left ({_names(preprocessors)}) can come before any {last.name} left "
            f"({_names(learners)}); include more of either."
        )
    useful = tuple(p for p in preprocessors if any(fits(p, x, profile) for x in reachable))
    reason = "fits with no component that is left of the other steps"
    selection = _keep(_keep(selection, last.name, reachable, reason), PREPROCESSOR, useful, reason)
    if any(x.properties.sample_weight for x in reachable):
        return selection
    unweighted = tuple(c for c in selection.of("balancing") if not c.properties.sample_weight)
    return _keep(selection, "balancing", unweighted, "is for learners that take sample weights, and none is left")


def _weighted_only(selection: ComponentSelection, last: Step) -> ComponentSelection:
    """Where balancing is not optional, every learner has to take part in it."""
    balancing, learners = selection.of("balancing"), selection.of(last.name)
    if not balancing or not all(c.properties.sample_weight for c in balancing):
        return selection
    able = tuple(x for x in learners if x.properties.sample_weight)
    if not able:
        raise UserError(
            f"No {last.name} left ({_names(learners)}) takes sample weights, which {balancing[0].key()} needs; include "
            f"balancing:none or more learners."
        )
    return _keep(selection, last.name, able, "takes no sample weights, and balancing:none does not take part")


def _keep(selection: ComponentSelection, step: str, kept: tuple[Component, ...], reason: str) -> ComponentSelection:
    gone: list[LeftOut] = [(step, c.name, reason) for c in selection.of(step) if c not in kept]
    steps = tuple((s, kept if s.name == step else components) for s, components in selection.steps)
    return ComponentSelection(steps, (*selection.left_out, *gone))


def _names(components: Sequence[Component]) -> str:
    return ", ".join(component.name for component in components)


def forbidden_combinations(selection: ComponentSelection, profile: Profile) -> tuple[Clause, ...]:
    """Every combination of components that may not be, each as short as possible."""
    last = learner_step(profile).name
    learners, preprocessors = selection.of(last), selection.of(PREPROCESSOR)
    found: list[Clause] = list(_pairs(last, learners, preprocessors, profile))
    found += _missing(selection, last)
    found += _signs(selection, last, profile)
    found += _width(selection, last)
    return tuple(found)


def violated(clause: Clause, chosen: Mapping[str, str]) -> bool:
    """Whether a choice of components, possibly incomplete, is what a clause forbids."""
    return all(chosen.get(step) in names for step, names in clause.items())


def _pairs(
    last: str, learners: Sequence[Component], preprocessors: Sequence[Component], profile: Profile
) -> list[Clause]:
    unfit = [(tuple(x.name for x in learners if not fits(p, x, profile)), p.name) for p in preprocessors]
    grouped = groupby(sorted(pair for pair in unfit if pair[0]), key=lambda pair: pair[0])
    return [{PREPROCESSOR: tuple(name for _, name in group), last: names} for names, group in grouped]


def _missing(selection: ComponentSelection, last: str) -> list[Clause]:
    """Where missing values stay in the data, every later step has to take them."""
    keeping = tuple(c.name for c in selection.of("imputation") if c.properties.missing)
    if not keeping:
        return []
    later = {
        step: tuple(c.name for c in selection.of(step) if not c.properties.missing)
        for step in ("rescaling", PREPROCESSOR, last)
    }
    return [{"imputation": keeping, step: names} for step, names in later.items() if names]


def _signs(selection: ComponentSelection, last: str, profile: Profile) -> list[Clause]:
    """Where a learner needs non-negative values and the preprocessor keeps the sign, the columns must have it."""
    needy = tuple(c.name for c in selection.of(last) if c.properties.nonnegative)
    keeping = tuple(c.name for c in selection.of(PREPROCESSOR) if c.properties.output_nonnegative == "input")
    if not needy or not keeping:
        return []
    found: list[Clause] = []
    for step in ("rescaling", "categorical_encoding", "text_feature_reduction"):
        negative = tuple(c.name for c in selection.of(step) if _may_be_negative(c, profile))
        if negative:
            found.append({last: needy, PREPROCESSOR: keeping, step: negative})
    return found


def _width(selection: ComponentSelection, last: str) -> list[Clause]:
    """What rescaling expands is for linear learners, and what it widens is not widened again."""
    expanding = tuple(c.name for c in selection.of("rescaling") if c.properties.expands)
    nonlinear = tuple(c.name for c in selection.of(last) if c.properties.nonlinear)
    widening = {
        step: tuple(c.name for c in selection.of(step) if c.properties.widens) for step in ("rescaling", PREPROCESSOR)
    }
    found: list[Clause] = []
    if expanding and nonlinear:
        found.append({"rescaling": expanding, last: nonlinear})
    if all(widening.values()):
        found.append(widening)
    return found


def _may_be_negative(component: Component, profile: Profile) -> bool:
    declared = component.properties.output_nonnegative
    return declared == "no" or (declared == "input" and not profile.is_nonnegative)


def first_legal(selection: ComponentSelection, forbidden: Sequence[Clause]) -> dict[str, str]:
    """The choice of components that is preferred among those no clause forbids, the learner deciding first.

    Raises
    ------
    UserError
        If every choice is forbidden.
    """
    order = sorted(selection.steps, key=_deciding)
    chosen = _complete(order, {}, forbidden)
    if chosen is None:
        raise UserError("No pipeline can be made of the components left; include more of them or exclude fewer.")
    return chosen


def _deciding(entry: tuple[Step, tuple[Component, ...]]) -> int:
    return {"classifier": 0, "regressor": 0, PREPROCESSOR: 1}.get(entry[0].name, 2)


def _complete(
    order: Sequence[tuple[Step, tuple[Component, ...]]], chosen: dict[str, str], forbidden: Sequence[Clause]
) -> dict[str, str] | None:
    if not order:
        return chosen
    (step, components), *rest = order
    for component in components:
        extended = {**chosen, step.name: component.name}
        if any(violated(clause, extended) for clause in forbidden):
            continue
        found = _complete(rest, extended, forbidden)
        if found is not None:
            return found
    return None
