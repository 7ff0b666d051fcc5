/* How a host's picture lies in the mapping: rows tight, from the lowest to the highest. */
#ifndef SNAPUPSCALE_PICTURE_H
#define SNAPUPSCALE_PICTURE_H

#include "link.h"

/* Whether all of it makes sense, and fits into memory. */
bool su_frame_sound(const struct su_frame *frame);
/* Bytes of the whole picture, of a frame that is sound. */
size_t su_frame_bytes(const struct su_frame *frame);

void su_frame_copy_in(const struct su_frame *frame, unsigned char *packed);
/* Writes the window and nothing else. */
void su_frame_copy_out(const struct su_frame *frame, const unsigned char *packed);

#endif
