"""The search space of a table: from vectors, as the search sees them, to pipelines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mpi_automl.space.compatibility import drop_incompatible
from mpi_automl.space.component import Component, Context
from mpi_automl.space.component_selection import LeftOut, select_components
from mpi_automl.space.components import all_components
from mpi_automl.space.configuration_space import make_configuration_space
from mpi_automl.space.pipeline import Candidate, ConfiguredComponent, build_candidate, dummy_candidate
from mpi_automl.space.steps import BY_NAME

if TYPE_CHECKING:
    import numpy as np
    from ConfigSpace import ConfigurationSpace
    from numpy.typing import NDArray

    from mpi_automl.data.task import Profile
    from mpi_automl.metrics.kind import MetricKind

__all__ = ["Candidate", "SearchSpace", "build_space"]


def build_space(
    profile: Profile, *, include: Sequence[str] = (), exclude: Sequence[str] = (), seed: int = 0
) -> SearchSpace:
    """Make the search space for a table.

    Parameters
    ----------
    profile : Profile
        Components that cannot handle such a table are left out, with a reason.
    include, exclude : sequence of str
        ``step:component``, such as ``"classifier:random_forest"``. A step that `include` names keeps
        only the components named; other steps keep all of theirs.
    seed : int
        Of the space's own random generator.

    Raises
    ------
    UserError
        If a name is unknown, an included component cannot serve the table, or nothing is left.
    """
    selection = drop_incompatible(select_components(all_components(), profile, include, exclude), profile)
    configspace, fixed = make_configuration_space(selection, profile, seed)
    kept = {step.name: {c.name: c for c in components} for step, components in selection.steps}
    return SearchSpace(configspace, profile, selection.left_out, kept, fixed)


@dataclass(frozen=True, eq=False)
class SearchSpace:
    """All pipelines that the search may propose for a table. It can be pickled.

    Attributes
    ----------
    configspace : ConfigurationSpace
    profile : Profile
    left_out : tuple of (step, component, reason)
        Components that do not take part; the reason continues a sentence that begins with the name.
    components : mapping of str to mapping of str to Component
        Those that do, by step and name.
    fixed : mapping of str to str
        Steps with only one component, which has no hyperparameter that chooses it.
    """

    configspace: ConfigurationSpace
    profile: Profile
    left_out: tuple[LeftOut, ...]
    components: Mapping[str, Mapping[str, Component]] = field(repr=False)
    fixed: Mapping[str, str] = field(repr=False)

    def default_vector(self) -> NDArray[np.float64]:
        """The default configuration as a vector, shape (n_hyperparameters,)."""
        vector: NDArray[np.float64] = self.configspace.get_default_configuration().get_array()
        return vector

    def configuration(self, vector: NDArray[np.float64]) -> dict[str, Any]:
        """Active hyperparameters by name, as Python's own values; empty for the dummy.

        Includes the choice of steps that have only one component.

        Parameters
        ----------
        vector : ndarray of float64, shape (n_hyperparameters,)

        Raises
        ------
        ValueError
            If the vector is not one of this space.
        """
        if _is_dummy(vector):
            return {}
        from ConfigSpace import Configuration

        values = dict(Configuration(self.configspace, vector=vector))
        return {**self.fixed_choices, **{name: _plain(value) for name, value in values.items()}}

    def build(
        self, vector: NDArray[np.float64], seed: int, threads: int = 1, metric_kind: MetricKind | None = None
    ) -> Candidate:
        """Make the pipeline of a vector.

        Parameters
        ----------
        vector : ndarray of float64, shape (n_hyperparameters,)
            All NaN for the dummy.
        seed : int
            For everything random in the pipeline.
        threads : int
            Threads that one fit may use.
        metric_kind : MetricKind, optional
            What the run's metric asks of predictions.
        """
        if _is_dummy(vector):
            return dummy_candidate(self.profile)
        context = Context(self.profile, seed, threads, metric_kind=metric_kind)
        return build_candidate(self._chosen(self.configuration(vector)), context)

    def describe(self, vector: NDArray[np.float64]) -> str:
        """One line for people: the components, and the hyperparameters that are not at their defaults."""
        if _is_dummy(vector):
            return "dummy"
        chosen = self._chosen(self.configuration(vector))
        parts = [_label(chosen[step], self.profile) for step in reversed(BY_NAME) if step in chosen]
        return ", ".join(part for part in parts if part)

    @cached_property
    def digest(self) -> str:
        """Hash of the space, hexadecimal: equal for equal spaces on every machine."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def fixed_choices(self) -> dict[str, str]:
        """Choices of steps with only one component, by the names that they would have as hyperparameters."""
        return {BY_NAME[step].choice: name for step, name in sorted(self.fixed.items())}

    def to_json(self) -> str:
        """The space as a JSON text: profile, ConfigSpace's own format, fixed choices, and what was left out."""
        content = {
            "profile": asdict(self.profile),
            "configuration_space": self.configspace.to_serialized_dict(),
            "fixed": self.fixed_choices,
            "left_out": [list(entry) for entry in self.left_out],
        }
        return json.dumps(content, indent=1, default=_plain)

    def _chosen(self, configuration: Mapping[str, Any]) -> dict[str, ConfiguredComponent]:
        found: dict[str, ConfiguredComponent] = {}
        for name, components in self.components.items():
            step = BY_NAME[name]
            if step.choice not in configuration:
                continue
            component = components[configuration[step.choice]]
            prefix = f"{step.prefix}:{component.name}:"
            values = {key[len(prefix) :]: value for key, value in configuration.items() if key.startswith(prefix)}
            found[name] = ConfiguredComponent(component, values)
        return found


def _is_dummy(vector: NDArray[np.float64]) -> bool:
    import numpy as np

    return bool(np.isnan(vector).all())


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _label(chosen: ConfiguredComponent, profile: Profile) -> str:
    """Component and what is not at its default; empty for a component that does nothing."""
    name = chosen.component.name
    if name.startswith("no_") or name == "none":
        return ""
    defaults = {h.name: _default(h) for h in chosen.component.declare(profile)}
    changed = [f"{key}={_short(value)}" for key, value in chosen.values.items() if value != defaults.get(key)]
    return f"{name}({', '.join(changed)})" if changed else name


def _default(hyperparameter: Any) -> Any:
    if hyperparameter.default is None:
        return hyperparameter.choices[0]
    return hyperparameter.default


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
