"""Splitters that are named by their import path."""

from __future__ import annotations

import ast
import importlib
import inspect
from difflib import get_close_matches
from typing import Any

from mpi_automl.errors import UserError


def build_splitter(path: str, seed: int) -> Any:
    """An object with scikit-learn's ``split(X, y, groups)`` from a text such as ``package.module:Class(n_splits=3)``.

    Arguments are Python literals. A splitter that takes `random_state` gets `seed` unless the text says
    otherwise, so that every rank builds the same one.

    Raises
    ------
    UserError
        If the text cannot be read, the class is not found, or it cannot be built like this.
    """
    module_name, _, call = path.partition(":")
    name, args, kwargs = _parse(path, call)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UserError(f"--resampling {path}: the module {module_name} cannot be imported ({error}).") from error
    factory = getattr(module, name, None)
    if factory is None:
        near = get_close_matches(name, dir(module), n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise UserError(f"--resampling {path}: {module_name} has no {name}{hint}")
    try:
        if "random_state" in inspect.signature(factory).parameters and _is_random(factory, kwargs):
            kwargs.setdefault("random_state", seed)
        splitter = factory(*args, **kwargs)
    except (TypeError, ValueError) as error:
        raise UserError(f"--resampling {path}: {error}") from error
    if not callable(getattr(splitter, "split", None)):
        raise UserError(f"--resampling {path}: {name} has no method split(X, y, groups).")
    return splitter


def _is_random(factory: Any, kwargs: dict[str, Any]) -> bool:
    # Some splitters refuse a random_state unless they are also told to shuffle.
    shuffle = inspect.signature(factory).parameters.get("shuffle")
    return shuffle is None or bool(kwargs.get("shuffle", shuffle.default))


def _parse(path: str, call: str) -> tuple[str, list[Any], dict[str, Any]]:
    try:
        tree: Any = ast.parse(call if "(" in call else f"{call}()", mode="eval").body
        args = [ast.literal_eval(arg) for arg in tree.args]
        kwargs = {str(pair.arg): ast.literal_eval(pair.value) for pair in tree.keywords}
        name = str(tree.func.id)
    except (SyntaxError, ValueError, AttributeError):
        raise UserError(
            f"--resampling {path} cannot be read; write package.module:Class(name=value), with plain values."
        ) from None
    return name, args, kwargs
