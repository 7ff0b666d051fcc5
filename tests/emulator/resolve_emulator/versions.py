"""Which methods each build of DaVinci Resolve has: those of 21.0 less what came later, and what came after 21.0."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from resolve_emulator.surface import METHODS, Method, read_methods

if TYPE_CHECKING:
    from collections.abc import Iterator

Version = tuple[int, int, int]

SINCE: dict[Version, dict[str, str]] = {
    (19, 0, 0): {
        "TimelineItem": "GetLinkedItems GetTrackTypeAndIndex GetNodeGraph GetColorGroup AssignToColorGroup"
        " RemoveFromColorGroup ExportLUT GetSourceAudioChannelMapping GetIsColorOutputCacheEnabled"
        " GetIsFusionOutputCacheEnabled SetColorOutputCache SetFusionOutputCache",
        "Project": "GetColorGroupsList AddColorGroup DeleteColorGroup",
        "Timeline": "GetNodeGraph GetMediaPoolItem GetTrackSubType AnalyzeDolbyVision",
        "Graph": "*",
        "ColorGroup": "*",
        "MediaPoolItem": "GetAudioMapping",
        "Resolve": "GetKeyframeMode SetKeyframeMode",
    },
    (19, 0, 2): {
        "TimelineItem": "GetSourceStartFrame GetSourceEndFrame GetSourceStartTime GetSourceEndTime",
        "MediaPool": "GetSelectedClips SetSelectedClip",
    },
    (19, 1, 0): {
        "Timeline": "GetMarkInOut SetMarkInOut ClearMarkInOut",
        "MediaPoolItem": "GetMarkInOut SetMarkInOut ClearMarkInOut",
        "Project": "GetQuickExportRenderPresets RenderWithQuickExport",
        "MediaPool": "AutoSyncAudio",
        "Gallery": "GetGalleryPowerGradeAlbums CreateGalleryStillAlbum CreateGalleryPowerGradeAlbum",
    },
    (20, 0, 0): {"MediaPoolItem": "LinkFullResolutionMedia ReplaceClipPreserveSubClip MonitorGrowingFile"},
    (20, 1, 0): {
        "Timeline": "GetVoiceIsolationState SetVoiceIsolationState",
        "TimelineItem": "GetVoiceIsolationState SetVoiceIsolationState",
    },
    (20, 2, 0): {
        "TimelineItem": "SetName ResetAllNodeColors",
        "MediaPoolItem": "SetName",
        "Resolve": "GetFairlightPresets",
        "Project": "ApplyFairlightPresetToCurrentTimeline",
    },
    (20, 3, 0): {"GalleryStillAlbum": "ImportStills"},
    (21, 0, 0): {
        "Resolve": "DisableBackgroundTasksForCurrentResolveSession",
        "Project": "ResetIntellisearchAnalysis GenerateSpeech",
        "Folder": "PerformAudioClassification ClearAudioClassification RemoveMotionBlur AnalyzeForIntellisearch"
        " AnalyzeForSlate",
        "MediaPoolItem": "PerformAudioClassification ClearAudioClassification RemoveMotionBlur AnalyzeForIntellisearch"
        " AnalyzeForSlate",
    },
}
"""Methods of 21.0 that earlier builds lack, by the version that added them; `*` is the whole class.

Facts 1.6 name the families; where they name a family alone, its members are those of the stubs that belong to it.
"""

SUBFRAMES_SINCE: Version = (19, 0, 2)
"""The subframe_precision argument of GetStart and its like."""

ADDED: dict[Version, dict[str, str]] = {
    (21, 0, 4): {
        "Timeline": "GetSelectedClips() list",
        "MediaPoolItem": "GetTimeline() object",
    },
    (21, 1, 0): {
        "Resolve": """
            GetCurrentProject() object; GetCurrentTimeline() object; GetMediaPool() object; GetGallery() object;
            SetHighPriority(highPriority) bool; IsStudio() bool; GetLayoutPresetList() list;
            GetBurnInPresetList() list; DeleteBurnInPreset(presetName) bool; GetKeyboardPresetList() list;
            LoadKeyboardPreset(presetName) bool; DeleteKeyboardPreset(presetName) bool;
            GetCurrentKeyboardPreset() text; ImportKeyboardPreset(filePath, presetName?) bool;
            ExportKeyboardPreset(presetName, exportPath) bool; ValidateDCTL(dctlSource) text;
            EncryptDCTL(inputPath, encryptDCTLOptions?) bool; GetUserPreferencesPresetList() list;
            LoadUserPreferencesPreset(presetName) bool; SaveUserPreferencesPreset(presetName) bool;
            DeleteUserPreferencesPreset(presetName) bool; ImportUserPreferencesPreset(filePath, presetName?) bool;
            ExportUserPreferencesPreset(presetName, exportPath) bool
        """,
        "ProjectManager": """
            GetProjectLastModifiedTime(projectName) number; GetProjectAttributesInCurrentFolder() dict
        """,
        "Project": """
            GetProjectSettingsPresetList() list; SetProjectSettingsPreset(presetName) bool;
            DeleteProjectSettingsPreset(presetName) bool; SaveCurrentProjectSettingsAsNewPreset(presetName) bool;
            UpdateProjectSettingsPreset(presetName) bool; ExportProjectSettingsPreset(presetName, exportPath) bool;
            ImportProjectSettingsPreset(presetFilePath, presetName?) bool; UpdateRenderPreset(presetName) bool;
            SetQuickExportEnabledForRenderPreset(presetName, isEnabled) bool; GetSettings() dict;
            SetSettings(settings) bool; GetAudioRenderFormats() dict;
            GetAudioRenderCodecs(audioRenderFormatFileExtension) dict
        """,
        "MediaPool": "CreateMulticamClip(clips, multicamOptions) list",
        "MediaPoolItem": """
            SetAudioMapping(audioMapping) bool; GetTranscription(useNestedClipTranscription?) dict
        """,
        "Timeline": """
            NormalizeAudioLevel(timelineItems, normalizeAudioOptions?) bool;
            AutoAlignClips(timelineItems, autoAlignOptions?) bool; GetNormalizeAudioModes() list; GetSettings() dict;
            SetSettings(settings) bool; SetOutputBlanking(outputBlanking) bool; GetOutputBlanking() dict
        """,
        "TimelineItem": """
            GetType() text; AddTransition(transitionOptions) object; SetProperties(properties) bool;
            GetProperties() dict; SetSpeed(speedOptions) bool; GetSpeed() dict;
            SetSourceAudioChannelMapping(audioMapping) bool; SetOutputBlanking(outputBlanking) bool;
            GetOutputBlanking() dict; SetUseTimelineForOutputBlanking(useTimelineOutputBlanking) bool;
            GetUseTimelineForOutputBlanking() bool; PerformMulticamSmartSwitch(smartSwitchSettings) bool;
            FlattenMulticam(gradeOption) bool; GetFades() dict; SetFades(fades) bool
        """,
        "MediaStorage": """
            StartCloneMedia(sourceDir, targetDirs) bool; SetCloneToolSettings(cloneToolSettings?) bool;
            StopCloneMedia() bool; GetCloneStatus() dict
        """,
    },
}
"""Methods that came after 21.0.0, in the notation of `METHODS`."""

_SUBFRAME_METHODS = ("GetStart", "GetEnd", "GetDuration", "GetLeftOffset", "GetRightOffset")


@cache
def methods_of(kind: str, version: Version) -> dict[str, Method]:
    """The methods of the class `kind` in a build, by name."""
    found = read_methods(METHODS.get(kind, ""))
    for name in set(_later(kind, version)):
        if name == "*":
            return {}
        found.pop(name, None)
    for since, classes in ADDED.items():
        if version >= since:
            found |= read_methods(classes.get(kind, ""))
    if kind == "TimelineItem" and version < SUBFRAMES_SINCE:
        found |= read_methods("; ".join(f"{name}() number" for name in _SUBFRAME_METHODS))
    return found


def _later(kind: str, version: Version) -> Iterator[str]:
    for since, classes in SINCE.items():
        if version < since:
            yield from classes.get(kind, "").split()
