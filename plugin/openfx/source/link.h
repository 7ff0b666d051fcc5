/* Frames through the sidecar: one link a process, for any number of threads.
 *
 * Nothing here throws, ends the process, installs signal handlers or leaves threads behind. */
#ifndef SNAPUPSCALE_LINK_H
#define SNAPUPSCALE_LINK_H

#include <stdbool.h>
#include <stddef.h>

enum su_depth { SU_BYTE = 1, SU_SHORT = 2, SU_HALF = 3, SU_FLOAT = 4 };
enum su_mode { SU_RESTORE, SU_PUNCH_IN };
enum su_outcome { SU_DONE, SU_ABORTED, SU_FAILED };

struct su_frame {
    int width, height; /* of the whole picture, pixels */
    enum su_depth depth;
    int components; /* 3 RGB or 4 RGBA */
    bool premultiplied, interactive;
    const void *source;   /* pixel (0, 0), lower left */
    ptrdiff_t source_row; /* bytes from a row to the one above; may be negative, may be padded */
    void *target;         /* where pixel (0, 0) of the result would be; only the window is ever written */
    ptrdiff_t target_row;
    int x1, y1, x2, y2; /* window: the part of the picture to write, x2 and y2 exclusive */
};

struct su_look {
    enum su_mode mode;
    double factor;             /* 1..4 */
    double zoom;               /* 1..8 */
    double centre_x, centre_y; /* 0..1, from the left and from the bottom */
    double strength, denoise;  /* 0..1 */
    const char *model;         /* a name of the catalog, or "auto" */
};

struct su_wait {
    double seconds;                 /* the most that a render may take */
    bool (*aborted)(void *context); /* asked every 20 ms on the calling thread; may be NULL */
    void *context;
};

/* At Load. `resources` is the folder Contents/Resources of the bundle, or NULL. Opens nothing yet. */
void su_link_open(const char *resources);

/* From CreateInstance and BeginSequenceRender. May start the sidecar; returns within 0.3 s. */
void su_link_warm(const struct su_look *look);

/* Never starts a process. The target is untouched unless SU_DONE; `why` is then "", else a sentence for people. */
enum su_outcome su_link_render(const struct su_frame *frame, const struct su_look *look, const struct su_wait *wait,
                               char *why, size_t room);

/* Forgets failures, drops channels, may start the sidecar, and tries. Takes at most 2 s: a start is not waited for. */
bool su_link_reconnect(char *why, size_t room);

/* At PurgeCaches. Closes channels that are idle and frees their mappings. */
void su_link_trim(void);

/* At Unload, when no render runs. Nothing is left after it; su_link_open may follow again. */
void su_link_close(void);

#endif
