"""The class Project: settings, timelines, the render queue and colour groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np

from resolve_emulator.application import UNTITLED
from resolve_emulator.face import Face, by_number, need, text, whole
from resolve_emulator.settings import changed
from resolve_emulator.state import Gallery, Group, Pool, Project, Timeline

_STILL_FORMATS = (".png", ".jpg", ".tif", ".dpx", ".bmp", ".cin", ".exr")
_DRAWN = (".png", ".jpg", ".tif", ".bmp")


class ProjectFace(Face):
    kind = "Project"
    state: Project

    def GetName(self) -> str:
        return self.state.name

    def SetName(self, name: Any) -> bool:
        need(text(name) and name != UNTITLED and name not in self.app.library)
        old = self.state.name
        if old in self.app.library:
            self.app.store(name, self.app.library[old] | {"name": name})
            self.app.forget(old)
        self.state.name = name
        return True

    def GetUniqueId(self) -> str:
        return self.state.id

    def GetMediaPool(self) -> Pool:
        return Pool(self.state)

    def GetGallery(self) -> Gallery:
        return Gallery(self.state)

    def GetTimelineCount(self) -> int:
        return len(self.state.timelines)

    def GetTimelineByIndex(self, index: Any) -> Timeline:
        number = whole(index)
        need(1 <= number <= len(self.state.timelines))
        return self.state.timelines[number - 1]

    def GetCurrentTimeline(self) -> Timeline | None:
        return self.state.timeline

    def SetCurrentTimeline(self, timeline: Any) -> bool:
        need(timeline in self.state.timelines)
        self.state.timeline = timeline
        return True

    def GetSetting(self, name: Any = "") -> Any:
        """All of them for no name or an empty one; '' for a name that is none."""
        return self.state.settings.get(name, "") if name else dict(self.state.settings)

    def SetSetting(self, name: Any, value: Any, *_more: Any) -> bool:
        """The rate is fixed once there is a timeline."""
        need(name != "timelineFrameRate" or not self.state.timelines)
        new = changed(self.state.settings, text(name), value)
        need(new)
        self.state.settings = new or {}
        return True

    def GetSettings(self) -> dict[str, Any]:
        return dict(self.state.settings)

    def SetSettings(self, settings: Any) -> bool:
        need(isinstance(settings, dict) and settings)
        done = [self.SetSetting(name, value) for name, value in settings.items()]
        return all(done)

    def GetPresetList(self) -> list[dict[str, Any]]:
        return [{"Name": name, "Width": 1920, "Height": 1080} for name in ("Current Project", "System Config")]

    def GetRenderJobList(self) -> list[dict[str, Any]]:
        return list(self.state.render_jobs)

    def GetRenderJobs(self) -> dict[float, dict[str, Any]]:
        return by_number(self.state.render_jobs)

    def AddRenderJob(self) -> str:
        timeline = self.state.timeline
        self.app.page = "deliver"
        if timeline is None or not timeline.items():
            return ""
        job = {"JobId": self.app.new_id(), "TimelineName": timeline.name}
        self.state.render_jobs.append(job)
        return job["JobId"]

    def DeleteRenderJob(self, job: Any) -> bool:
        left = [other for other in self.state.render_jobs if other["JobId"] != job]
        need(len(left) < len(self.state.render_jobs))
        self.state.render_jobs = left
        return True

    def DeleteAllRenderJobs(self) -> bool:
        self.state.render_jobs.clear()
        return True

    def GetRenderJobStatus(self, job: Any) -> dict[str, Any]:
        need(any(other["JobId"] == job for other in self.state.render_jobs))
        return {"JobStatus": "Ready", "CompletionPercentage": 0}

    def GetCurrentRenderMode(self) -> int:
        """Goes to the Deliver page, as measured on 19.1.3."""
        self.app.page = "deliver"
        return 1

    def SetCurrentRenderMode(self, mode: Any) -> bool:
        self.app.page = "deliver"
        return mode in (0, 1)

    def SetRenderSettings(self, settings: Any) -> bool:
        """False for the whole where the name is empty."""
        self.app.page = "deliver"
        return isinstance(settings, dict) and settings.get("CustomName", "name") not in ("", None)

    def RefreshLUTList(self) -> bool:
        return True

    def ExportCurrentFrameAsStill(self, path: Any) -> bool:
        """Writes a grey picture of the timeline's size: the emulator renders nothing."""
        target = Path(text(path))
        need(self.state.timeline and self.state.timeline.items() and target.suffix.lower() in _STILL_FORMATS)
        need(target.suffix.lower() in _DRAWN and target.parent.is_dir())
        size = [int(self.state.settings[f"timelineResolution{side}"]) for side in ("Height", "Width")]
        picture = np.full((*size, 3), 128, dtype=np.uint8)
        with av.open(str(target), "w", format="image2") as container:
            codec = {".png": "png", ".jpg": "mjpeg", ".tif": "tiff", ".bmp": "bmp"}[target.suffix.lower()]
            stream: Any = container.add_stream(codec, rate=1)
            stream.height, stream.width = size
            stream.pix_fmt = {"mjpeg": "yuvj420p", "bmp": "bgr24"}.get(codec, "rgb24")
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=stream.pix_fmt)
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return True

    def GetColorGroupsList(self) -> list[Group]:
        return list(self.state.groups)

    def AddColorGroup(self, name: Any) -> Group:
        need(text(name) and name not in [group.name for group in self.state.groups])
        group = Group(name=name)
        self.state.groups.append(group)
        return group

    def DeleteColorGroup(self, group: Any) -> bool:
        need(group in self.state.groups)
        self.state.groups.remove(group)
        group.gone = True
        for timeline in self.state.timelines:
            for item in timeline.items():
                item.group = "" if item.group == group.name else item.group
        return True
