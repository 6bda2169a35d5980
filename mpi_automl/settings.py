"""Every option of a run, in one validated dataclass.

The command line, TOML files, the estimators, the studies and the reference pages all come from the fields of
`Settings`; there is no second list of options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from mpi_automl.errors import UserError
from mpi_automl.option_types import (
    AUTO,
    Option,
    boolean,
    count_or_auto,
    count_or_share,
    count_or_size,
    integer,
    mebibytes,
    names,
    runs,
    seconds,
    seconds_or_auto,
    splitter,
)

_TRIAL_SHARE = 0.2
"""Of the job: in a tenth, half of the trials of 5 folds on some 3,000 rows were cut off in a job of two minutes."""


def option(default: Any, convert: Callable[[Any], Any], help: str, group: str, **facts: Any) -> Any:  # noqa: A002
    """A dataclass field with an `Option`, which says what the parameters are."""
    return field(default=default, metadata={"option": Option(default, convert, help, group, **facts)})


@dataclass(frozen=True)
class Settings:
    """Every option of a run. Times are in seconds, memory in MiB.

    Values may be given as text, as on the command line (``time="15m"``); they are converted and checked.

    Raises
    ------
    UserError
        If a value is wrong, or options contradict each other.
    """

    # fmt: off
    # Defaults of auto-sklearn: 3600 s, 3072 MiB, a third for validation, 50 rounds, 50 candidates, 50 models.
    table: str | None = option(
        None, str, "table with the training rows", "data", metavar="TABLE")
    target: tuple[str, ...] = option(
        (), names, "column to predict; several with commas between them (a name may have commas itself)", "data",
        metavar="COLUMN")
    test: str | None = option(
        None, str, "table with test rows, predicted and scored but never learned from", "data", metavar="TABLE",
        autosklearn="fit(X_test, y_test)")
    task: str = option(
        AUTO, str, "kind of target", "data",
        choices=(AUTO, "binary", "multiclass", "multilabel", "regression", "multioutput"))
    categorical: tuple[str, ...] = option(
        (), names, "columns to read as categories", "data", metavar="COLUMNS", autosklearn="fit(feat_type)")
    text: tuple[str, ...] = option(
        (), names, "columns to read as free text", "data", metavar="COLUMNS", autosklearn="fit(feat_type)")
    drop: tuple[str, ...] = option(
        (), names, "columns to leave out", "data", metavar="COLUMNS")
    drop_missing_targets: bool = option(
        False, boolean, "leave out rows whose target is missing", "data")
    groups: str | None = option(
        None, str, "column whose equal values stay together in every split; not used as a feature", "data",
        metavar="COLUMN", autosklearn="resampling_strategy_arguments (groups)")

    metric: str = option(
        AUTO, str, "metric to optimise: a name, or package.module:function; auto is accuracy or r2", "search",
        metavar="METRIC", autosklearn="metric")
    extra_metrics: tuple[str, ...] = option(
        (), names, "further metrics, recorded for every trial and shown in the leaderboard", "search",
        metavar="METRICS", autosklearn="scoring_functions")
    time: float = option(
        3600.0, seconds_or_auto, "wall time of the whole job, from start to exit; auto: the time left that Slurm, PBS, "
        "LSF or $MPI_AUTOML_TIME_LEFT reports", "search", metavar="TIME", min=1, autosklearn="time_left_for_this_task")
    heartbeat_timeout: float = option(
        60.0, seconds, "silence after which a rank is reported as stuck", "search", metavar="TIME", min=1)
    trials: int | None = option(
        None, integer, "trials of each rank after which the search ends early", "search", metavar="N", min=1,
        unset="no limit", autosklearn="smac_scenario_args (runcount_limit)")
    time_total: float | None = option(
        None, seconds, "wall time of all legs of the run together; a leg ends when it is used up, and a command that "
        "leaves some of it unused exits with status 75", "search", metavar="TIME", min=1, unset="no limit")
    shutdown_time: float = option(
        30.0, seconds, "time for the ensemble after a signal to stop", "search", metavar="TIME", min=0)
    seed: int = option(
        1, integer, "seed of the run; each rank derives its own from it", "search", metavar="N", min=0,
        autosklearn="seed")
    share: str = option(
        "history", str, "what ranks send each other: nothing, new incumbents, or every finished trial", "search",
        choices=("none", "incumbents", "history"), autosklearn="shared_mode")
    fidelity: str = option(
        "none", str, "multi-fidelity: start on fewer rows or iterations, promote the best", "search",
        choices=("none", "rows", "iterations"))
    eta: int = option(
        3, integer, "factor between two budgets of --fidelity; one trial in N is promoted", "search", metavar="N",
        min=2)
    min_budget: float = option(
        0.1, float, "smallest budget of --fidelity, as a share of the full one", "search", metavar="SHARE",
        min=0.001, max=1)
    deterministic: bool = option(
        False, boolean, "repeatable run: same seed and number of ranks, same trials, costs, ensemble and predictions; "
        "needs --trials, and ranks wait for each other", "search")
    exchange_every: int = option(
        4, integer, "trials of each rank between two exchanges, with --deterministic", "search", metavar="N", min=1)
    initial_design: str = option(
        "portfolio", str, "first configurations: default, portfolio, random, sobol, or a JSON file", "search",
        metavar="KIND", autosklearn="initial_configurations_via_metalearning")
    warm_start: tuple[str, ...] = option(
        (), runs, "directories of earlier runs on this or a similar table; their best configurations are tried first",
        "search", metavar="RUNS")
    include: tuple[str, ...] = option(
        (), names, "components to search, as step:component; the others of that step are left out", "search",
        metavar="COMPONENTS", autosklearn="include")
    exclude: tuple[str, ...] = option(
        (), names, "components to leave out, as step:component", "search", metavar="COMPONENTS", autosklearn="exclude")
    plugins: tuple[str, ...] = option(
        (), names, "Python modules that register components; imported first", "search", metavar="MODULES",
        autosklearn="add_classifier, add_regressor, add_preprocessor")

    trial_time: float | None = option(
        None, seconds, "wall time limit of one trial", "evaluation", metavar="TIME", min=0.1,
        unset="a fifth of --time; two fifths for a very large table", autosklearn="per_run_time_limit")
    trial_memory: float = option(
        3072.0, mebibytes, "memory limit of one trial: what it adds to the memory of its rank", "evaluation",
        metavar="SIZE", min=16, autosklearn="memory_limit")
    resampling: str = option(
        AUTO, splitter,
        "how validation rows are chosen: auto, holdout, cv, repeated-cv, group, time-series, or a scikit-learn "
        "splitter as package.module:Class(arguments)", "evaluation", metavar="RESAMPLING",
        autosklearn="resampling_strategy")
    validation: str | None = option(
        None, str, "table with validation rows, in place of a split", "evaluation", metavar="TABLE")
    holdout_share: float | None = option(
        None, float, "share of the rows that a holdout validates on", "evaluation", metavar="SHARE",
        min=0.01, max=0.99, unset="a third; of more than 90,000 rows 30,000, and at least a tenth",
        autosklearn="resampling_strategy_arguments (train_size)")
    folds: int = option(
        5, integer, "folds of cross-validation", "evaluation", metavar="N", min=2,
        autosklearn="resampling_strategy_arguments (folds)")
    repeats: int = option(
        2, integer, "repetitions of repeated-cv", "evaluation", metavar="N", min=1)
    staged_fitting: bool = option(
        True, boolean, "fit learners with iterations in stages; a trial that reaches its time limit counts with the "
        "iterations it finished", "evaluation", autosklearn="resampling_strategy (...-iterative-fit)")
    threads: int = option(
        1, count_or_auto, "threads of one evaluation; auto: all cores that each rank has for itself", "evaluation",
        metavar="N|auto", min=1)
    scratch: str | None = option(
        None, str, "directory for the node's copy of the table", "evaluation", metavar="DIR",
        unset="/dev/shm or $TMPDIR, whichever has room")

    ensemble_size: int = option(
        50, integer, "rounds of ensemble selection", "ensemble", metavar="N", min=1, autosklearn="ensemble_size")
    ensemble_nbest: int | float = option(
        50, count_or_share, "candidates for the ensemble: the best N, or a share of all", "ensemble",
        metavar="N", min=0, autosklearn="ensemble_nbest")
    ensemble_method: str = option(
        "greedy", str, "how members are chosen and combined; auto compares the others and takes the best", "ensemble",
        choices=("greedy", "single_best", "stacking", AUTO), autosklearn="ensemble_class")
    ensemble_metric: str = option(
        AUTO, str, "metric of greedy selection: a name, or same for --metric; auto is the Brier score in place of "
        "accuracy, log loss in place of ROC AUC, else that of --metric", "ensemble", metavar="METRIC")
    performance_range: float = option(
        0.0, float, "minimum quality of a candidate: 0 = baseline, 1 = best trial", "ensemble", metavar="SHARE",
        min=0, max=1, autosklearn="performance_range_threshold")
    # Ten, and no start from the best candidates: jobs/benchmarks/combination.py, docs/performance/ensemble.md.
    ensemble_bags: int = option(
        10, integer, "random halves of the validation rows to select by, if the target has classes; the selections are "
        "averaged; 0: one selection by all rows, unchecked", "ensemble", metavar="N", min=0)
    final_models: str = option(
        AUTO, str, "models of each ensemble member: those of its folds, averaged, or one refitted on all rows; auto "
        "refits after a holdout or time-series split, whose models have not seen every row", "ensemble",
        choices=(AUTO, "folds", "refit"), autosklearn="refit()")
    final_time: float | None = option(
        None, seconds, "time reserved for refitting members, if they are refitted", "ensemble", metavar="TIME", min=0,
        unset="a tenth of --time, or less if members need less")

    out: str | None = option(
        None, str, "run directory to create", "storage", metavar="DIR", unset="mpi_automl_<date>_<time>",
        autosklearn="tmp_folder")
    resume: str | None = option(
        None, str, "run directory to resume in a new leg; auto resumes --out if it exists", "storage", metavar="DIR")
    report: bool = option(
        True, boolean, "write the HTML report after a job of 20 s or more, if time is left", "storage")
    predictions_per_rank: int = option(
        200, integer, "trials of each rank whose predictions are kept", "storage", metavar="N", min=1)
    models_on_disk: int | str = option(
        50, count_or_size, "fitted models that each rank keeps: those of its best N trials, or of as many as fit into "
        "a size such as 2GiB", "storage", metavar="N|SIZE", min=0, autosklearn="max_models_on_disc")
    flush: float = option(
        30.0, seconds, "longest time between flushes to disk", "storage", metavar="TIME", min=0.1)
    disk_limit: float | None = option(
        None, mebibytes, "size limit of the run directory, models included", "storage", metavar="SIZE", min=1,
        unset="no limit")
    store: str = option(
        AUTO, str, "prediction store: one file shared by all ranks (needs a parallel h5py), or one file per rank; "
        "auto: shared with several ranks, if h5py and the file system allow it", "storage",
        choices=(AUTO, "shared", "per-rank"))
    alignment: float = option(
        0.0, mebibytes, "alignment of large datasets in a file, such as the file system's stripe size", "storage",
        metavar="SIZE", min=0)
    mpiio_hints: tuple[str, ...] = option(
        (), names, "MPI-IO hints for the shared file, as name=value with commas between them", "storage",
        metavar="HINTS")
    # fmt: on

    @property
    def trial_seconds(self) -> float:
        """Wall time limit of one trial, in seconds."""
        return self.trial_time or _TRIAL_SHARE * self.time

    def __post_init__(self) -> None:
        for name, spec in OPTIONS.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, spec.checked(name, value))
        self._check_repeatable()

    def _check_repeatable(self) -> None:
        if not self.deterministic:
            return
        if self.trials is None:
            raise UserError(
                "--deterministic counts trials instead of time; give the number of trials of each rank with --trials."
            )
        if self.fidelity != "none":
            raise UserError(
                "--deterministic and --fidelity exclude each other, as promotions depend on which trial ends first; "
                "leave out one of them."
            )
        if self.disk_limit is not None or isinstance(self.models_on_disk, str):
            raise UserError(
                "With --deterministic the disk cannot be limited by size, as sizes depend on time; leave out "
                "--disk-limit and give numbers of trials for --models-on-disk and --predictions-per-rank."
            )

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Settings:
        """Build settings from names and values.

        Parameters
        ----------
        mapping : mapping of str to object
            Such as a TOML table. Hyphens in names count as underscores.

        Raises
        ------
        UserError
            If a name is unknown or a value is wrong.
        """
        values = {name.replace("-", "_"): value for name, value in mapping.items()}
        for name in values:
            if name not in OPTIONS:
                near = get_close_matches(name, OPTIONS, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(OPTIONS))}."
                raise UserError(f"There is no option {name}{hint}")
        return cls(**values)

    def to_mapping(self) -> dict[str, Any]:
        """Give every option that is not None, as TOML can hold it; `from_mapping` makes equal settings of it.

        Returns
        -------
        dict of str to object
            Tuples become lists.
        """
        pairs = ((name, getattr(self, name)) for name in OPTIONS)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in pairs if value is not None}


OPTIONS: dict[str, Option] = {spec.name: spec.metadata["option"] for spec in fields(Settings)}
"""The options by name, in the order of the fields."""
