"""Selection of components for a table: which take part in the search, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec

from mpi_automl.data.task import Profile
from mpi_automl.errors import UserError
from mpi_automl.space.component import Component, Properties
from mpi_automl.space.steps import STEPS, Step, learner_step

LeftOut = tuple[str, str, str]


@dataclass(frozen=True)
class ComponentSelection:
    """The components of a search space.

    Attributes
    ----------
    steps : tuple of (Step, tuple of Component)
        Steps that have something to do, in their order; each with its components, the preferred first.
    left_out : tuple of (step, component, reason)
        The others.
    """

    steps: tuple[tuple[Step, tuple[Component, ...]], ...]
    left_out: tuple[LeftOut, ...]

    def of(self, step: str) -> tuple[Component, ...]:
        """The components of one step, none if the step has nothing to do."""
        return next((components for known, components in self.steps if known.name == step), ())


def select_components(
    components: Iterable[Component], profile: Profile, include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> ComponentSelection:
    """Choose the components that can serve a table and that the user wants.

    Parameters
    ----------
    components : iterable of Component
    profile : Profile
    include, exclude : sequence of str
        ``step:component``. A step that `include` names keeps only the components named.

    Raises
    ------
    UserError
        If a name is unknown, if an included component cannot serve the table, or if a step has no
        component left.
    """
    known = tuple(components)
    check_names((*include, *exclude), known)
    wanted_steps = {name.partition(":")[0] for name in include}
    kept: list[tuple[Step, tuple[Component, ...]]] = []
    left_out: list[LeftOut] = []
    for step in STEPS:
        mine = [component for component in known if component.step == step.name]
        if not step.applies(profile):
            _refuse_included(step, mine, include)
            continue
        reasons = {component: unsuitable(component, profile) for component in mine}
        for component, reason in reasons.items():
            if reason and component.key() in include:
                raise UserError(f"{component.key()} cannot be included: it {reason}.")
            if not reason and component.key() in exclude:
                reasons[component] = "is excluded"
            elif not reason and step.name in wanted_steps and component.key() not in include:
                reasons[component] = "is not among the included"
        left_out += [(step.name, component.name, reason) for component, reason in reasons.items() if reason]
        able = sorted((c for c in mine if not reasons[c]), key=lambda c: (c.properties.preference, c.name))
        if not able:
            raise UserError(f"No component is left for the step {step.name}; exclude fewer of {_names(mine)}.")
        kept.append((step, tuple(able)))
    return ComponentSelection(tuple(kept), tuple(left_out))


def check_names(names: Iterable[str], components: Sequence[Component]) -> None:
    """Raise `UserError` for a name that no component has, with the nearest ones or all of its step."""
    keys = [component.key() for component in components]
    for name in names:
        if name in keys:
            continue
        same_name = [key for key in keys if key.partition(":")[2] == name.rpartition(":")[2]]
        near = same_name or get_close_matches(name, keys, n=3)
        step = name.partition(":")[0]
        of_step = [key for key in keys if key.startswith(step + ":")]
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise UserError(f"There is no component {name!r}; {hint}Known are {', '.join(of_step or keys)}.")


def unsuitable(component: Component, profile: Profile) -> str:
    """Why a component cannot serve a table, as the rest of a sentence; empty if it can."""
    properties = component.properties
    for package in properties.requires:
        if find_spec(package) is None:
            return f"needs the package {package}, which is not installed"
    if profile.task_type not in properties.tasks:
        return f"cannot handle {profile.task_type.value} targets"
    is_learner = component.step == learner_step(profile).name
    if profile.is_sparse and not properties.sparse and not is_learner:
        return "cannot handle sparse data"
    if not profile.is_sparse and not properties.dense:
        return "is for sparse data only"
    return _too_large(properties, profile) or component.unsuitable(profile)


def _too_large(properties: Properties, profile: Profile) -> str:
    sizes = (
        (properties.max_rows, profile.n_rows, "rows"),
        (properties.max_columns, profile.n_columns, "columns"),
        (properties.max_cells, profile.n_rows * profile.n_columns, "values"),
        (properties.max_outputs, profile.n_outputs, "classes or targets"),
    )
    for limit, size, unit in sizes:
        if limit is not None and size > limit:
            return f"is for tables of at most {limit:,} {unit}, and this one has {size:,}"
    return ""


def _refuse_included(step: Step, components: Sequence[Component], include: Sequence[str]) -> None:
    for component in components:
        if component.key() in include:
            raise UserError(
                f"{component.key()} cannot be included: the step {step.name} has nothing to do for this "
                f"table; leave it out of --include."
            )


def _names(components: Iterable[Component]) -> str:
    return ", ".join(component.key() for component in components)
