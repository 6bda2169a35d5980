"""Errors that are meant for people."""

from __future__ import annotations


class UserError(Exception):
    """A mistake that the user can mend.

    The message is one sentence that says what is wrong and what to do. The command line prints it
    from rank 0, without a traceback, and ends every rank with exit status 2.
    """
