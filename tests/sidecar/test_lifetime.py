from __future__ import annotations

from snapupscale.sidecar.lifetime import Lifetime


def test_idle_means_that_nothing_came_and_nobody_listens() -> None:
    now = 10.0
    lifetime = Lifetime(60, clock=lambda: now)
    assert not lifetime.idle
    now = 69.9
    assert not lifetime.idle
    now = 70.0
    assert lifetime.idle
    assert lifetime.uptime == 60
    lifetime.touch()
    assert not lifetime.idle
    with lifetime.listening():
        now = 1000.0
        assert not lifetime.idle
    assert not lifetime.idle
    now = 1060.0
    assert lifetime.idle


def test_it_stops_when_told() -> None:
    lifetime = Lifetime(60)
    assert not lifetime.stopping
    lifetime.stop()
    assert lifetime.stopping
