"""The plots of a report, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpi_automl.report import counts, hyperparameters, quality, ranks
from mpi_automl.report.scores import draw_scores, score_trajectories

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mpi_automl.report.contents import Contents


@dataclass(frozen=True)
class Plot:
    """A figure of the page.

    Attributes
    ----------
    name : str
        Of its PNG file, and in the page's ids.
    title : str
    caption : str
        What is to be seen, and how it was made.
    draw : callable
        Gives the figure, or None if the run has nothing to show.
    is_wide : bool
        It takes the whole width of the page.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[Contents], Figure | None]
    is_wide: bool = False


@dataclass(frozen=True)
class Section:
    """Plots that belong together."""

    name: str
    title: str
    plots: tuple[Plot, ...]


def sections(has_time: Callable[[], bool]) -> tuple[Section, ...]:
    """All plots.

    Parameters
    ----------
    has_time : callable
        Asked before each slow part of a plot whether there is time for it.
    """

    def scores(contents: Contents) -> Figure | None:
        return draw_scores(contents, score_trajectories(contents, has_time))

    return (Section("progress", "Progress", (_scores(scores), *_RANKS)), *_SECTIONS)


def _scores(draw: Callable[[Contents], Figure | None]) -> Plot:
    return Plot(
        "scores",
        "Best scores over time",
        "The best single model so far, of each rank and of all; the same models on the test rows. Ensemble: selected "
        "again from the stored predictions of the trials that had ended at each dot.",
        draw,
    )


_LEARNERS = Plot(
    "learners", "Trials by learner and status", "How the trials of each learner ended.", counts.draw_learners
)
_RANKS = (
    Plot(
        "rank_shares",
        "Where the ranks' time went",
        "Share of the search's time that each rank's trials took, and writing them.",
        ranks.draw_rank_shares,
    ),
    _LEARNERS,
    Plot(
        "timeline",
        "Timeline of the ranks",
        "What each rank did when; between the bars it was idle. The next configuration is proposed while a trial runs, "
        "so proposing is drawn above it.",
        ranks.draw_timeline,
        is_wide=True,
    ),
)
_SECTIONS = (
    Section(
        "trials",
        "Trials",
        (
            Plot(
                "preprocessors",
                "Trials by feature preprocessor and status",
                "How the trials with each feature preprocessor ended.",
                counts.draw_preprocessors,
            ),
        ),
    ),
    Section(
        "quality",
        "Quality of the predictions",
        (
            Plot(
                "confusion", "Right and wrong", "Rows by what they are and what was predicted.", quality.draw_confusion
            ),
            Plot("residuals", "Predictions and residuals", "How far predictions are off.", quality.draw_residuals),
            Plot("calibration", "Calibration", "Do predicted probabilities come true?", quality.draw_calibration),
            Plot(
                "roc",
                "ROC curves",
                "Each class or label against the rest; of two classes, the second.",
                quality.draw_roc,
            ),
            Plot(
                "precision_recall",
                "Precision and recall",
                "The same classes or labels: how many of those found are right, and how many there are.",
                quality.draw_precision_recall,
            ),
        ),
    ),
    Section(
        "importance",
        "What mattered",
        (
            Plot(
                "column_importance",
                "Columns",
                "How much the ensemble's cost increases when a column is shuffled; lines show the deviation.",
                hyperparameters.draw_column_importance,
            ),
            Plot(
                "hyperparameter_importance",
                "Hyperparameters",
                "How much worse the search's surrogate predicts costs when a hyperparameter is shuffled.",
                hyperparameters.draw_hyperparameter_importance,
            ),
            Plot(
                "parallel_coordinates",
                "Parallel coordinates",
                "Each line is a trial through its values of the most important hyperparameters; the best are drawn on "
                "top, and the scale of colours goes by their order.",
                hyperparameters.draw_parallel_coordinates,
                is_wide=True,
            ),
        ),
    ),
    Section(
        "ensemble",
        "Ensemble",
        (Plot("members", "Members and weights", "What each member counts in the ensemble.", counts.draw_members),),
    ),
)
