"""The rate against its definition: a straight line up, a straight line down to zero one step after the last."""

from __future__ import annotations

import numpy as np
import pytest

from vlpbench.training.schedule import rate


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 97, 1000])
@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.1, 0.5, 1.0])
def test_up_and_down(steps: int, warmup: float) -> None:
    rates = [rate(step, steps, 2e-3, warmup) for step in range(steps)]
    rising = max(1, round(warmup * steps))
    points = np.interp(np.arange(steps), [-1, rising - 1, steps], [0, 2e-3, 0])
    assert np.allclose(rates, points, rtol=1e-12, atol=0)
    assert max(rates) == pytest.approx(2e-3)
    assert min(rates) > 0
    assert rates.index(max(rates)) == rising - 1
    assert rate(steps, steps, 2e-3, warmup) == 0 or rising == steps


def test_the_rate_is_proportional_to_the_highest() -> None:
    assert rate(3, 20, 4e-3, 0.2) == 2 * rate(3, 20, 2e-3, 0.2)
    assert rate(3, 20, 0.0, 0.2) == 0.0
