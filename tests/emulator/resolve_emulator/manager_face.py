"""The class ProjectManager: the database of projects, and which of them is open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resolve_emulator import archive, editing
from resolve_emulator.application import UNTITLED
from resolve_emulator.face import Face, by_number, need, text

if TYPE_CHECKING:
    from resolve_emulator.state import Project

_DATABASE = {"DbType": "Disk", "DbName": "Local Database"}


class ManagerFace(Face):
    kind = "ProjectManager"
    label = "Project manager"
    bound = False

    def GetCurrentProject(self) -> Project:
        return self.app.project

    def CreateProject(self, name: Any, _location: Any = None) -> Project:
        """The new project is open, not saved; what was not saved of the one before is lost."""
        need(text(name) and name != UNTITLED and name not in {*self.app.library, self.app.project.name})
        self.app.open(self.app.new_project(name))
        return self.app.project

    def LoadProject(self, name: Any) -> Project:
        """The open project as it is, when it is asked for by its name."""
        if text(name) != self.app.project.name:
            self.app.open(archive.decoded(self.app.library[name]))
        return self.app.project

    def SaveProject(self) -> bool:
        """False for the untitled project (facts 1.5)."""
        need(self.app.project.name != UNTITLED)
        self._save()
        return True

    def CloseProject(self, project: Any) -> bool:
        """Closes without saving; an untitled project takes the place."""
        need(project is self.app.project)
        self.app.opened.discard(project.name)
        self.app.open(self.app.new_project(UNTITLED))
        return True

    def DeleteProject(self, name: Any) -> bool:
        """False for the open project, and for one that was left by opening another and not by closing it."""
        need(name in self.app.library and name not in self.app.opened)
        self.app.forget(name)
        return True

    def ExportProject(self, name: Any, path: Any, _stills: Any = True) -> bool:
        saved = archive.encoded(self.app.project) if name == self.app.project.name else self.app.library[name]
        Path(text(path)).write_text(json.dumps(saved))
        return True

    def ImportProject(self, path: Any, name: Any = None) -> bool:
        saved = json.loads(Path(text(path)).read_text())
        title = text(name) if name else saved["name"]
        need(title not in self.app.library)
        self.app.store(title, saved | {"name": title})
        return True

    def GetProjectListInCurrentFolder(self) -> list[str]:
        return sorted(self.app.library)

    def GetProjectsInCurrentFolder(self) -> dict[float, str]:
        return by_number(sorted(self.app.library))

    def GetFolderListInCurrentFolder(self) -> list[str]:
        return []

    def GetFoldersInCurrentFolder(self) -> dict[float, str]:
        return {}

    def GotoRootFolder(self) -> bool:
        return True

    def GetCurrentFolder(self) -> str:
        return ""

    def GetCurrentDatabase(self) -> dict[str, str]:
        return dict(_DATABASE)

    def GetDatabaseList(self) -> list[dict[str, str]]:
        return [dict(_DATABASE)]

    def SetCurrentDatabase(self, info: Any) -> bool:
        """Closes the open project."""
        need(info == _DATABASE)
        self.app.open(self.app.new_project(UNTITLED))
        return True

    def _save(self) -> None:
        for timeline in self.app.project.timelines:
            editing.delete(timeline, [item for item in timeline.items() if item in self.app.doomed], ripple=False)
        self.app.doomed.clear()
        self.app.project.saved = True
        self.app.store(self.app.project.name, archive.encoded(self.app.project) | {"ids": self.app.last_id})
