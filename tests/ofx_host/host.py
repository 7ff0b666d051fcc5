"""An OpenFX host that loads a bundle by ctypes and books whatever the effect does wrong.

It is written from the facts on OpenFX and on hosts, and shares nothing with the effect. What is wrong is kept in
`Host.violations`; a test that leaves the host with any fails.
"""

from __future__ import annotations

import _ctypes
import ctypes
import platform
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ofx_host import abi
from ofx_host.effects import Effect
from ofx_host.instances import Instance
from ofx_host.ledger import Ledger
from ofx_host.properties import PropertySet, many
from ofx_host.suites import FUNCTIONS, Memory, Mutex, structure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from ofx_host.profiles import Profile

_FOLDERS = {
    "linux": f"Linux-{platform.machine().replace('_', '-') if platform.machine() == 'x86_64' else platform.machine()}",
    "darwin": "MacOS",
    "win32": "Win64",
}


def binary(bundle: Path) -> Path:
    """The library in a bundle for this system."""
    return bundle / "Contents" / _FOLDERS[sys.platform] / bundle.name.removesuffix(".bundle")


class Violations(AssertionError):
    """The effect did what a host doesn't allow, or what would hurt it."""


class Host:
    """A host with one bundle loaded and described. A context manager; one at a time, since a library is loaded once."""

    def __init__(self, bundle: Path, profile: Profile, *, size: tuple[int, int] = (64, 48)) -> None:
        """bundle: a folder NAME.ofx.bundle; size: width and height of the project in pixels."""
        self.bundle, self.profile, self.size = bundle, profile, size
        self.ledger = Ledger(strings_expire=profile.strings_expire)
        self.messages: list[tuple[str, str, str]] = []
        """Action, type and text of each message."""
        self.contexts: dict[str, Effect] = {}
        """The descriptors of the contexts that host and effect share, by short name ('Filter')."""
        self.statuses: list[tuple[str, int]] = []
        """What each action came to."""
        self._suites: dict[tuple[str, int], int] = {}
        self._kept: list[Any] = []

    @property
    def violations(self) -> list[str]:
        return self.ledger.violations

    def __enter__(self) -> Self:
        try:
            self.load()
            self.describe()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            assert self.act("OfxActionUnload") in {abi.OK, abi.REPLY_DEFAULT}
        finally:
            self.close()
        for left in [*self.ledger.living(Memory), *self.ledger.living(Mutex)]:
            self.ledger.violate(f"{left} is left after unload")
        if error is None and self.violations:
            raise Violations("\n".join(dict.fromkeys(self.violations)))

    def load(self) -> None:
        """Open the library, hand over the host, and let the effect load."""
        self.open()
        status = self.act("OfxActionLoad")
        assert status in {abi.OK, abi.REPLY_DEFAULT}, f"load: {status}"

    def open(self) -> None:
        """Open the library and hand over the host."""
        self._build_suites()
        self.library = ctypes.CDLL(str(binary(self.bundle)))
        self.library.OfxGetPlugin.restype = ctypes.POINTER(abi.PluginStruct)
        assert self.library.OfxGetNumberOfPlugins() >= 1
        self.plugin: abi.PluginStruct = self.library.OfxGetPlugin(0).contents
        assert self.plugin.pluginApi == b"OfxImageEffectPluginAPI"
        assert self.plugin.apiVersion == 1
        self._struct = abi.HostStruct(self._properties().handle, abi.FETCH_SUITE(self._fetch_suite))
        self.plugin.setHost(ctypes.addressof(self._struct))
        self._main = self.plugin.mainEntry

    def describe(self) -> None:
        """Let the effect describe itself, then in each context that both know."""
        self.descriptor = Effect(self, "descriptor", self.bundle)
        status = self.act("OfxActionDescribe", self.descriptor)
        assert status == abi.OK, f"describe: {status}"
        for full in self.descriptor.properties["OfxImageEffectPropSupportedContexts"]:
            context = full.removeprefix("OfxImageEffectContext")
            if context not in self.profile.contexts:
                continue
            effect = Effect(self, f"descriptor of {context}", self.bundle)
            status = self.act(
                "OfxImageEffectActionDescribeInContext", effect, {"OfxImageEffectPropContext": full}
            )
            assert status == abi.OK, f"describe in {context}: {status}"
            self.contexts[context] = effect
        assert self.contexts, "the effect and this host share no context"

    def close(self) -> None:
        """Close the library, without telling the effect."""
        if hasattr(self, "library"):
            _ctypes.dlclose(self.library._handle)
            del self.library, self.plugin

    def act(
        self,
        action: str,
        effect: Effect | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> int:
        """The status of an action; without `inputs` or `outputs` the effect gets NULL for them."""
        status, _ = self.ask(action, effect, inputs, outputs)
        return status

    def ask(
        self, action: str, effect: Effect | None, inputs: Mapping[str, Any] | None, outputs: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        """The status of an action, and what the effect has set of `outputs`."""
        given = self._arguments(f"inputs of {action}", inputs, writable=())
        taken = self._arguments(f"outputs of {action}", outputs, writable=None)
        before = self.ledger.action
        self.ledger.local.action = action
        try:
            status: int = self._main(
                action.encode(), effect and effect.handle, given and given.handle, taken and taken.handle
            )
            self.ledger.end_call(self.ledger.begin_call())
        finally:
            self.ledger.local.action = before
        for each in (given, taken):
            if each:
                self.ledger.drop(each.handle)
        self.statuses.append((action, status))
        return status, {name: taken[name] for name in taken.written} if taken else {}

    @contextmanager
    def instance(self, context: str = "Filter", **values: Any) -> Iterator[Instance]:
        """An instance, created and in the end destroyed, with `values` of parameters by name."""
        made = Instance(self, context)
        for name, value in values.items():
            made.put(name, value)
        status = self.act("OfxActionCreateInstance", made.effect)
        assert status == abi.OK, f"create: {status}; Resolve shows no controls of such an effect"
        try:
            yield made
        finally:
            status = self.act("OfxActionDestroyInstance", made.effect)
            made.effect.drop()
            assert status == abi.OK, f"destroy: {status}"

    def effect(self, handle: int) -> Effect:
        return self.ledger.find(handle, Effect)

    def _arguments(self, name: str, values: Mapping[str, Any] | None, *, writable: Any) -> PropertySet | None:
        if values is None:
            return None
        values = {key: value for key, value in values.items() if key not in self.profile.absent}
        return PropertySet(self.ledger, name, values, writable=writable)

    def _fetch_suite(self, handle: int, name: bytes, version: int) -> int | None:
        if handle != self._host_handle:
            self.ledger.violate("fetchSuite: another handle than that of the host")
        return self._suites.get((name.decode(), version))

    def _build_suites(self) -> None:
        for suite in self.profile.suites:
            address, kept = structure(self, suite, FUNCTIONS[suite[0]](self))
            self._suites[suite] = address
            self._kept.append(kept)
            if suite == ("OfxMessageSuite", 2) and self.profile.hollow_messages:
                kept[0][1] = None  # type: ignore[index]

    def _properties(self) -> PropertySet:
        """Those of the host."""
        profile = self.profile
        values: dict[str, Any] = {
            "OfxPropType": "OfxTypeImageEffectHost",
            "OfxPropName": profile.name,
            "OfxPropLabel": profile.name,
            "OfxPropVersion": many("int", 21, 0, 4),
            "OfxPropVersionLabel": "21.0.4",
            "OfxPropAPIVersion": many("int", 1, 4),
            "OfxImageEffectHostPropIsBackground": int(profile.final),
            "OfxImageEffectPropSupportsOverlays": 0,
            "OfxImageEffectPropSupportsMultiResolution": int(profile.multi_resolution),
            "OfxImageEffectPropSupportsTiles": int(profile.tiles),
            "OfxImageEffectPropTemporalClipAccess": 1,
            "OfxImageEffectPropSupportedComponents": many(
                "string", *(f"OfxImageComponent{each}" for each in profile.components)
            ),
            "OfxImageEffectPropSupportedContexts": many(
                "string", *(f"OfxImageEffectContext{each}" for each in profile.contexts)
            ),
            "OfxImageEffectPropSupportedPixelDepths": many(
                "string", *(f"OfxBitDepth{each}" for each in profile.depths)
            ),
            "OfxImageEffectPropMultipleClipDepths": 0,
            "OfxImageEffectPropSupportsMultipleClipPARs": 0,
            "OfxImageEffectPropSetableFrameRate": 0,
            "OfxImageEffectPropSetableFielding": 0,
            "OfxParamHostPropMaxParameters": -1,
            "OfxParamHostPropMaxPages": 0,
            "OfxParamHostPropSupportsStringAnimation": 0,
            "OfxParamHostPropSupportsChoiceAnimation": 0,
            "OfxParamHostPropSupportsBooleanAnimation": 0,
            "OfxPropHostOSHandle": None,
        }
        values = {key: value for key, value in values.items() if key not in profile.absent}
        made = PropertySet(self.ledger, "host", values)
        self._host_handle = made.handle
        return made
