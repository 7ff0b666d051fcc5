"""The scripting methods of DaVinci Resolve 21.0, by class: names, positional parameters, kinds of the answer.

Written from the signatures of fusionscript-stubs 21.0.0. `name?` may be left out, `*` takes any further arguments. The
kind tells which value means that a call failed: bool False, object None, list [], dict {}, text '', number 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

METHODS: dict[str, str] = {
    "Resolve": """
        Fusion() object; GetMediaStorage() object; GetProjectManager() object; OpenPage(pageName) bool;
        GetCurrentPage() text; GetProductName() text; GetVersion() list; GetVersionString() text;
        LoadLayoutPreset(presetName) bool; UpdateLayoutPreset(presetName) bool; ExportLayoutPreset(presetName,
        presetFilePath) bool; DeleteLayoutPreset(presetName) bool; SaveLayoutPreset(presetName) bool;
        ImportLayoutPreset(presetFilePath, presetName?) bool; Quit() none; ImportRenderPreset(presetPath) bool;
        ExportRenderPreset(presetName, exportPath) bool; ImportBurnInPreset(presetPath) bool;
        ExportBurnInPreset(presetName, exportPath) bool; GetKeyframeMode() number; SetKeyframeMode(keyframeMode)
        bool; GetFairlightPresets() list; DisableBackgroundTasksForCurrentResolveSession() none
    """,
    "ProjectManager": """
        ArchiveProject(projectName, filePath, isArchiveSrcMedia?, isArchiveRenderCache?, isArchiveProxyMedia?) bool;
        CreateProject(projectName, mediaLocationPath?) object; DeleteProject(projectName) bool;
        LoadProject(projectName) object; GetCurrentProject() object; SaveProject() bool; CloseProject(project) bool;
        CreateFolder(folderName) bool; DeleteFolder(folderName) bool; GetProjectListInCurrentFolder() list;
        GetProjectsInCurrentFolder() dict; GetFolderListInCurrentFolder() list; GetFoldersInCurrentFolder() dict;
        GotoRootFolder() bool; GotoParentFolder() bool; GetCurrentFolder() text; OpenFolder(folderName) bool;
        ImportProject(filePath, projectName?) bool; ExportProject(projectName, filePath, withStillsAndLUTs?) bool;
        RestoreProject(filePath, projectName?) bool; GetCurrentDatabase() dict; GetDatabaseList() list;
        SetCurrentDatabase(dbInfo) bool; CreateCloudProject(cloudSettings) object; LoadCloudProject(cloudSettings)
        object; ImportCloudProject(filePath, cloudSettings) bool; RestoreCloudProject(folderPath, cloudSettings)
        bool
    """,
    "Project": """
        GetMediaPool() object; GetTimelineCount() number; GetTimelineByIndex(idx) object; GetCurrentTimeline()
        object; SetCurrentTimeline(timeline) bool; GetGallery() object; GetName() text; SetName(projectName) bool;
        GetPresetList() list; GetPresets() dict; SetPreset(presetName) bool; AddRenderJob() text;
        DeleteRenderJob(jobId) bool; DeleteRenderJobByIndex(idx) bool; DeleteAllRenderJobs() bool;
        GetRenderJobList() list; GetRenderJobs() dict; GetRenderPresetList() list; GetRenderPresets() dict;
        StartRendering(jobIds?, isInteractiveMode?, *) bool; StopRendering() none; IsRenderingInProgress() bool;
        LoadRenderPreset(presetName) bool; SaveAsNewRenderPreset(presetName) bool; DeleteRenderPreset(presetName)
        bool; SetRenderSettings(settings) bool; GetRenderJobStatus(jobId) dict; GetQuickExportRenderPresets() list;
        RenderWithQuickExport(preset_name, param_dict?) dict; GetSetting(settingName?) text; SetSetting(settingName,
        settingValue, *) bool; GetRenderFormats() dict; GetRenderCodecs(renderFormat) dict;
        GetCurrentRenderFormatAndCodec() dict; SetCurrentRenderFormatAndCodec(format, codec) bool;
        GetCurrentRenderMode() number; SetCurrentRenderMode(renderMode) bool; GetRenderResolutions(format?, codec?)
        list; RefreshLUTList() bool; GetUniqueId() text; InsertAudioToCurrentTrackAtPlayhead(mediaPath,
        startOffsetInSamples, durationInSamples) bool; LoadBurnInPreset(presetName) bool;
        ExportCurrentFrameAsStill(filePath) bool; GetColorGroupsList() list; AddColorGroup(groupName) object;
        DeleteColorGroup(colorGroup) bool; ApplyFairlightPresetToCurrentTimeline(name) bool;
        ResetIntellisearchAnalysis() bool; GenerateSpeech(speechGenerationSettings, timecode?) object
    """,
    "MediaStorage": """
        GetMountedVolumeList() list; GetMountedVolumes() dict; GetSubFolderList(folderPath) list;
        GetSubFolders(folderPath) dict; GetFileList(folderPath) list; GetFiles(folderPath) dict;
        RevealInStorage(path) bool; AddItemListToMediaPool(items, *) list; AddItemsToMediaPool(items, *) dict;
        AddClipMattesToMediaPool(mediaPoolItem, paths, stereoEye?) bool; AddTimelineMattesToMediaPool(paths) list
    """,
    "MediaPool": """
        GetRootFolder() object; AddSubFolder(folder, name) object; RefreshFolders() bool; CreateEmptyTimeline(name)
        object; AppendToTimeline(clips, *) list; CreateTimelineFromClips(name, clips?, *) object;
        ImportTimelineFromFile(filePath, importOptions?) object; DeleteTimelines(timeline) bool; GetCurrentFolder()
        object; SetCurrentFolder(folder) bool; DeleteClips(clips) bool; ImportFolderFromFile(filePath,
        sourceClipsPath?) bool; DeleteFolders(subfolders) bool; MoveClips(clips, targetFolder) bool;
        MoveFolders(folders, targetFolder) bool; GetClipMatteList(mediaPoolItem) list; GetTimelineMatteList(folder)
        list; DeleteClipMattes(mediaPoolItem, paths) bool; RelinkClips(mediaPoolItem, folderPath) bool;
        UnlinkClips(mediaPoolItem) bool; ImportMedia(items) list; ExportMetadata(fileName, clips?) bool;
        GetUniqueId() text; CreateStereoClip(LeftMediaPoolItem, RightMediaPoolItem) object;
        AutoSyncAudio(MediaPoolItems, audioSyncSettings) bool; GetSelectedClips() list;
        SetSelectedClip(mediaPoolItem) bool
    """,
    "Folder": """
        GetClipList() list; GetClips() dict; GetName() text; GetSubFolderList() list; GetSubFolders() dict;
        GetIsFolderStale() bool; GetUniqueId() text; Export(filePath) bool; TranscribeAudio(useSpeakerDetection?)
        bool; ClearTranscription() bool; PerformAudioClassification() bool; ClearAudioClassification() bool;
        RemoveMotionBlur(deblurOption?) list; AnalyzeForIntellisearch(identifyFaces, isBetterMode) bool;
        AnalyzeForSlate(markerColor) bool
    """,
    "MediaPoolItem": """
        GetName() text; SetName(name) bool; GetMetadata(metadataType?) text; SetMetadata(metadataType,
        metadataValue?) bool; GetThirdPartyMetadata(metadataType?) text; SetThirdPartyMetadata(metadataType,
        metadataValue?) bool; GetMediaId() text; AddMarker(frameId, color, name, note, duration, customData?) bool;
        GetMarkers() dict; GetMarkerByCustomData(customData) dict; UpdateMarkerCustomData(frameId, customData) bool;
        GetMarkerCustomData(frameId) text; DeleteMarkersByColor(color) bool; DeleteMarkerAtFrame(frameNum) bool;
        DeleteMarkerByCustomData(customData) bool; AddFlag(color) bool; GetFlagList() list; GetFlags() dict;
        ClearFlags(color) bool; GetClipColor() text; SetClipColor(colorName) bool; ClearClipColor() bool;
        GetClipProperty(propertyName?) text; SetClipProperty(propertyName, propertyValue, *) bool;
        LinkProxyMedia(proxyMediaFilePath) bool; LinkFullResolutionMedia(fullResMediaPath) bool; UnlinkProxyMedia()
        bool; ReplaceClip(filePath) bool; ReplaceClipPreserveSubClip(filePath) bool; GetUniqueId() text;
        TranscribeAudio(useSpeakerDetection?) bool; ClearTranscription() bool; PerformAudioClassification() bool;
        ClearAudioClassification() bool; GetAudioMapping() text; GetMarkInOut() dict; SetMarkInOut(mark_in,
        mark_out, type?) bool; ClearMarkInOut(type?) bool; MonitorGrowingFile() bool;
        RemoveMotionBlur(deblurOption?) object; AnalyzeForIntellisearch(identifyFaces, isBetterMode) bool;
        AnalyzeForSlate(markerColor) bool
    """,
    "Timeline": """
        GetName() text; SetName(timelineName) bool; GetStartFrame() number; GetEndFrame() number;
        SetStartTimecode(timecode) bool; GetStartTimecode() text; GetTrackCount(trackType) number;
        AddTrack(trackType, subTrackType?) bool; DeleteTrack(trackType, trackIndex) bool; GetTrackSubType(trackType,
        trackIndex) text; SetTrackEnable(trackType, trackIndex, Bool) bool; GetIsTrackEnabled(trackType, trackIndex)
        bool; SetTrackLock(trackType, trackIndex, Bool) bool; GetIsTrackLocked(trackType, trackIndex) bool;
        DeleteClips(timelineItems, Bool?) bool; SetClipsLinked(timelineItems, Bool) bool;
        GetItemListInTrack(trackType, index) list; GetItemsInTrack(trackType, index) dict; AddMarker(frameId, color,
        name, note, duration, customData?) bool; GetMarkers() dict; GetMarkerByCustomData(customData) dict;
        UpdateMarkerCustomData(frameId, customData) bool; GetMarkerCustomData(frameId) text;
        DeleteMarkersByColor(color) bool; DeleteMarkerAtFrame(frameNum) bool; DeleteMarkerByCustomData(customData)
        bool; GetCurrentTimecode() text; SetCurrentTimecode(timecode) bool; GetCurrentVideoItem() object;
        GetCurrentClipThumbnailImage() dict; GetTrackName(trackType, trackIndex) text; SetTrackName(trackType,
        trackIndex, name) bool; DuplicateTimeline(timelineName?) object; CreateCompoundClip(timelineItems,
        clipInfo?) object; CreateFusionClip(timelineItems) object; ImportIntoTimeline(filePath, importOptions?)
        bool; Export(fileName, exportType, exportSubtype?) bool; GetSetting(settingName?) text;
        SetSetting(settingName, settingValue, *) bool; InsertGeneratorIntoTimeline(generatorName) object;
        InsertFusionGeneratorIntoTimeline(generatorName) object; InsertFusionCompositionIntoTimeline() object;
        InsertOFXGeneratorIntoTimeline(generatorName) object; InsertTitleIntoTimeline(titleName) object;
        InsertFusionTitleIntoTimeline(titleName) object; GrabStill() object; GrabAllStills(stillFrameSource) list;
        GetUniqueId() text; CreateSubtitlesFromAudio(autoCaptionSettings?) bool; DetectSceneCuts() bool;
        ConvertTimelineToStereo() bool; GetNodeGraph() object; AnalyzeDolbyVision(timelineItems?, analysisType?)
        bool; GetMediaPoolItem() object; GetMarkInOut() dict; SetMarkInOut(mark_in, mark_out, type?) bool;
        ClearMarkInOut(type?) bool; GetVoiceIsolationState(trackIndex) dict; SetVoiceIsolationState(trackIndex,
        voiceIsolationState) bool
    """,
    "TimelineItem": """
        GetName() text; SetName(name) bool; GetDuration(subframe_precision?) number; GetEnd(subframe_precision?)
        number; GetSourceEndFrame() number; GetSourceEndTime() number; GetFusionCompCount() number;
        GetFusionCompByIndex(compIndex) object; GetFusionCompNameList() list; GetFusionCompNames() dict;
        GetFusionCompByName(compName) object; GetLeftOffset(subframe_precision?) number;
        GetRightOffset(subframe_precision?) number; GetStart(subframe_precision?) number; GetSourceStartFrame()
        number; GetSourceStartTime() number; SetProperty(propertyKey, propertyValue) bool; GetProperty(propertyKey?)
        object; AddMarker(frameId, color, name, note, duration, customData?) bool; GetMarkers() dict;
        GetMarkerByCustomData(customData) dict; UpdateMarkerCustomData(frameId, customData) bool;
        GetMarkerCustomData(frameId) text; DeleteMarkersByColor(color) bool; DeleteMarkerAtFrame(frameNum) bool;
        DeleteMarkerByCustomData(customData) bool; AddFlag(color) bool; GetFlagList() list; GetFlags() dict;
        ClearFlags(color) bool; GetClipColor() text; SetClipColor(colorName) bool; ClearClipColor() bool;
        AddFusionComp() object; ImportFusionComp(path) object; ExportFusionComp(path, compIndex) bool;
        DeleteFusionCompByName(compName) bool; LoadFusionCompByName(compName) object;
        RenameFusionCompByName(oldName, newName) bool; AddVersion(versionName, versionType) bool;
        GetCurrentVersion() dict; DeleteVersionByName(versionName, versionType) bool; LoadVersionByName(versionName,
        versionType) bool; RenameVersionByName(oldName, newName, versionType) bool; GetVersionNameList(versionType)
        list; GetVersionNames(versionType) dict; GetMediaPoolItem() object; GetStereoConvergenceValues() dict;
        GetStereoLeftFloatingWindowParams() dict; GetStereoRightFloatingWindowParams() dict; GetNumNodes() number;
        SetLUT(nodeIndex, lutPath) bool; GetLUT(nodeIndex) text; SetCDL(cdlMap) bool; AddTake(mediaPoolItem,
        startFrame?, endFrame?) bool; GetSelectedTakeIndex() number; GetTakesCount() number; GetTakeByIndex(idx)
        dict; DeleteTakeByIndex(idx) bool; SelectTakeByIndex(idx) bool; FinalizeTake() bool;
        CopyGrades(tgtTimelineItems) bool; SetClipEnabled(Bool) bool; GetClipEnabled() bool; UpdateSidecar() bool;
        GetUniqueId() text; LoadBurnInPreset(presetName) bool; GetNodeLabel(nodeIndex) text; CreateMagicMask(mode)
        bool; RegenerateMagicMask() bool; Stabilize() bool; SmartReframe() bool; GetNodeGraph(layerIdx?) object;
        GetColorGroup() object; AssignToColorGroup(colorGroup) bool; RemoveFromColorGroup() bool;
        ExportLUT(exportType, path) bool; GetLinkedItems() list; GetTrackTypeAndIndex() list;
        GetSourceAudioChannelMapping() text; GetIsColorOutputCacheEnabled() number; GetIsFusionOutputCacheEnabled()
        number; SetColorOutputCache(cache_value) bool; SetFusionOutputCache(cache_value) bool;
        GetVoiceIsolationState() dict; SetVoiceIsolationState(voiceIsolationState) bool; ResetAllNodeColors() bool
    """,
    "Gallery": """
        GetAlbumName(galleryStillAlbum) text; SetAlbumName(galleryStillAlbum, albumName) bool;
        GetCurrentStillAlbum() object; SetCurrentStillAlbum(galleryStillAlbum) bool; GetGalleryStillAlbums() list;
        GetGalleryPowerGradeAlbums() list; CreateGalleryStillAlbum() object; CreateGalleryPowerGradeAlbum() object
    """,
    "GalleryStillAlbum": """
        GetStills() list; GetLabel(galleryStill) text; SetLabel(galleryStill, label) bool; ImportStills(filePaths)
        bool; ExportStills(galleryStills, folderPath, filePrefix, format) bool; DeleteStills(galleryStills) bool
    """,
    "GalleryStill": """
    """,
    "Graph": """
        GetNumNodes() number; SetLUT(nodeIndex, lutPath) bool; GetLUT(nodeIndex) text; SetNodeCacheMode(nodeIndex,
        cache_value) bool; GetNodeCacheMode(nodeIndex) number; GetNodeLabel(nodeIndex) text;
        GetToolsInNode(nodeIndex) list; SetNodeEnabled(nodeIndex, isEnabled) bool; ApplyGradeFromDRX(path,
        gradeMode) bool; ApplyArriCdlLut() bool; ResetAllGrades() bool
    """,
    "ColorGroup": """
        GetName() text; SetName(groupName) bool; GetClipsInTimeline(timeline?) list; GetPreClipNodeGraph() object;
        GetPostClipNodeGraph() object
    """,
}
"""Per class, its methods as text that `read_methods` reads."""

_METHOD = re.compile(r"(\w+)\(([^)]*)\)\s+(\w+)")


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method: `parameters` in order; the first `required` of them must be given."""

    name: str
    parameters: tuple[str, ...]
    required: int
    variadic: bool
    kind: str

    def takes(self, count: int) -> bool:
        """Whether a call with `count` arguments fits."""
        return self.required <= count and (self.variadic or count <= len(self.parameters))


def read_methods(text: str) -> dict[str, Method]:
    """The methods that a text of `METHODS` describes, by name, in order."""
    return {match[1]: _method(match[1], match[2], match[3]) for match in _METHOD.finditer(text)}


def _method(name: str, parameters: str, kind: str) -> Method:
    names = [part.strip() for part in parameters.split(",") if part.strip()]
    return Method(
        name=name,
        parameters=tuple(part.rstrip("?") for part in names if part != "*"),
        required=sum(not part.endswith("?") and part != "*" for part in names),
        variadic="*" in names,
        kind=kind,
    )
