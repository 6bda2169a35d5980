"""Configuration spaces for the tests of the search: one of realistic size, and a small one."""

from __future__ import annotations

from functools import cache

import numpy as np
from ConfigSpace import (
    AndConjunction,
    CategoricalHyperparameter,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    ForbiddenInClause,
    InCondition,
    OrConjunction,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)


@cache
def large_space(n_learners: int = 15, n_preprocessors: int = 13) -> ConfigurationSpace:
    """A pipeline space as an AutoML system has it: choices per step, each with its own hyperparameters.

    With the default sizes it has about 150 hyperparameters and 50 forbidden clauses.
    """
    rng = np.random.default_rng(0)
    space = ConfigurationSpace(seed=0)
    learners = _step(space, "learner", n_learners, 6, rng)
    preprocessors = _step(space, "preprocessor", n_preprocessors, 3, rng)
    rescalers = _step(space, "rescaling", 7, 1, rng)
    _step(space, "encoding", 3, 1, rng)
    space.add(CategoricalHyperparameter("balancing", ["none", "weighting"]))
    _add_nested(space, learners)
    clauses = []
    for k in range(50):
        left = ForbiddenEqualsClause(learners, f"learner{1 + k % (n_learners - 1)}")
        other = preprocessors if k % 3 else rescalers
        names = [choice for choice in other.choices[1:] if rng.random() < 0.2] or [other.choices[-1]]
        clauses.append(ForbiddenAndConjunction(left, ForbiddenInClause(other, names)))
    space.add(*clauses)
    return space


def _step(space, name: str, n_choices: int, n_each: int, rng: np.random.Generator) -> CategoricalHyperparameter:
    choice = CategoricalHyperparameter(f"{name}:choice", [f"{name}{k}" for k in range(n_choices)])
    parts = [choice]
    for k in range(n_choices):
        children = [_hyperparameter(f"{name}:{name}{k}:h{j}", int(rng.integers(6))) for j in range(n_each)]
        parts += [*children, *(EqualsCondition(child, choice, f"{name}{k}") for child in children)]
    space.add(*parts)
    return choice


def _hyperparameter(name: str, kind: int):
    return [
        lambda: UniformFloatHyperparameter(name, 1e-4, 10.0, log=True, default_value=0.1),
        lambda: UniformFloatHyperparameter(name, 0.0, 1.0, default_value=0.5),
        lambda: UniformIntegerHyperparameter(name, 1, 20, default_value=5),
        lambda: UniformIntegerHyperparameter(name, 2, 2048, log=True, default_value=32),
        lambda: CategoricalHyperparameter(name, ["a", "b", "c"]),
        lambda: OrdinalHyperparameter(name, ["low", "middle", "high", "highest"]),
    ][kind]()


def _add_nested(space: ConfigurationSpace, learners: CategoricalHyperparameter) -> None:
    kernel = CategoricalHyperparameter("learner:learner0:kernel", ["rbf", "poly", "sigmoid"])
    degree = UniformIntegerHyperparameter("learner:learner0:degree", 2, 5)
    coef = UniformFloatHyperparameter("learner:learner0:coef", -1.0, 1.0)
    rounds = Constant("learner:learner1:rounds", 512)
    shrink = UniformFloatHyperparameter("shrink", 0.0, 1.0)
    space.add(kernel, degree, coef, rounds, shrink)
    space.add(EqualsCondition(kernel, learners, "learner0"), EqualsCondition(rounds, learners, "learner1"))
    space.add(EqualsCondition(degree, kernel, "poly"), InCondition(coef, kernel, ["poly", "sigmoid"]))
    either = OrConjunction(EqualsCondition(shrink, learners, "learner2"), EqualsCondition(shrink, learners, "learner3"))
    space.add(AndConjunction(either, EqualsCondition(shrink, space["balancing"], "weighting")))


@cache
def small_space() -> ConfigurationSpace:
    """Two learners with a few hyperparameters each, and one forbidden pair."""
    space = ConfigurationSpace(seed=0)
    learner = CategoricalHyperparameter("learner", ["linear", "forest"])
    scaling = CategoricalHyperparameter("scaling", ["none", "standard", "minmax"])
    alpha = UniformFloatHyperparameter("alpha", 1e-6, 1.0, log=True)
    depth = UniformIntegerHyperparameter("depth", 1, 30)
    share = UniformFloatHyperparameter("share", 0.1, 1.0)
    space.add(learner, scaling, alpha, depth, share)
    space.add(EqualsCondition(alpha, learner, "linear"))
    space.add(EqualsCondition(depth, learner, "forest"), EqualsCondition(share, learner, "forest"))
    clause = ForbiddenEqualsClause(learner, "forest"), ForbiddenEqualsClause(scaling, "minmax")
    space.add(ForbiddenAndConjunction(*clause))
    return space
