"""Every error that SnapUpscale raises on purpose.

SnapUpscaleError
├── SettingError              a value out of its range, an unknown name
├── SourceError               the footage
│   ├── SourceMissing         no such file
│   ├── SourceUnreadable      no permission, a folder, a device fault
│   ├── SourceEmpty           zero bytes, or no frame at all
│   ├── NotAVideo             the bytes are no container or codec that can be read
│   ├── NoVideoStream         audio only, or nothing but an attached picture
│   ├── SourceTruncated       cut off so early that nothing can be decoded
│   ├── SourceChanged         written to while it was read
│   └── FrameMissing          a frame number outside the source
├── ListError                 a list of shots that was made elsewhere
│   ├── ListUnreadable        no such file, no permission, too large, or no list at all
│   └── ListMismatch          of other footage or another rate, outside the footage, or its shots overlap
├── ModelError                the weights
│   ├── WeightsMissing        not installed yet
│   ├── WeightsCorrupt        the hash or the tensors are not those of the manifest
│   └── FetchFailed           the download did not succeed
├── UpscaleError              the computation
│   ├── BackendUnavailable    no such device here
│   ├── KernelUnavailable     no hand-written kernels for this card; the plain way is taken
│   ├── OutOfMemory           even the smallest tile does not fit
│   ├── DeviceLost            a GPU or its driver has failed; this process can't use it any longer
│   └── ImplausibleResult     not finite, or not the picture that went in
├── OutputError               the results
│   ├── OutputUnwritable      folder missing, read-only, name refused
│   ├── DiskFull              no space left
│   ├── OutputBusy            another run works in the same folder
│   └── ImageUnreadable       a picture that can't be read
├── SidecarError              the service
│   ├── SidecarRunning        one runs already
│   ├── SidecarMissing        none runs
│   ├── SidecarUnsafe         its folder is not the user's alone
│   ├── Poisoned              a job that ended its process twice
│   ├── QueueFull             too many jobs wait
│   └── NotPlanned            a session whose jobs run, or that has failed
└── Cancelled                 asked for by the user
"""

from __future__ import annotations


class SnapUpscaleError(Exception):
    """Root of the tree. `code` is stable and goes over the wire; `hint` says what the user can do."""

    code = "failed"
    default_hint = "Run `snapupscale doctor` and look at the line that is not ok."

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint or self.default_hint


class SettingError(SnapUpscaleError):
    code = "bad-setting"
    default_hint = "Run the command with --help for the values that are allowed."


class SourceError(SnapUpscaleError):
    code = "source-failed"
    default_hint = "Check that the footage plays in another program."


class SourceMissing(SourceError):
    code = "source-missing"
    default_hint = "Check the path; if the footage is on a removable disk, connect it."


class SourceUnreadable(SourceError):
    code = "source-unreadable"
    default_hint = "Check the permissions of the file, and that it is a file and not a folder."


class SourceEmpty(SourceError):
    code = "source-empty"
    default_hint = "The recording or the copy did not finish; copy the footage again."


class NotAVideo(SourceError):
    code = "not-a-video"
    default_hint = "Give a movie file, or an image sequence written as name.%04d.png."


class NoVideoStream(SourceError):
    code = "no-video-stream"
    default_hint = "The file holds no moving picture; choose the file that holds the video."


class SourceTruncated(SourceError):
    code = "source-truncated"
    default_hint = "The file ends too early; copy it again, or repair its index with a recovery tool."


class SourceChanged(SourceError):
    code = "source-changed"
    default_hint = "Wait until the recording or copy has finished, then start again."


class FrameMissing(SourceError):
    code = "frame-missing"
    default_hint = "Run `snapupscale probe` to see how many frames the source has."


class ListError(SnapUpscaleError):
    code = "list-failed"
    default_hint = "Give an EDL (CMX 3600), an OTIO file, or a table of PySceneDetect or of `detect --format csv`."


class ListUnreadable(ListError):
    code = "list-unreadable"


class ListMismatch(ListError):
    code = "list-mismatch"
    default_hint = "Check that the list was made of this clip; `snapupscale probe` shows its rate and start timecode."


class ModelError(SnapUpscaleError):
    code = "model-failed"
    default_hint = "Run `snapupscale models list` for what is installed."


class WeightsMissing(ModelError):
    code = "weights-missing"


class WeightsCorrupt(ModelError):
    code = "weights-corrupt"
    default_hint = "Delete the file and fetch it again with `snapupscale models fetch NAME`."


class FetchFailed(ModelError):
    code = "fetch-failed"
    default_hint = "Check the network and run the same command again: it goes on where it stopped."


class UpscaleError(SnapUpscaleError):
    code = "upscale-failed"


class BackendUnavailable(UpscaleError):
    code = "backend-unavailable"
    default_hint = "Use --backend auto, or run `snapupscale doctor` to see which devices work."


class KernelUnavailable(UpscaleError):
    code = "kernel-unavailable"
    default_hint = "Nothing needs to be done: results are the same without, only slower."


class OutOfMemory(UpscaleError):
    code = "out-of-memory"
    default_hint = "Close other programs that use the GPU, or use --backend cpu."


class DeviceLost(UpscaleError):
    code = "device-lost"
    default_hint = "Start the program again; if it stays, restart the machine, or use another GPU or --backend cpu."


class ImplausibleResult(UpscaleError):
    code = "implausible-result"
    default_hint = "Try --precision fp32; if it stays, the GPU or its driver computes wrong results."


class OutputError(SnapUpscaleError):
    code = "output-failed"


class OutputUnwritable(OutputError):
    code = "output-unwritable"
    default_hint = "Choose another output folder with -o, or change its permissions."


class DiskFull(OutputError):
    code = "disk-full"
    default_hint = "Free some space and run the same command again: finished stills are kept."


class OutputBusy(OutputError):
    code = "output-busy"
    default_hint = "Another run writes to this folder; wait for it, or choose another folder."


class ImageUnreadable(OutputError):
    code = "image-unreadable"
    default_hint = "Give PNG, TIFF, EXR, JPEG or WebP pictures."


class SidecarError(SnapUpscaleError):
    code = "sidecar-failed"
    default_hint = "Run `snapupscale sidecar stop`, then start it again; its log says what went wrong."


class SidecarRunning(SidecarError):
    code = "sidecar-running"
    default_hint = "Use the one that runs: `snapupscale sidecar status` says where it is."


class SidecarMissing(SidecarError):
    code = "sidecar-missing"
    default_hint = "Start one with `snapupscale sidecar serve`."


class SidecarUnsafe(SidecarError):
    code = "sidecar-unsafe"
    default_hint = "Remove what is there, or set XDG_RUNTIME_DIR to a folder that belongs to you alone."


class Poisoned(SidecarError):
    code = "poisoned"
    default_hint = "Check that the footage plays in another program; --backend cpu leaves out the driver of the GPU."


class QueueFull(SidecarError):
    code = "queue-full"
    default_hint = "Wait until some jobs are done, or cancel some."


class NotPlanned(SidecarError):
    code = "not-planned"
    default_hint = "Wait until the session is planned."


class Cancelled(SnapUpscaleError):
    code = "cancelled"
    default_hint = "Run the same command again to go on where it stopped."
