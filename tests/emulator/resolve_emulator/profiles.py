"""The builds of DaVinci Resolve that are emulated."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT = "19.1.3-studio"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One build and edition; `python` tells whether Python scripts run in it at all."""

    version: tuple[int, int, int]
    build: int
    studio: bool
    python: bool = True
    sandbox: bool = False
    """Whether Lua scripts run without io, require and the like (facts 2)."""

    @property
    def product(self) -> str:
        return "DaVinci Resolve Studio" if self.studio else "DaVinci Resolve"


PROFILES: dict[str, Profile] = {
    "18.6-studio": Profile(version=(18, 6, 6), build=7, studio=True),
    "19.1.3-studio": Profile(version=(19, 1, 3), build=7, studio=True),
    "21.0-free": Profile(version=(21, 0, 0), build=47, studio=False),
    "21.0-studio": Profile(version=(21, 0, 0), build=47, studio=True),
    "21.0.4-studio": Profile(version=(21, 0, 4), build=5, studio=True),
    "21.1-studio": Profile(version=(21, 1, 0), build=14, studio=True),
    "21.1-free": Profile(version=(21, 1, 0), build=17, studio=False, python=False, sandbox=True),
}
"""By the name that RESOLVE_PROFILE takes. Builds of 18.6 and 21.0.0 are made up; the others were measured (facts 1)."""


def profile_named(name: str) -> Profile:
    """Raises KeyError with the valid names."""
    if name not in PROFILES:
        raise KeyError(f"no profile {name!r}; there are {', '.join(PROFILES)}")
    return PROFILES[name]
