"""How often a rank looks for messages while its trial runs."""

from __future__ import annotations

SHORTEST, LONGEST = 0.02, 0.1
_POLLS_PER_TRIAL = 20
"""Looking every 0.1 s, a rank receives an update after 140 ms in the median, every 0.02 s after 34 ms."""


def pause(usual_trial: float, *, is_sending: bool) -> float:
    """Seconds between two looks.

    With long trials, looking for messages less often leaves them more of the core, and between two proposals they are
    of no use. But on many fabrics a long message only proceeds while its sender calls MPI.

    Parameters
    ----------
    usual_trial : float
        Seconds that a trial takes.
    is_sending : bool
        Whether a message of this rank is under way.
    """
    return SHORTEST if is_sending else min(LONGEST, max(SHORTEST, usual_trial / _POLLS_PER_TRIAL))
