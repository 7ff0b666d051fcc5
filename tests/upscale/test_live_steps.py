from __future__ import annotations

from typing import Any

import pytest
import torch

from snapupscale.upscale import layouts
from snapupscale.upscale import live as module
from snapupscale.upscale.live import Layout, Live, Look
from snapupscale.upscale.ranges import Remainder


@pytest.mark.parametrize("look", [Look(), Look(mode="punch-in", zoom=2.5, strength=0.5)])
def test_work_can_be_ended_between_its_steps(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a CPU each step of a large frame takes about as long as a process is given to give a frame up."""
    steps: list[str] = []

    def note(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def step(*arguments: Any, **options: Any) -> Any:
            steps.append(name)
            return real(*arguments, **options)

        monkeypatch.setattr(owner, name, step)

    kind = Layout(width=40, height=24, depth="float", components=4, premultiplied=True, top_down=False)
    with Live("animevideov3", backend="cpu") as live:
        owners = {"decoded": layouts, "split": module, "enlarge_resized": live._network, "joined": Remainder}
        for name, owner in {**owners, "encoded": layouts}.items():
            note(owner, name)
        raw = live.upload(torch.ones(kind.bytes // 4).view(torch.uint8))
        live.render(raw, kind, look, progress=lambda share: steps.append("look"))
    order = [name for name, before in zip(steps, ["", *steps], strict=False) if name != before]
    assert order == [
        *("look", "decoded", "look", "split", "look", "enlarge_resized", "look", "joined", "look", "encoded", "look"),
    ]
