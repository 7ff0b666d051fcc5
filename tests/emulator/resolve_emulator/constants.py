"""The constants that scripts read off the Resolve object, such as resolve.EXPORT_EDL."""

from __future__ import annotations

from functools import cache

GROUPS: tuple[str, ...] = (
    "KEYFRAME_MODE_: ALL COLOR SIZING",
    "CLOUD_SETTING_: PROJECT_NAME PROJECT_MEDIA_PATH IS_COLLAB SYNC_MODE IS_CAMERA_ACCESS",
    "CLOUD_SYNC_: NONE PROXY_ONLY PROXY_AND_ORIG",
    "AUDIO_SYNC_: MODE CHANNEL_NUMBER RETAIN_EMBEDDED_AUDIO RETAIN_VIDEO_METADATA",
    "AUDIO_SYNC_: WAVEFORM TIMECODE",
    "EXPORT_: AAF DRT EDL FCP_7_XML FCPXML_1_8 FCPXML_1_9 FCPXML_1_10 HDR_10_PROFILE_A HDR_10_PROFILE_B TEXT_CSV"
    " TEXT_TAB DOLBY_VISION_VER_2_9 DOLBY_VISION_VER_4_0 DOLBY_VISION_VER_5_1 OTIO ALE ALE_CDL",
    "EXPORT_: NONE AAF_NEW AAF_EXISTING CDL SDL MISSING_CLIPS",
    "EXPORT_LUT_: 17PTCUBE 33PTCUBE 65PTCUBE PANASONICVLUT",
    "SUBTITLE_: LANGUAGE CAPTION_PRESET CHARS_PER_LINE LINE_BREAK GAP",
    "AUTO_CAPTION_: AUTO DANISH DUTCH ENGLISH FRENCH GERMAN ITALIAN JAPANESE KOREAN MANDARIN_SIMPLIFIED"
    " MANDARIN_TRADITIONAL NORWEGIAN PORTUGUESE RUSSIAN SPANISH SWEDISH",
    "AUTO_CAPTION_: SUBTITLE_DEFAULT TELETEXT NETFLIX",
    "AUTO_CAPTION_LINE_: SINGLE DOUBLE",
    "DLB_: BLEND_SHOTS",
)
"""Each group counts from 0. The order is that of the reference; values other than these groups' own are not known."""

FIXED: dict[str, float] = {
    "CACHE_AUTO_ENABLED": -1.0,
    "CACHE_DISABLED": 0.0,
    "CACHE_ENABLED": 1.0,
    "AUDIO_SYNC_CHANNEL_AUTOMATIC": -1.0,
    "AUDIO_SYNC_CHANNEL_MIX": -2.0,
} | {
    f"CLOUD_SYNC_{name}": float(value)
    for value, name in enumerate(
        (
            "DEFAULT", "DOWNLOAD_IN_QUEUE", "DOWNLOAD_IN_PROGRESS", "DOWNLOAD_SUCCESS", "DOWNLOAD_FAIL",
            "DOWNLOAD_NOT_FOUND", "UPLOAD_IN_QUEUE", "UPLOAD_IN_PROGRESS", "UPLOAD_SUCCESS",
            "UPLOAD_FAIL", "UPLOAD_NOT_FOUND", "SUCCESS",
        ),
        start=-1,
    )
}

MARKERS = (
    "MARKER_: NONE BLUE CYAN GREEN YELLOW RED PINK PURPLE FUCHSIA ROSE LAVENDER SKY MINT LEMON SAND COCOA CREAM"
)
"""Documented, but seen in no build before 21.1 (facts 1.1)."""

_MISSING_BEFORE_21_1 = {"EXPORT_ALE", "EXPORT_ALE_CDL"}


@cache
def of(kind: str, version: tuple[int, int, int]) -> dict[str, float]:
    """The constants of the class `kind` in a build: Resolve alone has some."""
    if kind != "Resolve":
        return {}
    latest = version >= (21, 1, 0)
    found = dict(FIXED)
    for group in (*GROUPS, MARKERS) if latest else GROUPS:
        prefix, names = group.split(": ")
        found |= {prefix + name: float(value) for value, name in enumerate(names.split())}
    return {name: value for name, value in found.items() if latest or name not in _MISSING_BEFORE_21_1}
