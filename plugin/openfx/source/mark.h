/* A mark that says that a picture is not what it should be. */
#ifndef SNAPUPSCALE_MARK_H
#define SNAPUPSCALE_MARK_H

#include "images.h"

/* Draws what the window holds of a magenta square with a black rim in the upper left corner of the picture. Its side is
 * a sixteenth of the picture's shorter one. */
void su_mark(const struct su_image *target, struct ofx_rect window, struct ofx_rect picture);

#endif
