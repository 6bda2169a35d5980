"""The `ConfigurationSpace` of selected components: names, choices, conditions and forbidden combinations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mpi_automl.space.compatibility import Clause, first_legal, forbidden_combinations
from mpi_automl.space.component import Component
from mpi_automl.space.hyperparameters import Categorical, Float, Hyperparameter, Value

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from mpi_automl.data.task import Profile
    from mpi_automl.space.component_selection import ComponentSelection
    from mpi_automl.space.steps import Step

Named = dict[str, Any]
"""ConfigSpace's hyperparameters by their full names."""


def make_configuration_space(
    selection: ComponentSelection, profile: Profile, seed: int
) -> tuple[ConfigurationSpace, dict[str, str]]:
    """Build the configuration space of the selected components.

    Parameters
    ----------
    selection : ComponentSelection
    profile : Profile
    seed : int
        Of the space's own random generator.

    Returns
    -------
    space : ConfigurationSpace
    fixed : dict of str to str
        Names of steps with the one component they have; these have no hyperparameter in the space.

    Raises
    ------
    UserError
        If the selected components fit together in no way.
    """
    from ConfigSpace import ConfigurationSpace

    forbidden = forbidden_combinations(selection, profile)
    defaults = first_legal(selection, forbidden)
    fixed = {step.name: components[0].name for step, components in selection.steps if len(components) == 1}
    named: Named = {
        step.choice: _choice(step, components, defaults[step.name])
        for step, components in selection.steps
        if step.name not in fixed
    }
    rules = list(_balancing(selection, named))
    for step, components in selection.steps:
        for component in components:
            rules += _add(named, step, component, component.declare(profile))
    choices = {step.name: step.choice for step, _ in selection.steps}
    rules += [_forbidden(named, _renamed(clause, choices, fixed)) for clause in forbidden]
    fixed_choices = {choices[name]: component for name, component in fixed.items()}
    meta = {"task": profile.task_type.value, "rows": profile.n_rows, "fixed": fixed_choices}
    space = ConfigurationSpace(seed=seed, meta=meta)
    space.add(list(named.values()))
    space.add([rule for rule in rules if rule is not None])
    return space, fixed


def full_name(step: Step, component: Component, name: str) -> str:
    """Name of a component's hyperparameter in the whole space."""
    return f"{step.prefix}:{component.name}:{name}"


def _choice(step: Step, components: tuple[Component, ...], default: str) -> Any:
    from ConfigSpace import CategoricalHyperparameter

    weights = [component.properties.weight for component in components]
    names = [component.name for component in components]
    uneven = weights if len(set(weights)) > 1 else None
    return CategoricalHyperparameter(step.choice, names, default_value=default, weights=uneven)


def _balancing(selection: ComponentSelection, named: Named) -> Iterator[Any]:
    """Classes can be weighted only for learners that take sample weights."""
    learners = selection.of("classifier")
    able = tuple(component.name for component in learners if component.properties.sample_weight)
    balancing = next((step.choice for step, _ in selection.steps if step.name == "balancing"), "")
    if balancing in named and len(able) < len(learners):
        yield _condition(named, balancing, "classifier:__choice__", able)


def _add(named: Named, step: Step, component: Component, declared: tuple[Hyperparameter, ...]) -> Iterator[Any]:
    """Add a component's hyperparameters to `named`, and give its conditions and forbidden combinations."""
    names = {hyperparameter.name: full_name(step, component, hyperparameter.name) for hyperparameter in declared}
    for hyperparameter in declared:
        named[names[hyperparameter.name]] = _translated(hyperparameter, names[hyperparameter.name])
    for hyperparameter in declared:
        child = names[hyperparameter.name]
        if hyperparameter.when:
            yield _conditions(named, child, {names[parent]: v for parent, v in hyperparameter.when.items()})
        elif step.choice in named:
            yield _condition(named, child, step.choice, (component.name,))
    for clause in component.forbidden:
        if names.keys() >= clause.keys():
            yield _forbidden(named, {names[name]: values for name, values in clause.items()})


def _translated(declared: Hyperparameter, name: str) -> Any:
    from ConfigSpace import CategoricalHyperparameter, UniformFloatHyperparameter, UniformIntegerHyperparameter

    if isinstance(declared, Categorical):
        default = declared.choices[0] if declared.default is None else declared.default
        return CategoricalHyperparameter(name, list(declared.choices), default_value=default)
    kind: Any = UniformFloatHyperparameter if isinstance(declared, Float) else UniformIntegerHyperparameter
    return kind(name, declared.lower, declared.upper, default_value=declared.default, log=declared.log)


def _conditions(named: Named, child: str, when: Mapping[str, tuple[Value, ...]]) -> Any:
    from ConfigSpace import AndConjunction

    terms = [_condition(named, child, parent, values) for parent, values in when.items()]
    return terms[0] if len(terms) == 1 else AndConjunction(*terms)


def _condition(named: Named, child: str, parent: str, values: tuple[Value, ...]) -> Any:
    from ConfigSpace import EqualsCondition, InCondition

    if len(values) == 1:
        return EqualsCondition(named[child], named[parent], values[0])
    return InCondition(named[child], named[parent], list(values))


def _renamed(clause: Clause, choices: Mapping[str, str], fixed: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """A clause over hyperparameters' names: empty if a fixed component keeps it from ever being met."""
    if any(step in fixed and fixed[step] not in names for step, names in clause.items()):
        return {}
    return {choices[step]: names for step, names in clause.items() if step not in fixed}


def _forbidden(named: Named, clause: Mapping[str, tuple[Value, ...]]) -> Any:
    from ConfigSpace import ForbiddenAndConjunction, ForbiddenEqualsClause, ForbiddenInClause

    terms: list[Any] = [
        ForbiddenEqualsClause(named[name], values[0])
        if len(values) == 1
        else ForbiddenInClause(named[name], list(values))
        for name, values in clause.items()
    ]
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else ForbiddenAndConjunction(*terms)
