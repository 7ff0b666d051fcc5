"""The models that the effect offers against the catalog."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from snapupscale.upscale.catalog import catalog

SOURCE = Path(__file__).parents[2] / "plugin/openfx/source"

PROGRAM = """
#include "models.h"
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **arguments)
{
    for (int index = 0; count == 1 && su_models[index]; index++)
        puts(su_models[index]);
    for (int index = 1; index < count; index++)
        puts(su_model(atoi(arguments[index])));
    return 0;
}
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "probe.c").write_text(PROGRAM)
    program = folder / "probe"
    subprocess.run(["gcc", f"-I{SOURCE}", "-o", program, folder / "probe.c", SOURCE / "models.c"], check=True)
    return program


def said(*command: Path | str) -> list[str]:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def test_the_effect_offers_auto_and_the_catalog_in_its_order(probe: Path) -> None:
    assert said(probe) == ["auto", *catalog()]


def test_an_index_without_a_model_is_auto(probe: Path) -> None:
    models = [*catalog()]
    indices = [-1, 0, len(models), len(models) + 1, 2**31 - 1]

    assert said(probe, *map(str, indices)) == ["auto", "auto", models[-1], "auto", "auto"]
