"""When a rank proposes its next trial while the present one runs."""

from __future__ import annotations

from collections import deque

LOST = 0.005
"""Share of the time of its trials that a rank may be without one because the next was not proposed yet."""
# The last ones only, as proposals take longer the more trials are known.
_TRIALS, _PROPOSALS = 32, 8
_FEW = 4
_HANDOVER = 0.01
"""Seconds from the end of a trial until the next one runs that was not handed out before, proposing not included."""


class ProposalTimer:
    """How long a trial runs before the next one is proposed: as late as costs next to no time.

    A configuration that is proposed while a trial runs does not profit from what comes of it, nor of all those that
    end on other ranks before its turn; with many ranks these are many. One that is proposed afterwards leaves the rank
    without a trial for as long as proposing takes. So of the rank's last trials only as many may have ended before the
    next one was proposed as would have cost it the share `LOST` of its time: with trials that are short beside a
    proposal it is proposed at once, with long ones after their end.
    """

    def __init__(self) -> None:
        self._trials: deque[float] = deque(maxlen=_TRIALS)
        self._proposals: deque[float] = deque(maxlen=_PROPOSALS)
        self._delay = 0.0

    @property
    def delay(self) -> float:
        """Seconds after the beginning of a trial when the next one is due; infinite: after its end."""
        return self._delay

    def note_proposal(self, seconds: float) -> None:
        """Take in how long a proposal took."""
        self._proposals.append(seconds)

    def note_trial(self, seconds: float) -> None:
        """Take in how long a trial took."""
        self._trials.append(seconds)
        self._delay = self._latest() if len(self._trials) >= _FEW and self._proposals else 0.0

    def _latest(self) -> float:
        proposing = sum(self._proposals) / len(self._proposals)
        may_end_before = int(LOST * sum(self._trials) / (proposing + _HANDOVER))
        if may_end_before >= len(self._trials):
            return float("inf")
        return max(0.0, sorted(self._trials)[may_end_before] - proposing - _HANDOVER)
