"""Write docs/reference/space_comparison.md: this package's search space against auto-sklearn's, from the code.

python jobs/make_space_comparison.py
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mpi_automl.space.component import Component
from mpi_automl.space.components import all_components
from mpi_automl.space.hyperparameters import Categorical, Hyperparameter
from mpi_automl.space.space_table import default_text, values_text
from mpi_automl.space.steps import BY_NAME

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
INTRODUCTION = """# The search space against auto-sklearn's

Written by `python jobs/make_space_comparison.py` from the declarations of the components. Each cell gives the
values, then the default; a dash means that there is no such hyperparameter. Ranges are those in full size: some
are narrowed for small tables. Hyperparameters that auto-sklearn keeps constant are not listed; values that scikit-learn
has renamed since (mse is squared_error, log is log_loss) appear under their names of today.

auto-sklearn's figures are those of version 0.15, in `autosklearn_space.json` beside this page, which carries their
copyright notice (BSD-3-Clause, (c) 2014-2021 AutoML Freiburg).

"""

Reference = Mapping[str, Mapping[str, Mapping[str, Any]]]

RENAMED = {"category_coalescence:no_coalescense": "category_coalescence:no_coalescence"}
"""Components of auto-sklearn that have another name here."""

TODAY = {
    "mse": "squared_error",
    "friedman_mse": "squared_error",
    "mae": "absolute_error",
    "squared_loss": "squared_error",
    "log": "log_loss",
    "None": "none",
}
"""Values of auto-sklearn that have another name in today's scikit-learn, or here."""

HEAD = ("| component | hyperparameter | here | auto-sklearn | remark |", "|" + "---|" * 5)
REMARKS = {
    "classifier:adaboost:algorithm": "scikit-learn has only SAMME left",
    "classifier:decision_tree:max_depth_factor": "mended: was cut to a whole number, so that the default was a stump",
    "regressor:decision_tree:max_depth_factor": "mended: was cut to a whole number, so that the default was a stump",
    "classifier:gaussian_nb:var_smoothing": "new in the space",
    "classifier:liblinear_svc:loss": "mended: clauses forbade every value but the default",
    "classifier:liblinear_svc:penalty": "mended: clauses forbade every value but the default",
    "classifier:mlp:beta_1": "mended: beta_1 and beta_2 were swapped",
    "classifier:mlp:beta_2": "mended: beta_1 and beta_2 were swapped",
    "regressor:mlp:beta_1": "mended: beta_1 and beta_2 were swapped",
    "regressor:mlp:beta_2": "mended: beta_1 and beta_2 were swapped",
    "classifier:qda:reg_param": "without regularisation rank-deficient classes fail",
    "classifier:sgd:epsilon": "had no effect: no loss of the classifier uses it",
    "feature_preprocessor:fast_ica:whiten": "with whitening by default: without it the number of components is fixed",
    "feature_preprocessor:kernel_pca:coef0": "mended: below 0 the kernel is not positive semi-definite",
    "feature_preprocessor:kernel_pca:kernel": "mended: the sigmoid is not positive semi-definite",
    "feature_preprocessor:liblinear_svc_preprocessor:loss": "had one legal value",
    "feature_preprocessor:nystroem_sampler:kernel": "chi2 for dense data, on amounts above the minimum",
    "feature_preprocessor:random_trees_embedding:bootstrap": "had no effect",
    "feature_preprocessor:select_percentile_classification:score_func": "chi2 on amounts above the minimum",
    "feature_preprocessor:select_rates_classification:score_func": "mutual information has no error rates",
    "regressor:ard_regression:alpha_1": "mended: now on a logarithmic scale, like its siblings",
    "regressor:gaussian_process:alpha": "smaller bounds are rounded to 0 by ConfigSpace",
    "feature_preprocessor:select_rates_regression:score_func": "had one value",
    "regressor:gradient_boosting:loss": "had one value",
    "regressor:libsvm_svr:gamma": "mended: also for the sigmoid kernel",
    "rescaling:robust_scaler:q_max": "mended: was passed as a share where percent are expected",
    "rescaling:robust_scaler:q_min": "mended: was passed as a share where percent are expected",
    "text_encoding:tfidf_encoding:analyzer": "words by default",
}
"""Why a hyperparameter differs."""


def compare(components: Iterable[Component], reference: Reference) -> str:
    """A Markdown page with a table for each step.

    Parameters
    ----------
    components : iterable of Component
        Of this space, in full size.
    reference : mapping of str to mapping of str to mapping
        Components (``step:name``) of the other space with their hyperparameters; each of these has
        ``choices``, or ``lower`` and ``upper``, with ``default``, or else ``constant``.
    """
    own = {component.key(): component for component in components}
    other = {RENAMED.get(name, name): hyperparameters for name, hyperparameters in reference.items()}
    lines = [_summary(own, other)]
    for step in BY_NAME:
        names = [name for name in sorted({*own, *other}) if name.startswith(step + ":")]
        if names:
            lines += ["", f"## {step}", "", *HEAD]
            for name in names:
                lines += _rows(name, own.get(name), other.get(name))
    return "\n".join(lines) + "\n"


def _summary(own: Mapping[str, Component], other: Mapping[str, Any]) -> str:
    both, more, missing = own.keys() & other.keys(), own.keys() - other.keys(), other.keys() - own.keys()
    absent = ", ".join(sorted(missing)) or "none"
    there = f"{len(missing)} only in auto-sklearn ({absent})"
    return f"{len(both)} components are in both spaces, {len(more)} only here, {there}."


def _rows(key: str, own: Component | None, other: Mapping[str, Mapping[str, Any]] | None) -> Iterator[str]:
    name = f"`{key.partition(':')[2]}`"
    here = {} if own is None else {h.name: h for h in own.hyperparameters}
    there = other or {}
    shown = [
        x for x in dict.fromkeys([*there, *here]) if x in here or f"{key}:{x}" in REMARKS or not _constant(there[x])
    ]
    presence = ("yes" if own is not None else "no", "yes" if other is not None else "no")
    yield f"| {name} | | {presence[0]} | {presence[1]} | {'' if other is not None else 'new'} |"
    for hyperparameter in shown:
        mine = _mine(here.get(hyperparameter))
        theirs = _theirs(there.get(hyperparameter))
        remark = REMARKS.get(f"{key}:{hyperparameter}", "same" if mine == theirs else "")
        yield f"| | {hyperparameter} | {mine} | {theirs} | {remark} |"


def _constant(figures: Mapping[str, Any]) -> bool:
    return "constant" in figures


def _mine(hyperparameter: Hyperparameter | None) -> str:
    if hyperparameter is None:
        return "–"
    values = (
        _sorted(values_text(hyperparameter)) if isinstance(hyperparameter, Categorical) else values_text(hyperparameter)
    )
    return f"{values}; {default_text(hyperparameter)}"


def _theirs(figures: Mapping[str, Any] | None) -> str:
    if figures is None:
        return "–"
    if _constant(figures):
        return f"always {figures['constant']}"
    if "choices" in figures:
        choices = dict.fromkeys(_today(choice) for choice in figures["choices"])
        return f"{_sorted(', '.join(choices))}; {_today(figures['default'])}"
    scale = " (log)" if figures.get("log") else ""
    return f"{figures['lower']:g} to {figures['upper']:g}{scale}; {figures['default']:g}"


def _today(choice: object) -> str:
    return TODAY.get(str(choice), str(choice))


def _sorted(choices: str) -> str:
    return ", ".join(sorted(choices.split(", ")))


def main() -> None:
    """Read the other space's figures, compare, write."""
    reference = json.loads((REFERENCE / "autosklearn_space.json").read_text())
    page = INTRODUCTION + compare(all_components(), reference["components"])
    (REFERENCE / "space_comparison.md").write_text(page)


if __name__ == "__main__":
    main()
