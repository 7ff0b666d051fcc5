from __future__ import annotations

import inspect

import pytest

import snapupscale


@pytest.mark.parametrize("name", snapupscale.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert inspect.getdoc(getattr(snapupscale, name))
    assert not inspect.ismodule(getattr(snapupscale, name))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = snapupscale.nonsense
