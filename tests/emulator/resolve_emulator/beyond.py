"""What methods answer that the emulator does nothing for: the honest failure, as builds without the means give it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolve_emulator.face import failure

if TYPE_CHECKING:
    from resolve_emulator.application import Application
    from resolve_emulator.surface import Method

SENTENCES: dict[str, str] = {
    "AnalyzeForIntellisearch": "Required package 'AI Intellisearch - Faster' is not installed.",
    "GenerateSpeech": "Required Package, 'AI Speech Generator' is not Installed.",
}
"""Calls that answer with a sentence, which is true to a script that takes it for the Bool it should be."""

STUDIO_ONLY = frozenset(
    (
        "TranscribeAudio", "CreateSubtitlesFromAudio", "CreateMagicMask", "RegenerateMagicMask", "SmartReframe",
        "ConvertTimelineToStereo", "AnalyzeDolbyVision", "CreateStereoClip", "RemoveMotionBlur",
        "SetVoiceIsolationState", "PerformAudioClassification",
    )
)  # fmt: skip
"""Calls that open the dialog that sells the Studio edition, in the free one."""


def answer(app: Application, method: Method) -> Any:
    """What the call gives; in the free edition it may leave the application blocked."""
    if method.name in STUDIO_ONLY and not app.profile.studio:
        app.upsold = True
    return SENTENCES.get(method.name, failure(method))
