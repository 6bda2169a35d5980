"""A configuration space on arrays: sampling, activity and forbidden clauses for thousands of vectors at once.

ConfigSpace keeps each configuration as an object and checks them one by one. Here a batch of
configurations is one array of shape (n_hyperparameters, n), so that each hyperparameter is
contiguous; encoding, distributions and meaning of conditions and clauses are ConfigSpace's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import CategoricalHyperparameter, Constant, OrdinalHyperparameter
from ConfigSpace.conditions import AndConjunction, Conjunction, EqualsCondition, InCondition, OrConjunction
from ConfigSpace.forbidden import (
    ForbiddenAndConjunction,
    ForbiddenConjunction,
    ForbiddenEqualsClause,
    ForbiddenInClause,
    ForbiddenOrConjunction,
)
from ConfigSpace.hyperparameters import IntegerHyperparameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ConfigSpace import ConfigurationSpace
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class OneOf:
    """True where a hyperparameter has one of the values (encoded); false where it is inactive."""

    position: int
    values: tuple[float, ...]

    def holds(self, columns: Floats) -> Mask:
        """Mask of shape (n,) for columns of shape (n_hyperparameters, n)."""
        column = columns[self.position]
        mask: Mask = column == self.values[0]
        for value in self.values[1:]:
            mask |= column == value
        return mask


@dataclass(frozen=True)
class JoinedRules:
    """True where all parts are, or any part is."""

    every: bool
    parts: tuple[Rule, ...]

    def holds(self, columns: Floats) -> Mask:
        """Mask of shape (n,) for columns of shape (n_hyperparameters, n)."""
        mask = self.parts[0].holds(columns)
        for part in self.parts[1:]:
            mask = mask & part.holds(columns) if self.every else mask | part.holds(columns)
        return mask


@dataclass(frozen=True, eq=False)
class Delegated:
    """A condition or clause of another kind, left to ConfigSpace."""

    method: Any

    def holds(self, columns: Floats) -> Mask:
        """Mask of shape (n,) for columns of shape (n_hyperparameters, n)."""
        return np.asarray(self.method(columns), dtype=np.bool_)


Rule = OneOf | JoinedRules | Delegated


def condition_rule(condition: Any, index: Mapping[str, int]) -> Rule:
    """The rule by which a ConfigSpace condition holds."""
    if isinstance(condition, Conjunction) and isinstance(condition, (AndConjunction, OrConjunction)):
        parts = tuple(condition_rule(part, index) for part in condition.components)
        return JoinedRules(isinstance(condition, AndConjunction), parts)
    if isinstance(condition, EqualsCondition):
        return OneOf(index[condition.parent.name], (float(condition.vector_value),))
    if isinstance(condition, InCondition):
        return OneOf(index[condition.parent.name], tuple(float(value) for value in condition.vector_values))
    return Delegated(condition.satisfied_by_vector_array)


def forbidden_rule(clause: Any, index: Mapping[str, int]) -> Rule:
    """The rule by which a ConfigSpace clause forbids."""
    if isinstance(clause, ForbiddenConjunction) and isinstance(
        clause, (ForbiddenAndConjunction, ForbiddenOrConjunction)
    ):
        parts = tuple(forbidden_rule(part, index) for part in clause.components)
        return JoinedRules(isinstance(clause, ForbiddenAndConjunction), parts)
    if isinstance(clause, ForbiddenEqualsClause):
        return OneOf(index[clause.hyperparameter.name], (float(clause.vector_value),))
    if isinstance(clause, ForbiddenInClause):
        vectors = (clause.hyperparameter.to_vector(value) for value in clause.values)
        return OneOf(index[clause.hyperparameter.name], tuple(sorted(float(value) for value in vectors)))
    return Delegated(clause.is_forbidden_vector_array)


def condition_parents(condition: Any) -> list[str]:
    """Names of the hyperparameters that a condition looks at."""
    parts = condition.dlcs if isinstance(condition, Conjunction) else (condition,)
    return [part.parent.name for part in parts]


@dataclass(frozen=True, eq=False)
class RuleGroup:
    """Hyperparameters that are active under one and the same rule."""

    rule: Rule
    children: NDArray[np.intp]


class VectorSpace:
    """A `ConfigurationSpace` compiled for batches of vectors.

    Parameters
    ----------
    space : ConfigurationSpace

    Attributes
    ----------
    names : list of str
    hyperparameters : list
        ConfigSpace's, in the order of the vector.
    defaults : ndarray of float64, shape (n_hyperparameters,)
        Encoded default of every hyperparameter, also where the default configuration has it inactive.
    default : ndarray of float64, shape (n_hyperparameters,)
        The default configuration.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        self.space = space
        self.names = list(space)
        self.hyperparameters = list(space.values())
        self.defaults = np.array([float(hp.to_vector(hp.default_value)) for hp in self.hyperparameters])
        self.default: Floats = np.asarray(space.get_default_configuration().get_array(), dtype=np.float64)
        self._groups = self._compile_groups()
        self._forbidden = [forbidden_rule(clause, space.index_of) for clause in space.forbidden_clauses]
        conditional = np.concatenate([group.children for group in self._groups]) if self._groups else np.array([], int)
        self.roots: list[int] = sorted(set(range(len(self.names))) - set(conditional.tolist()))
        self.is_conditional = np.zeros(len(self.names), dtype=np.bool_)
        self.is_conditional[conditional] = True
        self.is_parent = np.array([len(space.children_of[name]) > 0 for name in self.names], dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.names)

    def _compile_groups(self) -> list[RuleGroup]:
        index = self.space.index_of
        conditions = {name: list(self.space.parent_conditions_of[name]) for name in self.names}
        depths: dict[str, int] = {}

        def depth(name: str) -> int:
            if name not in depths:
                parents = [parent for condition in conditions[name] for parent in condition_parents(condition)]
                depths[name] = 1 + max(map(depth, parents)) if parents else 0
            return depths[name]

        groups: dict[tuple[int, Rule], list[int]] = {}
        for name in sorted(self.names, key=lambda name: (depth(name), index[name])):
            if conditions[name]:
                rules = tuple(condition_rule(condition, index) for condition in conditions[name])
                rule = rules[0] if len(rules) == 1 else JoinedRules(True, rules)
                groups.setdefault((depth(name), rule), []).append(index[name])
        return [RuleGroup(rule, np.array(children)) for (_, rule), children in groups.items()]

    def sample(self, n: int, random: np.random.RandomState) -> Floats:
        """Draw valid configurations from ConfigSpace's own distributions.

        Parameters
        ----------
        n : int
        random : RandomState

        Returns
        -------
        ndarray of float64, shape (n, n_hyperparameters)
        """
        batches: list[Floats] = []
        # More are drawn than wanted, as some are forbidden; how many is learned from batch to batch.
        missing, allowed = n, 0.7
        while missing > 0:
            columns = self._draw(int(missing / allowed) + 8, random)
            batches.append(columns[:, ~self.is_forbidden(columns)][:, :missing])
            missing -= batches[-1].shape[1]
            allowed = max(0.05, min(allowed, 0.9 * batches[-1].shape[1] / columns.shape[1]))
        return np.ascontiguousarray(np.concatenate(batches, axis=1).T) if batches else np.empty((0, len(self)))

    def _draw(self, n: int, random: np.random.RandomState) -> Floats:
        columns = np.full((len(self), n), np.nan)
        for i in self.roots:
            columns[i] = self.hyperparameters[i].sample_vector(n, seed=random)
        for group in self._groups:
            active = np.flatnonzero(group.rule.holds(columns))
            if len(active):
                for child in group.children:
                    columns[child, active] = self.hyperparameters[child].sample_vector(len(active), seed=random)
        return columns

    def from_unit(self, columns: Floats) -> Floats:
        """Configurations from points of the unit cube, such as those of a space-filling design.

        Parameters
        ----------
        columns : ndarray of float64, shape (n_hyperparameters, n)
            In [0, 1).

        Returns
        -------
        ndarray of float64, shape (n_hyperparameters, n)
            Inactive hyperparameters are NaN; forbidden combinations are still there.
        """
        made = np.empty_like(columns)
        for i, (unit, hp) in enumerate(zip(columns, self.hyperparameters, strict=True)):
            if isinstance(hp, Constant):
                made[i] = self.defaults[i]
            elif isinstance(hp, (CategoricalHyperparameter, OrdinalHyperparameter)):
                made[i] = np.floor(np.minimum(unit, 1 - 1e-10) * hp.size)
            elif isinstance(hp, IntegerHyperparameter):
                made[i] = hp.to_vector(hp.to_value(unit))
            else:
                made[i] = unit
        self.apply_conditions(made)
        return made

    def apply_conditions(self, columns: Floats) -> None:
        """Make activity follow the conditions, in place.

        What a condition switches off becomes NaN; what it switches on and has no value gets its default.

        Parameters
        ----------
        columns : ndarray of float64, shape (n_hyperparameters, n)
        """
        for group in self._groups:
            on = group.rule.holds(columns)
            block = columns[group.children]
            wrong = np.isnan(block) == on
            if wrong.any():
                columns[group.children] = np.where(
                    on, np.where(np.isnan(block), self.defaults[group.children, None], block), np.nan
                )

    def is_forbidden(self, columns: Floats) -> Mask:
        """Mask of the configurations that violate a forbidden clause.

        Parameters
        ----------
        columns : ndarray of float64, shape (n_hyperparameters, n)

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        mask = np.zeros(columns.shape[1], dtype=np.bool_)
        for rule in self._forbidden:
            mask |= rule.holds(columns)
        return mask

    def is_valid(self, vectors: Floats) -> Mask:
        """Mask of the vectors that are configurations of this space: active as conditions say, legal, not forbidden.

        Parameters
        ----------
        vectors : ndarray of float64, shape (n, n_hyperparameters)

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        columns = np.ascontiguousarray(np.asarray(vectors, dtype=np.float64).T)
        mask = ~self.is_forbidden(columns)
        for i in self.roots:
            mask &= ~np.isnan(columns[i])
        for group in self._groups:
            on = group.rule.holds(columns)
            mask &= (np.isnan(columns[group.children]) != on).all(axis=0)
        for column, hp in zip(columns, self.hyperparameters, strict=True):
            active = ~np.isnan(column)
            mask[active] &= hp.legal_vector(column[active])
        return mask
