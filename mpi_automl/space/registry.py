"""All components there are: the package's own, installed packages' and users'."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TypeVar

from mpi_automl.errors import UserError
from mpi_automl.space import components as own
from mpi_automl.space.component import Component
from mpi_automl.space.steps import BY_NAME

ENTRY_POINT_GROUP = "mpi_automl.components"

C = TypeVar("C", bound=type[Component])
_registered: dict[tuple[str, str], Component] = {}


def register(component: C) -> C:
    """Add a component class to the search space of every run of this process.

    Raises
    ------
    UserError
        If the step is unknown, or another component has the same step and name.
    """
    if component.step not in BY_NAME:
        raise UserError(
            f"Component {component.__name__} names the step {component.step!r}; it must be one of {', '.join(BY_NAME)}."
        )
    key = (component.step, component.name)
    other = _registered.get(key)
    if other is not None and _location(type(other)) != _location(component):
        raise UserError(
            f"Component {component.key()} is defined twice, by {'.'.join(_location(type(other)))} and by "
            f"{'.'.join(_location(component))}; rename one of them."
        )
    _registered[key] = component()
    return component


def unregister(component: type[Component]) -> None:
    """Take a component out again; one that is not registered is no error."""
    _registered.pop((component.step, component.name), None)


def import_plugins(modules: Iterable[str]) -> None:
    """Import users' modules, which register components as they load.

    Raises
    ------
    UserError
        If a module cannot be imported.
    """
    for name in modules:
        try:
            import_module(name)
        except Exception as error:
            raise UserError(
                f"The plugin {name} cannot be imported ({type(error).__name__}: {error}); give the name of "
                f"a module that Python finds, as in an import statement."
            ) from error


def all_components() -> tuple[Component, ...]:
    """Every registered component, by step and name, whether or not the packages it needs are there."""
    _load()
    order = {name: position for position, name in enumerate(BY_NAME)}
    return tuple(sorted(_registered.values(), key=lambda c: (order[c.step], c.name)))


def find(step: str, name: str) -> Component:
    """The component of that step and name; `KeyError` if there is none."""
    _load()
    return _registered[step, name]


@cache
def _load() -> None:
    for module in pkgutil.walk_packages(own.__path__, own.__name__ + "."):
        import_module(module.name)
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        entry.load()


def _location(component: type[Component]) -> tuple[str, str]:
    return component.__module__, component.__qualname__
