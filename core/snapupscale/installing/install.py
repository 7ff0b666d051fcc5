"""Installing and uninstalling: first the steps as data, which a dry run only shows, then the steps made."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from snapupscale import files
from snapupscale.errors import OutputError, OutputUnwritable
from snapupscale.installing import manifest
from snapupscale.installing.manifest import Entry, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from snapupscale.installing.places import Place

_ASIDE = ".before-snapupscale"
"""How the name ends of somebody else's file while ours is in its place: no editor lists it."""
_FILE, _FOLDER = 0o644, 0o755
_HINTS = {
    True: "Run it as an administrator (with sudo on macOS and Linux), or leave out --all.",
    False: "Change the permissions of that folder; if an administrator has made it, run the command with --all.",
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change of a file: `target` is where it is moved to, or what is moved back to it. `leave` changes nothing: the
    file was edited since it was installed."""

    action: Literal["keep", "write", "back up", "remove", "restore", "leave"]
    path: Path
    target: Path | None = None

    def __str__(self) -> str:
        return f"{self.action:<8} {self.path}" + (f" -> {self.target.name}" if self.target else "")


def install(
    place: Place, content: Mapping[Path, bytes], *, everybody: bool = False, dry_run: bool = False
) -> tuple[Step, ...]:
    """Write the files in `content` at `place`; gives what was, or with `dry_run` would be, done.

    A file that is there already as it should be is kept, one of an earlier installation replaced or removed, and one of
    somebody else's moved aside until `uninstall`. Raises OutputUnwritable or DiskFull; where nothing was installed
    before, nothing is then left either.
    """
    before = manifest.read(place)
    steps, after = _steps(content, before or Manifest())
    if dry_run or (after.files == (before or Manifest()).files and all(step.action == "keep" for step in steps)):
        return steps
    after = replace(after, folders=tuple(dict.fromkeys([*after.folders, *map(str, _missing(content))])))
    try:
        _make_all(place, steps, content, before or Manifest(), after)
        if everybody and os.name == "posix":
            _open_to_all([*content, place.library / manifest.NAME], after.folders)
    except (OSError, OutputError) as error:
        if before is None:
            with suppress(OSError, OutputError):
                _clear(place, after)
        raise _explained(error, place, everybody) from error
    return steps


def uninstall(place: Place, *, everybody: bool = False, dry_run: bool = False) -> tuple[Step, ...] | None:
    """Remove what was installed at `place`, and move back what was there before; gives what was done, or would be. None
    where nothing was installed. Files that were edited since stay. Raises OutputUnwritable."""
    found = manifest.read(place)
    if found is None:
        return None
    steps = tuple(step for name, entry in reversed([*found.files.items()]) for step in _removal(Path(name), entry))
    if dry_run:
        return steps
    try:
        for step in steps:
            _make(step, {})
        (place.library / manifest.NAME).unlink()
        _remove_folders(found.folders)
    except OSError as error:
        raise _explained(error, place, everybody) from error
    return steps


def _steps(content: Mapping[Path, bytes], before: Manifest) -> tuple[tuple[Step, ...], Manifest]:
    """What is to be done, and the record once it is."""
    steps: list[Step] = []
    entries: dict[str, Entry] = {}
    for path, data in content.items():
        known, there = before.files.get(str(path)), _hash(path)
        entry = Entry(sha256=manifest.sha256(data), backup=known.backup if known else "")
        if there == entry.sha256:
            steps.append(Step(action="keep", path=path))
        else:
            if there is not None and (known is None or there not in {known.sha256, known.earlier}):
                aside = _aside(path)
                steps.append(Step(action="back up", path=path, target=aside))
                if not entry.backup or _hash(path.with_name(entry.backup)) is None:
                    entry = replace(entry, backup=aside.name)
            steps.append(Step(action="write", path=path))
        entries[str(path)] = entry
    for name, entry in before.files.items():
        if name not in entries:
            steps += _removal(Path(name), entry)
    return tuple(steps), Manifest(files=entries, folders=before.folders)


def _removal(path: Path, entry: Entry) -> list[Step]:
    there = _hash(path)
    if there not in {None, entry.sha256, entry.earlier or None}:
        return [Step(action="leave", path=path)]
    steps = [Step(action="remove", path=path)] if there else []
    backup = path.with_name(entry.backup) if entry.backup else None
    if backup is not None and _hash(backup) is not None:
        steps.append(Step(action="restore", path=path, target=backup))
    return steps


def _make_all(
    place: Place, steps: Iterable[Step], content: Mapping[Path, bytes], before: Manifest, after: Manifest
) -> None:
    for folder in dict.fromkeys(path.parent for path in content):
        files.make_folder(folder)
    # Written first as well, so that what is left of an installation that was killed is known to be ours.
    manifest.write(place, _between(before, after))
    for step in steps:
        _make(step, content)
    manifest.write(place, after)


def _make(step: Step, content: Mapping[Path, bytes]) -> None:
    if step.action == "write":
        files.write_bytes(step.path, content[step.path])
    elif step.action == "back up" and step.target is not None:
        step.path.rename(step.target)
    elif step.action == "restore" and step.target is not None:
        step.target.rename(step.path)
    elif step.action == "remove":
        step.path.unlink()
        _remove_compiled(step.path)


def _clear(place: Place, made: Manifest) -> None:
    """Take back an installation that failed half-way, and that was the first."""
    for name, entry in made.files.items():
        for step in _removal(Path(name), entry):
            _make(step, {})
    (place.library / manifest.NAME).unlink(missing_ok=True)
    _remove_folders(made.folders)


def _between(before: Manifest, after: Manifest) -> Manifest:
    """The record while the change goes on: each file is as before, or as after."""
    entries = dict(before.files)
    for name, entry in after.files.items():
        known = before.files.get(name)
        entries[name] = replace(entry, earlier=known.sha256) if known else entry
    return Manifest(files=entries, folders=after.folders)


def _open_to_all(paths: Iterable[Path], folders: Iterable[str]) -> None:
    """Let every user read it, whatever the administrator's files are like."""
    for path in paths:
        path.chmod(_FILE)
    for folder in folders:
        Path(folder).chmod(_FOLDER)


def _remove_folders(folders: Iterable[str]) -> None:
    for folder in reversed(list(folders)):
        with suppress(OSError):  # not empty, or gone
            Path(folder).rmdir()


def _remove_compiled(path: Path) -> None:
    """What the editor's Python made of a module when it was loaded."""
    cache = path.parent / "__pycache__"
    for compiled in cache.glob(f"{path.stem}.*.pyc") if path.suffix == ".py" else ():
        compiled.unlink()
    with suppress(OSError):
        cache.rmdir()


def _missing(paths: Iterable[Path]) -> list[Path]:
    """The folders that must be made for `paths`, outer ones first."""
    return sorted({folder for path in paths for folder in path.parents if not folder.exists()})


def _aside(path: Path) -> Path:
    """A free name beside `path`."""
    number, aside = 1, path.with_name(path.name + _ASIDE)
    while os.path.lexists(aside):
        number += 1
        aside = path.with_name(f"{path.name}{_ASIDE}-{number}")
    return aside


def _hash(path: Path) -> str | None:
    """The hash of the file at `path`: None where nothing is, an empty string for what can't be read as a file."""
    try:
        return manifest.sha256(path.read_bytes())
    except OSError:
        return "" if os.path.lexists(path) else None


def _explained(error: OSError | OutputError, place: Place, everybody: bool) -> OutputError:
    if isinstance(error, OSError):
        error = files.output_error(error, Path(error.filename or place.menu))
    return OutputUnwritable(str(error), hint=_HINTS[everybody]) if isinstance(error, OutputUnwritable) else error
