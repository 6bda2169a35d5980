"""Write what is said of the options elsewhere, from `mpi_automl.settings.Settings`.

That is the constructor of the estimators, the parameters in their docstrings, and docs/reference/settings.md.

    python jobs/make_option_reference.py           # write
    python jobs/make_option_reference.py --check   # exit with 1 if a file is out of date
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from textwrap import indent, wrap
from typing import Any

from mpi_automl.option_types import Option, integer
from mpi_automl.settings import OPTIONS, Settings

ROOT = Path(__file__).parent.parent
ESTIMATORS = ROOT / "mpi_automl" / "estimators"
SETTINGS_PAGE = ROOT / "docs" / "reference" / "settings.md"
WIDTH = 120
HEADER = """| name | type | unit | default | values | meaning | auto-sklearn |
|---|---|---|---|---|---|---|
"""

# What most programs set comes first.
ORDER = ("search", "evaluation", "ensemble", "data", "storage")
# Arguments of fit, what the class itself says, and what concerns the command line only.
NO_PARAMETERS = ("table", "target", "test", "validation", "task", "report")
TEMPORARY = "a temporary directory, removed with the estimator, if it runs alone; else one in the working directory"
N_JOBS = Option(
    None,
    integer,
    "number of ranks to start for the job, when no launcher has started any; -1 starts one for each core",
    "search",
    unset="one rank, this process",
    autosklearn="n_jobs",
)
PARAMETERS = {
    name: OPTIONS[name]
    for group in ORDER
    for name, option in OPTIONS.items()
    if option.group == group and name not in NO_PARAMETERS
}
PARAMETERS |= {"out": replace(OPTIONS["out"], unset=TEMPORARY), "n_jobs": N_JOBS}

UNITS = {"seconds": "In seconds, or a text such as ``15m``.", "MiB": "In MiB, or a text such as ``2GiB``."}
TITLES = {"data": "Data", "search": "Search", "evaluation": "Trials", "ensemble": "Ensemble", "storage": "Files"}
INTRODUCTION = """# Settings

All options of a run. They have the same names everywhere: on the command line (`--trial-time 60s`), in a TOML file
(`trial_time = "60s"`), as parameters of [the estimators](estimators.md) (`trial_time=60`), and as fields of `Settings`.
`python jobs/make_option_reference.py` writes this page from those fields.

Times are in seconds, and may be given as `90s`, `15m`, `2h`, `1d` or `1:30:00`. Memory is in MiB, and may be given as
`512MiB` or `2GiB`. Lists may be given as one text with commas. The class itself is at the end of the page.
"""
CLASS = """
## The class

```{eval-rst}
.. autoclass:: mpi_automl.settings.Settings
   :members: from_mapping, to_mapping
   :no-undoc-members:

.. autoclass:: mpi_automl.option_types.Option
   :members:
```
"""


_CODE = re.compile(r"--|[_$<=/]|:\w")


def literal(value: Any) -> str:
    """A default as source text."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def constructor() -> str:
    """The constructor of the estimators."""
    signature = [f"{name}: {option.annotation} = {literal(option.default)}," for name, option in PARAMETERS.items()]
    assignments = [f"self.{name} = {name}" for name in PARAMETERS]
    body = indent("\n".join(assignments), "    ")
    return f"def __init__(\n    self,\n    *,\n{indent(chr(10).join(signature), '    ')}\n) -> None:\n{body}\n"


def numpydoc_type(option: Option) -> str:
    """The type of a parameter as numpydoc writes it."""
    accepted = option.annotation.removesuffix(" | None")
    if option.choices:
        accepted = accepted.replace("Literal[", "{").replace("]", "}")
    accepted = accepted.replace('Literal["auto"]', '"auto"')
    accepted = accepted.replace("Sequence[str]", "sequence of str").replace(" | ", " or ")
    return f"{accepted}, optional" if option.default is None else f"{accepted}, default={literal(option.default)}"


def sentences(option: Option) -> Iterator[str]:
    """What a docstring says of a parameter."""
    yield f"{option.help[0].upper()}{option.help[1:]}."
    if option.unit:
        yield UNITS[option.unit]
    if option.unset:
        yield f"By default {option.unset}."
    if option.autosklearn:
        yield f"auto-sklearn: ``{option.autosklearn}``."


def parameters() -> str:
    """The section of a class's docstring."""
    lines = ["Parameters", "----------"]
    for name, option in PARAMETERS.items():
        meaning = re.sub(r"--([a-z-]+)", lambda flag: f"`{flag[1].replace('-', '_')}`", " ".join(sentences(option)))
        text = "\n".join(wrap(meaning, WIDTH - 8, break_on_hyphens=False))
        lines += [f"{name} : {numpydoc_type(option)}", indent(text, "    ")]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """The reference page of the settings."""
    types = {spec.name: str(spec.type) for spec in fields(Settings)}
    page = INTRODUCTION
    for group, title in TITLES.items():
        page += f"\n## {title}\n\n{HEADER}"
        page += "".join(row(name, types[name], option) for name, option in OPTIONS.items() if option.group == group)
    return page + CLASS


def row(name: str, kind: str, option: Option) -> str:
    """The line of an option in the page's tables."""
    known = code(option.autosklearn)
    cells = [code(name), code(kind), option.unit, default(option), values(option), prose(option.help), known]
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


def default(option: Option) -> str:
    """The cell of a default."""
    return f"`None`: {prose(option.unset)}" if option.unset else f"`{literal(option.default)}`"


def values(option: Option) -> str:
    """The cell of choices or limits."""
    if option.choices:
        return ", ".join(f"`{choice}`" for choice in option.choices)
    limits = {"≥": option.min, "≤": option.max}
    return ", ".join(f"{sign} {limit:g}" for sign, limit in limits.items() if limit is not None)


def prose(text: str) -> str:
    """Markdown of a help text."""
    return re.sub(
        r"--[a-z-]+|[\w./$<]\S*[\w>)]", lambda word: code(word[0]) if _CODE.search(word[0]) else word[0], text
    )


def code(text: str) -> str:
    """Markdown of names, if there are any."""
    return f"`{text}`" if text else ""


def replaced(path: Path, pattern: str, text: str) -> tuple[Path, str]:
    """A source file with other text in place of the one part that fits a pattern."""
    source, count = re.subn(pattern, lambda _: indent(text, "    ") + "\n", path.read_text("utf-8"), flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{path} has {count} places for its generated text; it must have one.")
    return path, source


def results() -> Iterator[tuple[Path, str]]:
    """Files and their contents as they should be."""
    yield replaced(ESTIMATORS / "parameters.py", r"    def __init__\(.*?\n\n", constructor())
    for name in ("classifier", "regressor"):
        section = r"    Parameters\n    -+\n.*?\n\n(?=    Attributes\n)"
        yield replaced(ESTIMATORS / f"{name}.py", section, parameters())
    yield SETTINGS_PAGE, settings_page()


def main() -> int:
    """Write the files, or say which are out of date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is out of date")
    check = parser.parse_args().check
    old = [(path, text) for path, text in results() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path, text in old:
        print(f"{path.relative_to(ROOT)} {'is out of date' if check else 'is written'}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(main())
