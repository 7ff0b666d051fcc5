"""Deinterlacing: one whole picture out of two fields, by FFmpeg's bwdif."""

from __future__ import annotations

from typing import TYPE_CHECKING

from av.filter import Graph

if TYPE_CHECKING:
    import av


def deinterlaced(before: av.VideoFrame | None, frame: av.VideoFrame, after: av.VideoFrame | None) -> av.VideoFrame:
    """`frame` with the lines of its second field interpolated, by the frames around it.

    At an end of the footage the one neighbour stands for the other too. A frame that is not marked interlaced comes
    back unchanged. The timestamps of the result and of the neighbours mean nothing.
    """
    if not frame.interlaced_frame:
        return frame
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame"), graph.add("buffersink")).configure()
    for position, picture in enumerate((before or after or frame, frame, after or before or frame)):
        picture.pts = position
        graph.push(picture)
    graph.push(None)
    graph.pull()
    result: av.VideoFrame = graph.pull()  # type: ignore[assignment]
    return result
