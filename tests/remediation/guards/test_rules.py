import re

import pytest

from remediation.policy.load import PolicyError
from tests.remediation.policy.stories import a_policy


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("\nnights = 14", "\nnights = 85", "nor nights long_nights", id="the short window is longer"),
        pytest.param("min_nights = 3", "min_nights = 15", "min_nights must not exceed nights", id="never usual"),
        pytest.param("floor = 25\n", "floor = 101\n", "floor must not exceed first_nights", id="floor too high"),
        pytest.param("ceiling = 5_000\n", "ceiling = 99\n", "nor first_nights ceiling", id="ceiling too low"),
        pytest.param("floor = 0.02\n", "floor = 0.06\n", "floor must not exceed ceiling", id="a share's floor"),
        pytest.param("times = 4.0", "times = 400.0", "less than or equal to 10", id="a hundred times as lenient"),
        pytest.param("ceiling = 0.05", "ceiling = 5.0", "less than or equal to 0.9", id="a share above all"),
        pytest.param("ceiling = 0.05", "ceiling = 0.0", "greater than 0", id="nothing may ever be flagged"),
        pytest.param("most_times = 1.8", "most_times = 0.8", "greater than or equal to 1", id="less than usual"),
        pytest.param("ahead_ms = 300_000", "ahead_ms = -1", "greater than or equal to 0", id="a clock in the past"),
    ],
)
def test_guards_that_guard_nothing_are_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(said)):
        a_policy((old, new))
