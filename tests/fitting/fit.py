"""The fit of the models of cuts and of transitions: writes snapupscale/scenes/fitted_*.json, and prints how they do."""

from __future__ import annotations

import argparse
import json
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from snapupscale.scenes import model, watch
from snapupscale.scenes.blends import COURSE
from snapupscale.scenes.features import describe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

INTO = Path(model.__file__).parent
UNITS = 64
CARDS = 0.4
"""The share of shots that become cards in the third showing of a programme."""
LEAN = {"cut": 0.8, "transition": -0.2}
"""Added to the odds. Programmes are crowded with disturbances, and of cuts in annotated footage the odds fitted to them
were too low; false transitions are kept rare."""
MODELS = 3
EPOCHS, ROWS, DECAY = 20, 1024, 0.1
PACES = ((1, 0), (2, 3), (2,), (3,), (3, 2, 2), (1, 1, 1, 1, 2), (2, 3, 2), (1, 0, 0))
"""How programmes are shown a second time: at half the rate, as 24 in 60, doubled, tripled, and so on."""
_NEAR = 3
_FLAT = 0.2


@dataclass(frozen=True, kw_only=True)
class Table:
    """Examples: features, whether there is a cut (a transition), and how much each counts."""

    features: NDArray[np.float32]
    labels: NDArray[np.float32]


def examples(path: Path) -> dict[str, Table]:
    """The candidates of one programme of `corpus`."""
    with np.load(path, allow_pickle=False) as data:
        thumbnails, truth = data["thumbnails"], json.loads(str(data["truth"]))
    pace = PACES[zlib.crc32(path.stem.encode()) % len(PACES)]
    cards = with_cards(thumbnails, truth, np.random.default_rng(zlib.crc32(path.stem.encode())))
    tables = [_table(thumbnails, truth), _table(*paced(thumbnails, truth, pace)), _table(cards, truth)]
    return {name: joined([table[name] for table in tables]) for name in LEAN}


def _table(thumbnails: NDArray[np.uint8], truth: dict[str, Any]) -> dict[str, Table]:
    found = watch.places(describe(thumbnails), 0, len(thumbnails))
    return {"cut": _cuts(found, truth), "transition": transitions(found, truth)}


def paced(
    thumbnails: NDArray[np.uint8], truth: dict[str, Any], pace: tuple[int, ...]
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """The programme with its frames shown for so many frames each, in turn; those shown for none are left out."""
    shown = np.resize(pace, len(thumbnails))
    first = np.cumsum(shown) - shown

    def moved(span: list[Any]) -> list[Any]:
        return [int(first[span[0]]), int(first[min(span[1] + 1, len(first) - 1)]) - 1, *span[2:]]

    spans = {key: [moved(span) for span in truth[key]] for key in ("gradual", "ignore")}
    cuts = sorted({int(first[cut]) for cut in truth["cuts"]})
    return np.repeat(thumbnails, shown, axis=0), {**truth, **spans, "cuts": cuts}


def with_cards(
    thumbnails: NDArray[np.uint8], truth: dict[str, Any], random: np.random.Generator
) -> NDArray[np.uint8]:
    """The programme with some of its shots replaced by cards: one colour or two that run into each other, with little
    on them, as titles and tests have it."""
    spans = [*truth["gradual"], *truth["ignore"]]
    cards = thumbnails.copy()
    colour = np.zeros(3)
    for start, end in pairwise([0, *truth["cuts"], len(thumbnails)]):
        if random.random() > CARDS or any(start <= span[1] + _NEAR and end >= span[0] - _NEAR for span in spans):
            continue
        before, colour = colour, random.uniform((0, 64, 64), (256, 192, 192))
        if np.abs(colour - before).sum() < 40:
            continue
        other = colour + random.normal(0, 20, 3) * (random.random() < 0.4)
        ramp = np.linspace(0, 1, thumbnails.shape[2])[:, None]
        card = np.broadcast_to((1 - ramp) * colour + ramp * other, thumbnails.shape[1:])
        noise = random.uniform(0, 4) * (random.random() < 0.6)
        for frame in range(start, end):
            picture = card + noise * random.standard_normal(card.shape)
            if start % 2:
                picture[frame % len(picture)] = (235, 128, 128)
            cards[frame] = np.clip(picture, 0, 255)
    return cards


def _cuts(found: watch.Places, truth: dict[str, Any]) -> Table:
    spans = [(span[0] - _NEAR, span[1] + _NEAR) for span in [*truth["gradual"], *truth["ignore"]]]
    real = np.isin(found.frames, truth["cuts"])
    known = real | ~_within(found.frames, spans)
    return Table(features=found.features[known], labels=real[known].astype(np.float32))


def transitions(found: watch.Places, truth: dict[str, Any]) -> Table:
    """A stretch counts as found when it covers half of what it and a transition cover together, or is the one half of a
    fade; as none when it does not touch one; the others are left out."""
    starts, ends = found.starts + 1, found.starts + found.lengths - 1
    best = np.zeros(len(starts))
    touched = np.zeros(len(starts), dtype=np.bool_)
    for first, last, kind in truth["gradual"]:
        common = np.minimum(ends, last) - np.maximum(starts, first) + 1
        union = np.maximum(ends, last) - np.minimum(starts, first) + 1
        best = np.maximum(best, common / union)
        touched |= common > -_NEAR
        if kind == "fade":
            best[_halves(found, first, last) & (common > 1)] = 1
    for first, last in truth["ignore"]:
        touched |= np.minimum(ends, last) - np.maximum(starts, first) > -_NEAR
    real = best >= 0.5
    known = real | ~touched
    return Table(features=found.stretch_features[known], labels=real[known].astype(np.float32))


def _halves(found: watch.Places, first: int, last: int) -> NDArray[np.bool_]:
    """Which stretches begin with the fade, and end in one colour, or begin in it, and end with the fade."""
    starts, ends = found.starts + 1, found.starts + found.lengths - 1
    near = 2 + found.lengths / 4
    from_flat, to_flat = (found.courses[:, COURSE.index(name)] < _FLAT for name in ("flat_first", "flat_last"))
    out = (np.abs(starts - first) <= near) & (ends <= last + 2) & to_flat & ~from_flat
    return np.asarray(out | (np.abs(ends - last) <= near) & (starts >= first - 2) & from_flat & ~to_flat)


def _within(frames: NDArray[np.intp], spans: Iterable[tuple[int, int]]) -> NDArray[np.bool_]:
    inside = np.zeros(len(frames), dtype=np.bool_)
    for start, end in spans:
        inside |= (frames >= start) & (frames <= end)
    return inside


def joined(tables: list[Table]) -> Table:
    """All examples of `tables`."""
    return Table(
        features=np.concatenate([table.features for table in tables]),
        labels=np.concatenate([table.labels for table in tables]),
    )


def fit(table: Table, lean: float = 0.0) -> model.Model:
    """The mean of the odds of several models that differ by how they began: steadier than one. `lean` is added."""
    each = [fit_one(table, seed) for seed in range(MODELS)]
    return model.Model(
        shift=each[0].shift,
        scale=each[0].scale,
        hidden=np.concatenate([one.hidden for one in each], axis=1),
        bias=np.concatenate([one.bias for one in each]),
        out=np.concatenate([one.out for one in each]) / len(each),
        offset=sum(one.offset for one in each) / len(each) + lean,
    )


def fit_one(table: Table, seed: int) -> model.Model:
    """A model of the odds, by the cross entropy, with Adam and decay of the weights."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    shift = table.features.mean(axis=0)
    scale = 1 / (table.features.std(axis=0) + 1e-3)
    inputs = torch.from_numpy(np.clip((table.features - shift) * scale, -6, 6))
    labels = torch.from_numpy(table.labels)
    network = torch.nn.Sequential(
        torch.nn.Linear(inputs.shape[1], UNITS), torch.nn.ReLU(), torch.nn.Linear(UNITS, 1)
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
    loss = torch.nn.BCEWithLogitsLoss()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(inputs)).split(ROWS):
            optimiser.zero_grad()
            noisy = inputs[rows] + 0.05 * torch.randn_like(inputs[rows])
            loss(network(noisy)[:, 0], labels[rows]).backward()
            optimiser.step()
        schedule.step()
    first, last = network[0], network[2]
    return model.Model(
        shift=shift,
        scale=scale.astype(np.float32),
        hidden=first.weight.detach().numpy().T.copy(),
        bias=first.bias.detach().numpy(),
        out=last.weight.detach().numpy()[0],
        offset=float(last.bias.item()),
    )


def save(fitted: model.Model, name: str, note: str) -> None:
    """Into the package, with five digits."""
    arrays = {key: np.array(value).astype(float) for key, value in vars(fitted).items() if key != "offset"}
    data = {"fitted": note, "offset": round(fitted.offset, 5)}
    text = ",\n".join(f'"{key}": {_numbers(value)}' for key, value in arrays.items())
    head = json.dumps(data)[:-1]
    (INTO / f"fitted_{name}.json").write_text(f"{head},\n{text}}}\n", "utf-8")


def _numbers(values: NDArray[np.float64]) -> str:
    if values.ndim > 1:
        return "[\n" + ",\n".join(_numbers(row) for row in values) + "]"
    return "[" + ", ".join(f"{value:.5g}" for value in values) + "]"


def report(fitted: model.Model, table: Table, name: str) -> None:
    """How well single candidates are told apart, and whether the odds are what they say."""
    odds = fitted.odds(table.features)
    for least in (-0.8, 0.0, 0.8):
        found = odds > least
        hits = float((found & (table.labels > 0)).sum())
        precision, recall = hits / max(1, found.sum()), hits / table.labels.sum()
        print(f"  {name} odds > {least:+.1f}: precision {100 * precision:.1f} recall {100 * recall:.1f}")
    sure = 1 / (1 + np.exp(-odds))
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        rows = (sure >= low) & (sure < high)
        if rows.any():
            real = table.labels[rows].mean()
            print(f"    said {low:.1f} to {high:.1f}: {int(rows.sum())} candidates, {real:.2f} real")


def main() -> None:
    """Fit on the programmes of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    paths = {part: sorted(options.folder.glob(f"{part}-*.npz")) for part in ("fit", "held")}
    tables = {part: [examples(path) for path in paths[part]] for part in paths}
    for name, lean in LEAN.items():
        fitting = joined([table[name] for table in tables["fit"]])
        fitted = fit(fitting, lean)
        on = f"on {len(paths['fit'])} programmes, {len(fitting.labels)} candidates, {int(fitting.labels.sum())} real"
        save(fitted, name, on)
        print(name, on)
        report(fitted, fitting, "fit")
        if tables["held"]:
            report(fitted, joined([table[name] for table in tables["held"]]), "held")


if __name__ == "__main__":
    main()
