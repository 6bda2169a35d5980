"""Command-line options, made from the fields of `Settings`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from mpi_automl.errors import UserError
from mpi_automl.option_types import Option, boolean, names
from mpi_automl.settings import OPTIONS, Settings
from mpi_automl.toml_file import read_toml

_TITLES = {
    "data": "the data",
    "search": "the search",
    "evaluation": "one trial",
    "ensemble": "the ensemble",
    "storage": "the files",
}
_UNITS = {"seconds": "seconds, or as 15m, 2h", "MiB": "MiB, or as 2GiB"}
_WRONG_CHOICE = re.compile(r"invalid choice: '(?P<given>[^']*)' \(choose from (?P<choices>.*)\)")


class Parser(argparse.ArgumentParser):
    """A parser whose errors are `UserError`, so that one rank prints them once."""

    def error(self, message: str) -> NoReturn:
        """Raise the error, with the nearest right choice if there is one."""
        near: list[str] = []
        if found := _WRONG_CHOICE.search(message):
            near = get_close_matches(found["given"], re.findall(r"[\w-]+", found["choices"]), n=1)
        hint = f"did you mean {near[0]}?" if near else f"{self.prog} --help lists what there is."
        raise UserError(f"{message[0].upper()}{message[1:]}; {hint}")


def unknown_arguments(verb: str, unknown: Sequence[str], parser: argparse.ArgumentParser) -> str:
    """A sentence about arguments that a verb does not know, with the nearest option that it does."""
    flags = [word.partition("=")[0] for word in unknown if word.startswith("-") and word != "-"]
    known = [flag for flag in _flags(parser) if flag.startswith("--")]
    for flag in flags:
        near = get_close_matches(flag, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"mpi-automl {verb} --help lists what there is."
        return f"{verb} has no option {flag}; {hint}"
    return f"{verb} does not take {' '.join(unknown)}; mpi-automl {verb} --help lists what it takes."


def _flags(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Option strings of a parser and of its verbs."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from _flags(verb)


def add_settings(
    parser: argparse.ArgumentParser,
    *,
    defaults: Mapping[str, Any],
    leave_out: tuple[str, ...] = (),
    only: tuple[str, ...] | None = None,
) -> None:
    """Add an option for each field of `Settings`, in groups.

    Parameters
    ----------
    parser : ArgumentParser
    defaults : mapping
        Defaults that differ from those of `Settings`; shown in the help.
    leave_out : tuple of str
        Fields that are no options here.
    only : tuple of str, optional
        Fields that are; by default all others.
    """
    chosen = [name for name in OPTIONS if name not in leave_out and (only is None or name in only)]
    used = {OPTIONS[name].group for name in chosen}
    groups = {name: parser.add_argument_group(title) for name, title in _TITLES.items() if name in used}
    for name in chosen:
        option = OPTIONS[name]
        groups[option.group].add_argument(
            "--" + name.replace("_", "-"),
            default=argparse.SUPPRESS,
            help=_help(option, defaults.get(name, option.default)),
            **_shape(name, option),
        )
    parser.add_argument("--config", metavar="FILE", help="TOML file with options; the command line takes precedence")


def add_override(parser: argparse.ArgumentParser, flag: str, name: str) -> None:
    """Add one option of `Settings` under a flag of a verb for runs; without it the run's own value holds."""
    option = OPTIONS[name]
    text = f"{_described(option)}; default: the run's own"
    parser.add_argument(flag, help=text, metavar=_shape(flag.strip("-"), option)["metavar"])


def settings_from(arguments: argparse.Namespace, defaults: Mapping[str, Any]) -> Settings:
    """Settings from defaults, then the run to resume, then ``--config``, then the command line.

    Raises
    ------
    UserError
        For anything wrong with them.
    """
    given = {name: value for name, value in vars(arguments).items() if name in OPTIONS and value is not None}
    config = read_config(Path(arguments.config)) if arguments.config else {}
    earlier = _options_of_run(given.get("resume") or config.get("resume"))
    return Settings.from_mapping({**defaults, **earlier, **config, **given})


def _options_of_run(resume: str | None) -> dict[str, Any]:
    """The options of the run that is to be resumed."""
    if resume is None or resume == "auto":
        return {}
    config = Path(resume) / "config.toml"
    if not config.exists():
        raise UserError(f"{resume} is not a run directory; name one that holds config.toml.")
    return read_config(config)


def converted(name: str, value: str | None, flag: str) -> Any:
    """A value converted and checked as the field of `Settings` is; None stays None.

    Raises
    ------
    UserError
        If it is wrong; the sentence names `flag`.
    """
    if value is None:
        return None
    try:
        return getattr(Settings.from_mapping({name: value}), name)
    except UserError as error:
        raise UserError(str(error).replace("--" + name.replace("_", "-"), flag)) from None


def add_plugins(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the modules whose types a run may hold; it is never read from the run itself."""
    parser.add_argument(
        "--plugins", metavar="MODULES", help="modules with components of your own that the run used; they are trusted"
    )


def plugins_from(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Names of the modules that the user trusts."""
    return names(arguments.plugins or ())


def read_config(path: Path) -> dict[str, Any]:
    """Options from a TOML file.

    Raises
    ------
    UserError
        When it cannot be read.
    """
    return {name.replace("-", "_"): value for name, value in read_toml(path).items()}


def _help(option: Option, default: Any) -> str:
    """The help of an option, with its default."""
    shown = option.unset
    if default is True:
        shown = "true"
    elif isinstance(default, float):
        shown = f"{default:g}"
    elif default is not None and default is not False and default != ():
        shown = str(default)
    return _described(option) + (f"; default: {shown}" if shown else "")


def _described(option: Option) -> str:
    """Meaning, choices and unit."""
    text = option.help.replace("%", "%%")
    if option.choices:
        text += f" ({', '.join(option.choices)})"
    return f"{text} ({_UNITS[option.unit]})" if option.unit else text


def _shape(name: str, option: Option) -> dict[str, Any]:
    if option.convert is boolean:
        return {"nargs": "?", "const": True, "metavar": "true|false"}
    return {"metavar": name.replace("-", "_").upper() if option.choices else option.metavar}
