"""The bundles that `make openfx` and `make openfx-windows` build: their layout, their exports, and what they need."""

from __future__ import annotations

import ctypes
import os
import platform
import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "plugin/openfx/source"
EXPORTS = {"OfxGetNumberOfPlugins", "OfxGetPlugin", "OfxSetHost"}
C_LIBRARY = {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libdl.so.2", "libpthread.so.0"}
# Ends the host, takes over its signals, copies it, leaves a thread in it, or runs a shell.
DANGEROUS = {
    *("abort", "exit", "_exit", "_Exit", "quick_exit", "raise", "kill", "__assert_fail", "longjmp", "atexit"),
    *("signal", "sigaction", "sigprocmask", "pthread_sigmask", "fork", "vfork", "system", "popen", "pthread_create"),
}
# The start of the sidecar calls some in the new process; whether another process lives is asked by signal 0.
EXCEPTIONS = {"start_posix": {"_exit", "signal", "sigprocmask", "pthread_sigmask"}, "mapping_posix": {"kill"}}
WINDOWS_LIBRARIES = {"KERNEL32.dll", "msvcrt.dll", "WS2_32.dll", "ADVAPI32.dll", "SHELL32.dll", "bcrypt.dll"}

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads ELF files")


def make(target: str) -> Path:
    subprocess.run(["make", "-s", target], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return ROOT / "build" / target / "SnapUpscale.ofx.bundle"


def output(*command: Path | str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


@pytest.fixture(scope="module")
def bundle() -> Path:
    if shutil.which("cmake") is None:
        pytest.skip("no cmake")
    return make("openfx")


@pytest.fixture(scope="module")
def library(bundle: Path) -> Path:
    system = {"darwin": "MacOS", "linux": f"Linux-{platform.machine().replace('_', '-')}"}[sys.platform]
    return bundle / "Contents" / system / "SnapUpscale.ofx"


def test_the_bundle_is_laid_out_as_hosts_look_for_it(bundle: Path, library: Path) -> None:
    contents = bundle / "Contents"
    found = {path.relative_to(contents) for path in contents.rglob("*") if path.is_file()} - {
        Path("Resources/sidecar.command")
    }

    assert found == {library.relative_to(contents), Path("Info.plist"), Path("Resources/LICENSE.txt")}
    assert os.access(library, os.X_OK)


def test_info_names_the_library_and_the_version_of_the_plug_in(bundle: Path, library: Path) -> None:
    info = plistlib.loads((bundle / "Contents/Info.plist").read_bytes())
    header = (SOURCE / "describe.h").read_text()
    version = ".".join(re.findall(r"#define SU_VERSION_M\w+ (\d+)", header))

    assert info["CFBundleExecutable"] == library.name
    assert info["CFBundlePackageType"] == "BNDL"
    assert info["CFBundleVersion"] == info["CFBundleShortVersionString"] == version
    assert f'"{version}"' in (SOURCE / "describe.c").read_text()
    assert float(info["LSMinimumSystemVersion"]) >= 11


@linux
def test_nothing_is_exported_but_what_hosts_look_for(library: Path) -> None:
    assert {line.split()[-1] for line in output("nm", "-D", "--defined-only", library).splitlines()} == EXPORTS


@linux
def test_nothing_is_needed_but_the_c_library(library: Path) -> None:
    assert set(re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-d", library))) <= C_LIBRARY


@linux
def test_nothing_is_called_that_could_take_the_host_down(bundle: Path) -> None:
    objects = {path.name.split(".")[0]: output("nm", "-u", path).split() for path in bundle.parent.rglob("*.c.o")}

    assert objects.keys() >= {path.stem for path in SOURCE.glob("*.c") if "_windows" not in path.name}
    assert "memmove" in objects["images"]
    for name, called in objects.items():
        assert not (set(called) & DANGEROUS) - EXCEPTIONS.get(name, set()), name


@linux
def test_the_stack_is_not_executable(library: Path) -> None:
    stack = next(line for line in output("readelf", "-lW", library).splitlines() if "GNU_STACK" in line)

    assert "RWE" not in stack


LOADED = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
class Plugin(ctypes.Structure):
    _fields_ = [("api", ctypes.c_char_p), ("api_version", ctypes.c_int), ("identifier", ctypes.c_char_p),
                ("major", ctypes.c_uint), ("minor", ctypes.c_uint), ("set_host", ctypes.c_void_p),
                ("entry", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, *[ctypes.c_void_p] * 3))]
library.OfxGetPlugin.restype = ctypes.POINTER(Plugin)
assert library.OfxGetNumberOfPlugins() == 1
assert not library.OfxGetPlugin(1) and not library.OfxGetPlugin(-1)
plugin = library.OfxGetPlugin(0).contents
assert (plugin.api, plugin.api_version) == (b"OfxImageEffectPluginAPI", 1)
assert (plugin.identifier, plugin.major, plugin.minor) == (b"com.snapupscale.restore", 1, 0)
ask = lambda action: plugin.entry(action, None, None, None)
assert library.OfxSetHost(None) == 0
print(ask(b"OfxActionLoad"), ask(b"OfxActionDescribe"), ask(b"OfxImageEffectActionRender"), ask(b"OfxActionUnload"))
"""


def test_without_a_host_it_refuses_and_lives(library: Path) -> None:
    assert output(sys.executable, "-c", LOADED, library).split() == ["4", "1", "1", "0"]


@pytest.mark.parametrize(
    ("module", "resources"),
    [
        ("/a/S.ofx.bundle/Contents/Linux-x86-64/S.ofx", "/a/S.ofx.bundle/Contents/Resources"),
        ("C:\\Ü\\S.ofx.bundle\\Contents\\Win64\\S.ofx", "C:\\Ü\\S.ofx.bundle\\Contents\\Resources"),
        ("/a//b//S.ofx", "/a//Resources"),
        ("/S.ofx", None),
        ("S.ofx", None),
        ("", None),
    ],
)
def test_resources_lie_beside_the_folder_of_the_library(tmp_path: Path, module: str, resources: str | None) -> None:
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "b.so", SOURCE / "bundle.c"], check=True)
    find = ctypes.CDLL(str(tmp_path / "b.so")).su_bundle_resources_of
    find.restype = ctypes.c_bool
    path = ctypes.create_string_buffer(module.encode(), 256)

    found = find(path, ctypes.c_size_t(256))

    assert (path.value.decode() if found else None) == resources


def test_a_path_too_long_for_its_buffer_is_refused(tmp_path: Path) -> None:
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "b.so", SOURCE / "bundle.c"], check=True)
    find = ctypes.CDLL(str(tmp_path / "b.so")).su_bundle_resources_of
    find.restype = ctypes.c_bool
    module = b"/abc/x/y"

    assert [find(ctypes.create_string_buffer(module, 32), ctypes.c_size_t(room)) for room in (14, 15)] == [False, True]


def test_the_windows_bundle_builds_exports_the_same_and_needs_windows_alone() -> None:
    if shutil.which("x86_64-w64-mingw32-gcc") is None or shutil.which("cmake") is None:
        pytest.skip("no mingw-w64")
    library = make("openfx-windows") / "Contents/Win64/SnapUpscale.ofx"
    said = output("x86_64-w64-mingw32-objdump", "-p", library)

    assert set(re.findall(r"^\t\[ *\d+\] (?:\+base\[ *\d+\] +[0-9a-f]{4} )?(\w+)$", said, re.MULTILINE)) == EXPORTS
    assert set(re.findall(r"DLL Name: (\S+)", said)) <= WINDOWS_LIBRARIES


@pytest.mark.parametrize("path", sorted(SOURCE.glob("*.[ch]")), ids=lambda path: path.name)
def test_files_stay_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 400
    assert max(map(len, lines)) <= 125
