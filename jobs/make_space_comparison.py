"""Write docs/reference/space_comparison.md: this package's search space against auto-sklearn's, from the code.

python jobs/make_space_comparison.py
"""

from __future__ import annotations

import json
from pathlib import Path

from mpi_automl.space.comparison import compare
from mpi_automl.space.registry import all_components

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
INTRODUCTION = """# The search space against auto-sklearn's

Written by `python jobs/make_space_comparison.py` from the declarations of the components. Each cell gives the
values, then the default; a dash means that there is no such hyperparameter. Ranges are those in full size: some
are narrowed for small tables. Hyperparameters that auto-sklearn keeps constant are not listed; values that scikit-learn
has renamed since (mse is squared_error, log is log_loss) appear under their names of today.

auto-sklearn's figures are those of version 0.15, in `autosklearn_space.json` beside this page, which carries their
copyright notice (BSD-3-Clause, (c) 2014-2021 AutoML Freiburg).

"""


def main() -> None:
    """Read the other space's figures, compare, write."""
    reference = json.loads((REFERENCE / "autosklearn_space.json").read_text())
    page = INTRODUCTION + compare(all_components(), reference["components"])
    (REFERENCE / "space_comparison.md").write_text(page)


if __name__ == "__main__":
    main()
