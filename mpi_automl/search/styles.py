"""How a rank searches, and how ranks may differ in it by more than their seed."""

from __future__ import annotations

from dataclasses import dataclass, field

KINDS = ("none", "exploration", "random", "locality")

_RANDOM_SHARES = (0.2, 0.05, 0.35)
_EXPLORATIONS = (0.0, 0.03, 0.1, 0.3)


@dataclass(frozen=True)
class Effort:
    """How hard, and where, the acquisition function is maximised.

    Attributes
    ----------
    random : int
        Random candidates.
    starts : int
        Local searches from the best of the random candidates.
    known : int
        Local searches from the best known trials.
    foreign : int
        Local searches from the best trials of other ranks.
    width, steps : int
        Neighbours for each step of a local search, and steps at most.
    queue : int
        Random candidates kept as proposals.
    turns : int
        Of the ends of local searches the best one is proposed, the next time the second best and so on, up to this
        many, then the best again. Always the best one means to stay around one configuration for long. SMAC takes its
        eight best of local searches and random candidates from one model; here each may come from a new one.
    alternates : bool
        Every other proposal is the best random candidate. Otherwise these come after all ends of local searches.
    exploration : float
        By how much the logarithm of the (scaled) cost must improve to count as an improvement at all: the
        larger, the more is tried where the model is unsure (SMAC's ``xi``). 0.1 asks for about a tenth.
    """

    random: int = 3000
    starts: int = 5
    known: int = 5
    foreign: int = 2
    width: int = 64
    steps: int = 20
    queue: int = 256
    turns: int = 8
    alternates: bool = True
    exploration: float = 0.0


@dataclass(frozen=True)
class Style:
    """How one rank searches.

    Attributes
    ----------
    random_share : float
        Probability of a random proposal once there is a model; 0.2 is SMAC's.
    effort : Effort
    """

    random_share: float = 0.2
    effort: Effort = field(default_factory=Effort)


_LOCAL = Effort(random=300, starts=1, known=10, foreign=4, alternates=False)
_GLOBAL = Effort(random=3000, starts=10, known=0, foreign=0)


def rank_style(kind: str, rank: int) -> Style:
    """The style of one rank: a fixed cycle over the ranks, which always begins with SMAC's own.

    To compare kinds, give each rank's proposer its style and leave everything else as it is::

        style = rank_style(kind, rank)
        Proposer(space, rank_seed(seed, rank), initial, random_share=style.random_share, effort=style.effort)

    or run jobs with ``--diversity KIND``.

    Parameters
    ----------
    kind : str
        ``none``: all ranks alike. ``exploration``: the improvement that is asked for differs
        (`Effort.exploration`). ``random``: the share of random proposals differs, with SMAC's as the mean.
        ``locality``: every third rank searches only around the best known trials, every third only from random
        candidates.
    rank : int

    Returns
    -------
    Style
    """
    if kind == "exploration":
        return Style(effort=Effort(exploration=_EXPLORATIONS[rank % len(_EXPLORATIONS)]))
    if kind == "random":
        return Style(random_share=_RANDOM_SHARES[rank % len(_RANDOM_SHARES)])
    if kind == "locality":
        return Style(effort=(Effort(), _LOCAL, _GLOBAL)[rank % 3])
    if kind != "none":
        raise ValueError(f"no diversity named {kind!r}; there are {', '.join(KINDS)}")
    return Style()
