"""Items of the timeline and the media that they show, as far as SnapUpscale uses them; the other half of `editor`."""

from typing import TYPE_CHECKING, Any, Callable, Dict, NamedTuple, Optional, Tuple

from snapupscale_resolve import door
from snapupscale_resolve.door import agreed, facts, number, text, thing, truth, whole

if TYPE_CHECKING:
    from fusionscript import MediaPoolItem, TimelineItem


class Span(NamedTuple):
    """Where an item stands: absolute record frames, the end exclusive."""

    start: int
    end: int


def id_of(item: "TimelineItem") -> str:
    """The id of an item; empty when it isn't there."""
    return text(item.GetUniqueId)


def name_of(item: "TimelineItem") -> str:
    """The name of an item."""
    return text(item.GetName)


def span(item: "TimelineItem") -> Optional[Span]:
    """Where an item stands; None where that can't be read."""
    start, end = _frames(item.GetStart), _frames(item.GetEnd)
    return None if start is None or end is None else Span(int(start), int(end))


def can_tell_parts(item: "TimelineItem") -> bool:
    """Whether this version tells source frames, and offsets to parts of frames: from 19.0.2 on."""
    return door.can(item, "GetSourceStartFrame")


def offsets(item: "TimelineItem", parts: bool) -> Tuple[Optional[float], Optional[float]]:
    """Frames before and behind the item that its source has; with `parts`, to parts of frames."""
    if parts:
        return number(item.GetLeftOffset, True), number(item.GetRightOffset, True)
    return _frames(item.GetLeftOffset), _frames(item.GetRightOffset)


def source_range(item: "TimelineItem") -> Tuple[Optional[int], Optional[int]]:
    """The source frames that the editor tells, from 19.0.2 on."""
    return whole(item.GetSourceStartFrame), whole(item.GetSourceEndFrame)


def speed(item: "TimelineItem") -> Optional[float]:
    """Per cent, from 21.1 on."""
    later = item  # type: Any  # later than the stubs
    return door.as_number(facts(later.GetSpeed).get("Percentage"))


def type_of(item: "TimelineItem") -> str:
    """What an item is, from 21.1 on."""
    later = item  # type: Any  # later than the stubs
    return text(later.GetType)


def fusion_comps(item: "TimelineItem") -> int:
    """Number of Fusion compositions of an item."""
    return whole(item.GetFusionCompCount) or 0


def is_item_enabled(item: "TimelineItem") -> bool:
    """Whether an item is shown; so it is where nothing else is told."""
    return truth(item.GetClipEnabled) is not False or truth(item.GetClipEnabled) is not False


def media_of(item: "TimelineItem") -> "Optional[MediaPoolItem]":
    """The media of an item; None for titles, generators and transitions."""
    return thing(item.GetMediaPoolItem)


def properties(item: "TimelineItem") -> Dict[str, Any]:
    """Where and how the picture of an item sits."""
    every = item.GetProperty  # type: Any  # without a name it gives all
    return facts(every)


def set_property(item: "TimelineItem", name: str, value: Any) -> bool:
    """Set one of the properties."""
    return agreed(item.SetProperty, name, value)


def copy_grade(item: "TimelineItem", other: "TimelineItem") -> bool:
    """Copy the grade of an item to another."""
    return agreed(item.CopyGrades, [other])


def nodes(item: "TimelineItem") -> Optional[int]:
    """Number of nodes of the grade of an item."""
    return whole(item.GetNumNodes)


def colour(item: "TimelineItem", name: str) -> bool:
    """Colour an item; whether it is so now."""
    colour = name  # type: Any
    agreed(item.SetClipColor, colour)
    return text(item.GetClipColor) == name


def takes(item: "TimelineItem") -> Optional[int]:
    """Number of takes; 0 when the item is no take selector, None where that can't be read."""
    return whole(item.GetTakesCount)


def selected_take(item: "TimelineItem") -> int:
    """The number of the selected take, from 1; 0 when the item is no take selector."""
    return whole(item.GetSelectedTakeIndex) or 0


def take_media(item: "TimelineItem", index: int) -> "Optional[MediaPoolItem]":
    """The media of a take."""
    found = facts(item.GetTakeByIndex, index).get("mediaPoolItem")
    return None if isinstance(found, (bool, int, float, str)) else found


def add_take(item: "TimelineItem", media: "MediaPoolItem", start: int, end: int) -> None:
    """Add a take. The answer means nothing: look at the item."""
    door.ask(item.AddTake, media, start, end)


def select_take(item: "TimelineItem", index: int) -> bool:
    """Select a take; whether it is selected."""
    agreed(item.SelectTakeByIndex, index)
    return selected_take(item) == index


def delete_take(item: "TimelineItem", index: int) -> None:
    """Delete a take."""
    agreed(item.DeleteTakeByIndex, index)


def media_id(media: "MediaPoolItem") -> str:
    """The id of a medium."""
    return text(media.GetUniqueId)


def media_facts(media: "MediaPoolItem") -> Dict[str, str]:
    """Everything that the editor tells about a medium, as text."""
    every = media.GetClipProperty  # type: Any  # without a name it gives all
    return {str(name): door.as_text(value) for name, value in facts(every).items()}


def comment(media: "MediaPoolItem") -> str:
    """What the comments of a medium say."""
    return door.text(media.GetMetadata, "Comments")


def set_comment(media: "MediaPoolItem", note: str) -> bool:
    """Write the comments of a medium."""
    return agreed(media.SetMetadata, "Comments", note)


def colour_space(media: "MediaPoolItem") -> str:
    """The colour space in which the editor takes a medium."""
    return door.text(media.GetClipProperty, "Input Color Space")


def set_colour_space(media: "MediaPoolItem", name: str) -> bool:
    """Say in which colour space a medium is."""
    return agreed(media.SetClipProperty, "Input Color Space", name)


def media_count(told: Dict[str, str], name: str) -> Optional[int]:
    """A whole number among the facts of a medium."""
    text = told.get(name, "").split(".")[0]
    return int(text) if text.isdigit() else None


def _frames(method: "Callable[[bool], object]") -> Optional[float]:
    # From 19.0.2 on one may ask for parts of frames, before, an argument is one too many.
    plain = method  # type: Any
    return number(plain)
