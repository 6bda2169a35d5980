"""Errors that are meant for people."""

from __future__ import annotations


class UserError(Exception):
    """A mistake that the user can mend.

    The message is one sentence that says what is wrong and what to do. The command line prints it
    from rank 0, without a traceback, and ends every rank with exit status 2.

    Attributes
    ----------
    agreed : bool
        Every rank of the job raises it. One that is raised on some ranks alone ends the job.
    """

    status = 2
    agreed = False


class UnknownValuesWarning(UserWarning):
    """Most values of a column that was known in training are unknown in the table to be predicted."""


class LeftOutWarning(UserWarning):
    """A column is not learned from although its values differ."""


class JobError(Exception):
    """Something that one rank alone meets and that ends the job; told in its message, without a traceback."""


class NothingLeftError(UserError):
    """Not even a mistake: what was asked for is there already. Ends every rank with exit status 0."""

    status = 0
