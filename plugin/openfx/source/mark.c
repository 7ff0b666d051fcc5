#include "mark.h"

#include <string.h>

static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* 1.0 of each depth, in memory order. Opaque, so that it is the same whether or not colours are multiplied by alpha. */
static size_t full(enum su_depth depth, unsigned char *sample) {
    const float one = 1.0f;
    const uint16_t half_one = 0x3c00, short_one = 0xffff;
    switch (depth) {
    case SU_FLOAT:
        memcpy(sample, &one, sizeof one);
        return sizeof one;
    case SU_HALF:
        memcpy(sample, &half_one, sizeof half_one);
        return sizeof half_one;
    case SU_SHORT:
        memcpy(sample, &short_one, sizeof short_one);
        return sizeof short_one;
    case SU_BYTE:
        break;
    }
    *sample = 0xff;
    return 1;
}

static void paint(const struct su_image *target, struct ofx_rect area, bool red, bool green, bool blue) {
    unsigned char one[4], pixel[16] = {0};
    const size_t sample = full(target->depth, one);
    const bool on[4] = {red, green, blue, true};
    for (int component = 0; component < target->components; component++)
        if (on[component])
            memcpy(pixel + (size_t)component * sample, one, sample);
    for (int y = area.y1; y < area.y2; y++)
        for (int x = area.x1; x < area.x2; x++)
            memcpy(su_pixel(target, x, y), pixel, target->pixel);
}

void su_mark(const struct su_image *target, struct ofx_rect window, struct ofx_rect picture) {
    const int side = smaller(picture.x2 - picture.x1, picture.y2 - picture.y1) / 16;
    const int length = side > 1 ? side : 1, rim = length / 8;
    const struct ofx_rect square = {picture.x1, picture.y2 - length, picture.x1 + length, picture.y2};
    const struct ofx_rect inner = {square.x1 + rim, square.y1 + rim, square.x2 - rim, square.y2 - rim};
    paint(target, su_intersection(square, window), false, false, false);
    paint(target, su_intersection(inner, window), true, false, true);
}
