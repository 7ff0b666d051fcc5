/* Copying pictures row by row. */
#include "picture.h"

#include <stdint.h>
#include <string.h>

static size_t sample_bytes(const struct su_frame *frame) {
    static const size_t bytes[] = {0, 1, 2, 2, 4};
    return bytes[frame->depth];
}

static size_t pixel_bytes(const struct su_frame *frame) {
    return sample_bytes(frame) * (size_t)frame->components;
}

static size_t row_bytes(const struct su_frame *frame) {
    return pixel_bytes(frame) * (size_t)frame->width;
}

size_t su_frame_bytes(const struct su_frame *frame) {
    return row_bytes(frame) * (size_t)frame->height;
}

/* Whether rows that lie `stride` apart don't overlap. */
static bool apart(ptrdiff_t stride, size_t bytes, int rows) {
    const size_t distance = stride < 0 ? (size_t)0 - (size_t)stride : (size_t)stride;
    return rows == 1 || distance >= bytes;
}

bool su_frame_sound(const struct su_frame *frame) {
    if (!frame || !frame->source || !frame->target || frame->width < 1 || frame->height < 1) return false;
    if (frame->depth < SU_BYTE || frame->depth > SU_FLOAT) return false;
    if (frame->components != 3 && frame->components != 4) return false;
    if (frame->x1 < 0 || frame->y1 < 0 || frame->x2 > frame->width || frame->y2 > frame->height) return false;
    if (frame->x1 >= frame->x2 || frame->y1 >= frame->y2) return false;
    if (row_bytes(frame) > (size_t)PTRDIFF_MAX / 2 / (size_t)frame->height) return false;
    const size_t window = pixel_bytes(frame) * (size_t)(frame->x2 - frame->x1);
    return apart(frame->source_row, row_bytes(frame), frame->height) &&
           apart(frame->target_row, window, frame->y2 - frame->y1);
}

/* Rows that lie without a gap on both sides are one block, which the C library copies faster. */
static void copy_rows(unsigned char *to, ptrdiff_t to_row, const unsigned char *from, ptrdiff_t from_row, size_t bytes,
                      int rows) {
    if (to_row == from_row && to_row == (ptrdiff_t)bytes) {
        memcpy(to, from, bytes * (size_t)rows);
        return;
    }
    for (int y = 0; y < rows; y++) memcpy(to + y * to_row, from + y * from_row, bytes);
}

void su_frame_copy_in(const struct su_frame *frame, unsigned char *packed) {
    const size_t bytes = row_bytes(frame);
    copy_rows(packed, (ptrdiff_t)bytes, frame->source, frame->source_row, bytes, frame->height);
}

void su_frame_copy_out(const struct su_frame *frame, const unsigned char *packed) {
    const ptrdiff_t packed_row = (ptrdiff_t)row_bytes(frame);
    const ptrdiff_t left = frame->x1 * (ptrdiff_t)pixel_bytes(frame);
    const size_t bytes = (size_t)(frame->x2 - frame->x1) * pixel_bytes(frame);
    copy_rows((unsigned char *)frame->target + frame->y1 * frame->target_row + left, frame->target_row,
              packed + frame->y1 * packed_row + left, packed_row, bytes, frame->y2 - frame->y1);
}
