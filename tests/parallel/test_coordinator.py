"""Rank 0's bookkeeping: who receives what, and when it is over."""

import numpy as np
import pytest

from mpi_automl.parallel.coordinator import Coordinator
from mpi_automl.parallel.messages import Report
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate


def trial(rank, number, cost=np.nan, status=Status.SUCCESS):
    return TrialUpdate(TrialKey(0, rank, number), status, cost, Origin.MODEL, 1.0, 0.5, np.array([0.1, np.nan]))


def report(rank, *trials, **facts):
    return Report(rank, 0.0, trials=trials, **facts)


def drain(coordinator, peer):
    bulletins = []
    while (bulletin := coordinator.next_bulletin(peer, 0.0)) is not None:
        bulletins.append(bulletin)
    return bulletins


def keys(bulletins):
    return [update.key for bulletin in bulletins for update in bulletin.trials]


def test_history_passes_every_trial_on_to_everyone_once():
    coordinator = Coordinator(3, "history", 0.0)
    sent = [trial(rank, number, 0.1 * number) for number in range(300) for rank in range(3)]
    for one in sent:
        coordinator.absorb(report(one.key.rank, one), 0.0)
    for peer in range(3):
        assert keys(drain(coordinator, peer)) == [one.key for one in sent]
        assert coordinator.next_bulletin(peer, 0.0) is None


def test_incumbents_passes_on_only_the_newest_of_them():
    coordinator = Coordinator(2, "incumbents", 0.0)
    for number, cost in enumerate([0.5, 0.6, 0.3, 0.4]):
        coordinator.absorb(report(1, trial(1, number, cost)), 0.0)
    assert keys(drain(coordinator, 0)) == [TrialKey(0, 1, 2)]
    coordinator.absorb(report(0, trial(0, 0, 0.2)), 0.0)
    assert keys(drain(coordinator, 1)) == [TrialKey(0, 0, 0)]


def test_none_passes_on_nothing_but_the_order_to_stop():
    coordinator = Coordinator(2, "none", 0.0)
    coordinator.absorb(report(1, trial(1, 0, 0.5)), 0.0)
    assert drain(coordinator, 0) == []
    coordinator.absorb(report(1, wants_stop=True), 0.0)
    (bulletin,) = drain(coordinator, 0)
    assert bulletin.stop
    assert not bulletin.trials


@pytest.mark.parametrize("status", [Status.CRASHED, Status.TIMEOUT, Status.MEMOUT, Status.STOPPED])
def test_a_failed_trial_is_never_the_incumbent(status):
    coordinator = Coordinator(1, "history", 0.0)
    coordinator.absorb(report(0, trial(0, 0, np.nan, status)), 0.0)
    assert coordinator.incumbent is None


def test_equal_costs_go_to_the_lower_key_whatever_the_order():
    for order in ([0, 1], [1, 0]):
        coordinator = Coordinator(2, "history", 0.0)
        for rank in order:
            coordinator.absorb(report(rank, trial(rank, 5, 0.25)), 0.0)
        assert coordinator.incumbent.key == TrialKey(0, 0, 5)


def test_the_last_bulletin_comes_after_the_last_report_and_with_all_updates():
    coordinator = Coordinator(2, "history", 0.0)
    coordinator.absorb(report(0, trial(0, 0, 0.5), is_last=True), 0.0)
    assert not any(bulletin.is_last for bulletin in drain(coordinator, 1))
    coordinator.absorb(report(1, trial(1, 0, 0.4), is_last=True), 0.0)
    bulletins = drain(coordinator, 1)
    assert bulletins[-1].is_last
    assert keys(bulletins) == [TrialKey(0, 1, 0)]
    assert not coordinator.is_closed
    drain(coordinator, 0)
    assert coordinator.is_closed


def test_running_and_finished_trials_are_counted_for_each_rank():
    coordinator = Coordinator(2, "history", 0.0)
    coordinator.absorb(report(1, trial(1, 0, status=Status.RUNNING), trial(1, 1, status=Status.RUNNING)), 0.0)
    coordinator.absorb(report(1, trial(1, 0, 0.5)), 0.0)
    assert coordinator.states[1].running == 1
    assert coordinator.states[1].finished == {Status.SUCCESS: 1}


def test_a_silent_rank_is_named():
    coordinator = Coordinator(3, "history", 100.0)
    coordinator.absorb(report(1), 109.0)
    coordinator.absorb(report(2, is_last=True), 101.0)
    assert coordinator.missing(110.0, timeout=5.0) == [(0, 10.0)]


def test_delivered_updates_are_freed_and_nothing_is_lost():
    coordinator = Coordinator(2, "history", 0.0)
    received = {0: [], 1: []}
    for number in range(2000):
        coordinator.absorb(report(1, trial(1, number, 0.5)), 0.0)
        if number % 7 == 0:
            received[0] += keys(drain(coordinator, 0))
        if number % 500 == 0:
            received[1] += keys(drain(coordinator, 1))
            coordinator.forget_delivered()
    for peer, found in received.items():
        assert found + keys(drain(coordinator, peer)) == [TrialKey(0, 1, number) for number in range(2000)]


def test_ranks_that_have_yet_to_receive_the_same_get_one_bulletin():
    coordinator = Coordinator(4, "history", 0.0)
    coordinator.absorb(report(0, trial(0, 0, 0.5)), 0.0)
    coordinator.next_bulletin(3, 1.0)
    coordinator.absorb(report(0, trial(0, 1, 0.5)), 0.0)
    first, second, third = (coordinator.next_bulletin(peer, 2.0) for peer in (1, 2, 3))
    assert first is second
    assert keys([first]) == [TrialKey(0, 0, 0), TrialKey(0, 0, 1)]
    assert keys([third]) == [TrialKey(0, 0, 1)]
    assert coordinator.backlog(0) == 2
    assert coordinator.backlog(1) == 0


@pytest.mark.parametrize("share", ["none", "incumbents", "history"])
def test_ranks_are_looked_through_only_while_one_has_something_to_receive(share):
    coordinator = Coordinator(2, share, 0.0)

    def passes_on() -> bool:
        received = [drain(coordinator, peer) for peer in range(2)]
        coordinator.forget_delivered()
        assert not coordinator.has_updates
        return any(received)

    assert not coordinator.has_updates
    coordinator.absorb(report(1), 0.0)
    assert not coordinator.has_updates
    coordinator.absorb(report(1, trial(1, 0, 0.5)), 0.0)
    assert coordinator.has_updates == (share != "none")
    assert passes_on() == (share != "none")
    for event in (coordinator.stop, lambda: [coordinator.absorb(report(rank, is_last=True), 0.0) for rank in (0, 1)]):
        event()
        assert coordinator.has_updates
        assert passes_on()


def test_a_rank_that_could_not_be_sent_to_still_has_updates_coming():
    coordinator = Coordinator(2, "history", 0.0)
    coordinator.absorb(report(1, trial(1, 0, 0.5)), 0.0)
    drain(coordinator, 1)
    coordinator.forget_delivered()
    assert coordinator.has_updates
