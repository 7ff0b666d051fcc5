/* Pictures that the host lends, and what is done with them without the sidecar: copies and clearing, within bounds. */
#ifndef SNAPUPSCALE_IMAGES_H
#define SNAPUPSCALE_IMAGES_H

#include "link.h"
#include "ofx.h"

struct su_image {
    ofx_properties handle; /* NULL: nothing to give back */
    unsigned char *data;   /* the lower left pixel */
    ptrdiff_t row;         /* bytes from a row to the one above; may be negative, may be padded */
    struct ofx_rect bounds;
    enum su_depth depth;
    int components; /* 1 alpha, 3 RGB, 4 RGBA */
    size_t pixel;   /* bytes */
    bool premultiplied;
    bool single_field; /* of interlaced footage */
};

/* The picture of a clip at a time: OFX_OK, OFX_FAILED where the host has none, OFX_ERR_IMAGE_FORMAT if it isn't one
 * that the effect knows. To be closed in each case. */
ofx_status su_image_open(ofx_effect effect, const char *clip, ofx_time time, struct su_image *image);
void su_image_close(struct su_image *image);

struct ofx_rect su_intersection(struct ofx_rect a, struct ofx_rect b);
bool su_empty(struct ofx_rect rect);

/* Where pixel (x, y) is, or would be if it lies outside of the bounds. */
unsigned char *su_pixel(const struct su_image *image, int x, int y);

/* Writes the window, which lies within the target's bounds: the source's pixels, and transparent black around them. */
void su_image_copy(const struct su_image *source, const struct su_image *target, struct ofx_rect window);

/* The second half of that: what of the window lies outside of `inside`. */
void su_image_clear_outside(const struct su_image *target, struct ofx_rect window, struct ofx_rect inside);

#endif
