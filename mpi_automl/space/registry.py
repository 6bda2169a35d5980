"""Registration of components: the package's own, installed packages' and users'.

`mpi_automl.space.components` lists all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TypeVar

from mpi_automl.errors import UserError
from mpi_automl.space.component import Component
from mpi_automl.space.steps import BY_NAME

C = TypeVar("C", bound=type[Component])
registered: dict[tuple[str, str], Component] = {}
"""By step and name."""


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
    other = registered.get(key)
    if other is not None and _location(type(other)) != _location(component):
        raise UserError(
            f"Component {component.key()} is defined twice, by {'.'.join(_location(type(other)))} and by "
            f"{'.'.join(_location(component))}; rename one of them."
        )
    registered[key] = component()
    return component


def unregister(component: type[Component]) -> None:
    """Take a component out again; one that is not registered is no error."""
    registered.pop((component.step, component.name), None)


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


def _location(component: type[Component]) -> tuple[str, str]:
    return component.__module__, component.__qualname__
