"""All components: learners and feature preprocessors in a file each, the choices of every other step in one file.

To add a learner, put a file like its neighbours into `classifier/` or `regressor/`: importing it registers it.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from mpi_automl.space.component import Component
from mpi_automl.space.registry import registered
from mpi_automl.space.steps import BY_NAME

ENTRY_POINT_GROUP = "mpi_automl.components"


def all_components() -> tuple[Component, ...]:
    """Every registered component, by step and name, whether or not the packages it needs are there."""
    _load()
    order = {name: position for position, name in enumerate(BY_NAME)}
    return tuple(sorted(registered.values(), key=lambda c: (order[c.step], c.name)))


def find_component(step: str, name: str) -> Component:
    """The component of that step and name; `KeyError` if there is none."""
    _load()
    return registered[step, name]


@cache
def _load() -> None:
    for module in pkgutil.walk_packages(__path__, __name__ + "."):
        import_module(module.name)
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        entry.load()
