/* Where the bundle lies that this code was loaded from. */
#ifndef SNAPUPSCALE_BUNDLE_H
#define SNAPUPSCALE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

/* The folder Contents/Resources of the bundle, absolute, UTF-8; false if it can't be told. The system is asked, since
 * hosts name the bundle only after Load, and some never do. */
bool su_bundle_resources(char *path, size_t room);

/* From BUNDLE/Contents/SYSTEM/SnapUpscale.ofx to BUNDLE/Contents/Resources, in place; either kind of slash. */
bool su_bundle_resources_of(char *module, size_t room);

#endif
