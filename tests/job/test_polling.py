"""How often a rank looks for messages."""

from mpi_automl.job import polling


def test_long_trials_are_disturbed_seldom_but_not_while_a_message_is_under_way():
    assert polling.pause(0.0, is_sending=False) == polling.SHORTEST
    assert polling.SHORTEST < polling.pause(1.0, is_sending=False) < polling.LONGEST
    assert polling.pause(100.0, is_sending=False) == polling.LONGEST
    assert polling.pause(100.0, is_sending=True) == polling.SHORTEST
