"""The parameters of the estimators are the options of `Settings`: there is no second list of them."""

from __future__ import annotations

import inspect
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, TypeVar

from mpi_automl.settings import Settings

_LEFT_OUT = ("table", "target", "test", "validation", "task", "report")
"""Options that are arguments of ``fit``, are said by the class, or concern the command line only."""

OPTIONS = {spec.name: spec.default for spec in fields(Settings) if spec.name not in _LEFT_OUT}

Estimator = TypeVar("Estimator", bound=type)


def takes_options(**further: Any) -> Any:
    """Give an estimator class a constructor with a keyword for every option, and `further` ones."""
    defaults = {**OPTIONS, **further}

    def decorate(cls: Estimator) -> Estimator:
        def __init__(self: Any, **values: Any) -> None:  # noqa: N807  # it becomes the constructor
            for name in values:
                if name not in defaults:
                    near = get_close_matches(name, defaults, n=1)
                    hint = f"; did you mean {near[0]}?" if near else ""
                    raise TypeError(f"{cls.__name__} has no parameter {name}{hint}")
            for name, default in defaults.items():
                setattr(self, name, values.get(name, default))

        this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        keywords = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
            for name, default in defaults.items()
        ]
        setattr(__init__, "__signature__", inspect.Signature([this, *keywords]))  # noqa: B010  # mypy refuses a plain one
        cls.__init__ = __init__  # type: ignore[misc]  # that is what the decorator is for
        return cls

    return decorate


def settings_of(estimator: Any, **more: Any) -> Settings:
    """The settings that an estimator's parameters make.

    Raises
    ------
    UserError
        If a value is wrong.
    """
    return Settings(report=False, **{name: getattr(estimator, name) for name in OPTIONS} | more)
