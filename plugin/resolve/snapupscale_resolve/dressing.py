"""Operations that make a placed still sit, look and show as the clip under it."""

from typing import Any, Dict

from snapupscale.protocol import Object
from snapupscale_resolve import items as api
from snapupscale_resolve.run import Failed, Run

_GANG = "Gang"
"""Part of the names of properties that tie others together, and so must come first."""
_SCALING = "Scaling"
_FILL_AND_STRETCH = (3, 4)
"""Scalings under which a larger picture sits as a smaller one does; that of the plan would undo them."""


def describe(run: Run, operation: Object) -> Object:
    """Write into a movie what it is, and in which colour space."""
    media, _ = run.media[operation["media"]]
    note, space = operation["note"], operation["colour_space"]
    for _ in range(2):
        if api.comment(media) != note:
            api.set_comment(media, note)
        if space and api.colour_space(media) != space:
            api.set_colour_space(media, space)
    found = {"note": api.comment(media), "colour_space": api.colour_space(media)}
    if found["note"] != note or (space and found["colour_space"] != space):
        raise Failed("DaVinci Resolve does not keep what is written into the movie of a still")
    return found


def copy_properties(run: Run, operation: Object) -> Object:
    """Copy properties of an item to what was placed, as far as they differ, then set others."""
    placed = run.placed[operation["to"]]
    wanted = dict(_of_original(run, operation), **operation["set"])
    shape = run.properties[operation["from"]].get(_SCALING)
    if any(_same(shape, kept) for kept in _FILL_AND_STRETCH):
        wanted[_SCALING] = shape
    for _ in range(2):
        differing = _differing(wanted, api.properties(placed))
        for name in sorted(differing, key=lambda name: _GANG not in name):
            api.set_property(placed, name, wanted[name])
        if not differing:
            return {"set": wanted}
    left = _differing(wanted, api.properties(placed))
    if left:
        raise Failed("the still does not sit as the clip under it: %s" % ", ".join(sorted(left)))
    return {"set": wanted}


def _of_original(run: Run, operation: Object) -> Dict[str, Any]:
    item_id = operation["from"]
    if item_id not in run.properties:
        found = api.properties(run.item(item_id).item)
        if not found:
            raise Failed("DaVinci Resolve does not tell how the clip under the still sits")
        run.properties[item_id] = found
    known = run.properties[item_id]
    return {name: known[name] for name in operation["names"] if name in known}


def _differing(wanted: Dict[str, Any], there: Dict[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in wanted.items() if name not in there or not _same(value, there[name])}


def _same(one: Any, other: Any) -> bool:
    """Whether two values are alike; some versions give numbers as text, and truth as numbers."""
    try:
        return abs(float(one) - float(other)) < 1e-4
    except (TypeError, ValueError):
        return bool(one == other)


def copy_grade(run: Run, operation: Object) -> Object:
    """Copy the grade of an item to what was placed; the numbers of nodes tell whether it is there."""
    original, placed = run.item(operation["from"]).item, run.placed[operation["to"]]
    agreed = api.copy_grade(original, placed) or api.copy_grade(original, placed)
    if not agreed or api.nodes(original) != api.nodes(placed):
        raise Failed("DaVinci Resolve does not copy the grade of %s to its still" % api.name_of(original))
    return {}


def clip_colour(run: Run, operation: Object) -> Object:
    """Colour what was placed."""
    placed = run.placed[operation["to"]]
    if not (api.colour(placed, operation["colour"]) or api.colour(placed, operation["colour"])):
        raise Failed("DaVinci Resolve does not colour the still %s" % operation["colour"])
    return {}
