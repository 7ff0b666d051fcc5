"""Where frames are made: the models in use, and the results that are still known."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from snapupscale.errors import BackendUnavailable, OutOfMemory
from snapupscale.sidecar.frames.keeper import Keeper
from snapupscale.sidecar.frames.results import Results
from snapupscale.upscale.catalog import catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.sidecar.frames.shared import Shared
    from snapupscale.sidecar.frames.wire import Params, Picture
    from snapupscale.upscale.live import Live

MOST_MODELS = 2


@dataclass(frozen=True, kw_only=True)
class Made:
    """A frame that is in its mapping."""

    cached: bool
    keep: Callable[[], None] = lambda: None
    """Remember it; to be called when nobody waits for it any longer."""


class Studio:
    """At most two models, the last asked for, and results in at most `room` bytes. For one thread."""

    def __init__(self, room: int) -> None:
        self._models: dict[tuple[str, float], Live] = {}
        self._results = Results(room)
        self._keeper = Keeper(self._results)

    def has(self, params: Params) -> bool:
        """Whether the model is loaded."""
        return _asked(params) in self._models

    def model(self, params: Params) -> Live:
        """The model that `params` ask for, loaded if need be. Raises as Live."""
        asked = _asked(params)
        found = self._models.pop(asked, None)
        if found is None:
            while len(self._models) >= MOST_MODELS:
                self._models.pop(next(iter(self._models))).close()
            found = self._loaded(*asked)
        self._models[asked] = found
        return found

    def _loaded(self, model: str, denoise: float) -> Live:
        try:
            from snapupscale.upscale.live import Live  # noqa: PLC0415  it imports torch
        except (ImportError, OSError) as error:  # the latter where a library that it needs is missing
            hint = "Run `pip install torch` where SnapUpscale is installed."
            raise BackendUnavailable(f"torch cannot be imported: {error}", hint=hint) from error
        try:
            live = Live(model, denoise=denoise)
        except OutOfMemory:
            if not self._models:
                raise
            self.rest()
            live = Live(model, denoise=denoise)
        if live.backend != "cpu":
            # A GPU takes long over its first frame, and hears of no cancel meanwhile. What fails is told of the next.
            with suppress(Exception):
                _try(live)
        return live

    def make(
        self, live: Live, shared: Shared, picture: Picture, params: Params, progress: Callable[[float], None]
    ) -> Made:
        """Put the result in place of the picture. Raises what `progress` raises, and as Live; it is untouched then."""
        from snapupscale.upscale.live import Layout, Look  # noqa: PLC0415  it imports torch

        layout = Layout(
            width=picture.width,
            height=picture.height,
            depth=picture.depth,
            components=picture.components,
            premultiplied=picture.premultiplied,
            top_down=picture.top_down,
        )
        look = Look(
            mode=params.mode,
            factor=params.factor,
            zoom=params.zoom,
            centre_x=params.centre_x,
            centre_y=params.centre_y,
            strength=params.strength,
        )
        if live.backend == "cuda":
            shared.lock_pages()
        view = shared.view(picture.offset, picture.size)
        raw = live.upload(view)
        key = (live.digest(raw), layout, look, live.weights_sha256, _asked(params)[1])
        known = self._results.get(key)
        if known is not None:
            view.copy_(known)
            return Made(cached=True)
        result = live.render(raw, layout, look, progress=progress)
        live.download(result, view)
        return Made(cached=False, keep=partial(self._keeper.keep, live, key, result))

    def rest(self) -> None:
        """Let go of all models and results."""
        self._results.clear()
        for live in self._models.values():
            live.close()
        self._models.clear()
        _free_gpu()

    def drop(self, live: Live) -> None:
        """Let go of a model that may be in disorder."""
        self._models = {asked: each for asked, each in self._models.items() if each is not live}
        with suppress(Exception):
            live.close()

    def save_memory(self, live: Live) -> None:
        """Let go of all but `live`, which found no memory."""
        self._results.clear()
        for other in [each for each in self._models.values() if each is not live]:
            self.drop(other)
        _free_gpu()


def _asked(params: Params) -> tuple[str, float]:
    """What tells models apart. A slider that this model doesn't have must not keep it from being used."""
    spec = catalog().get(params.model)
    return params.model, params.denoise if spec and spec.file("undenoised") else 1.0


def _try(live: Live) -> None:
    """Make a small frame for nobody."""
    import torch  # noqa: PLC0415  slow to load

    from snapupscale.upscale.live import Layout, Look  # noqa: PLC0415  it imports torch

    layout = Layout(width=64, height=64, depth="float", components=4, premultiplied=False, top_down=False)
    source = torch.zeros(64 * 64 * 16, dtype=torch.uint8)
    live.download(live.render(live.upload(source), layout, Look(mode="restore"), progress=lambda share: None), source)


def _free_gpu() -> None:
    if torch := sys.modules.get("torch"):
        torch.cuda.empty_cache()
