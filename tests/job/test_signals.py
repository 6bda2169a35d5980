"""Signals that ask a job to stop are noted and kill nothing."""

import os
import signal

from mpi_automl.job.signals import BY_BATCH_SYSTEMS, StopSignals


def test_the_first_signal_is_kept_and_handlers_come_back():
    before = signal.getsignal(signal.SIGUSR1)
    with StopSignals() as signals:
        assert signals.received is None
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.received == signal.SIGUSR1
    assert signal.getsignal(signal.SIGUSR1) is before


def test_an_inner_context_knows_what_came_before_it():
    with StopSignals(BY_BATCH_SYSTEMS) as early:
        os.kill(os.getpid(), signal.SIGUSR2)
        with StopSignals() as signals:
            assert signals.received == signal.SIGUSR2
        assert early.received == signal.SIGUSR2


def test_while_a_job_starts_only_what_batch_systems_send_is_held_back():
    before = signal.getsignal(signal.SIGINT)
    with StopSignals(BY_BATCH_SYSTEMS):
        assert signal.getsignal(signal.SIGINT) is before


LEAVING = """
import os, signal
from mpi_automl.cli.main import entry
try:
    entry(["no-such-verb"])
except SystemExit:
    os.kill(os.getpid(), signal.SIGTERM)
    raise
"""


def test_a_launcher_that_ends_the_other_ranks_does_not_change_their_status(launch):
    assert launch(2, "python", "-c", LEAVING).returncode == 2
    assert launch(None, "python", "-c", LEAVING).returncode == -signal.SIGTERM
