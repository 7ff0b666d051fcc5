#include "images.h"

#include "host.h"

#include <string.h>

#define LARGEST 1000000 /* pixels of a side: far beyond any picture, far below any overflow */

static const struct {
    const char *name;
    enum su_depth depth;
    size_t bytes;
} depths[] = {
    {OFX_DEPTH_FLOAT, SU_FLOAT, 4},
    {OFX_DEPTH_HALF, SU_HALF, 2},
    {OFX_DEPTH_SHORT, SU_SHORT, 2},
    {OFX_DEPTH_BYTE, SU_BYTE, 1},
};

static const struct {
    const char *name;
    int count;
} components[] = {
    {OFX_COMPONENT_RGBA, 4},
    {OFX_COMPONENT_RGB, 3},
    {OFX_COMPONENT_ALPHA, 1},
};

/* Where a property is to be read: the picture itself, or its clip where the picture doesn't say. */
static ofx_properties stating(const struct su_image *image, ofx_properties clip, const char *name) {
    return su_says(image->handle, name) ? image->handle : clip;
}

static bool read_format(struct su_image *image, ofx_properties clip) {
    const ofx_properties of_depth = stating(image, clip, OFX_PROP_PIXEL_DEPTH);
    const ofx_properties of_components = stating(image, clip, OFX_PROP_COMPONENTS);
    size_t sample = 0;
    for (size_t index = 0; index < sizeof depths / sizeof *depths && !sample; index++)
        if (su_is(of_depth, OFX_PROP_PIXEL_DEPTH, 0, depths[index].name)) {
            image->depth = depths[index].depth;
            sample = depths[index].bytes;
        }
    for (size_t index = 0; index < sizeof components / sizeof *components && !image->components; index++)
        if (su_is(of_components, OFX_PROP_COMPONENTS, 0, components[index].name))
            image->components = components[index].count;
    image->pixel = sample * (size_t)image->components;
    return image->pixel != 0;
}

static bool read_place(struct su_image *image) {
    struct ofx_rect *bounds = &image->bounds;
    if (!su_get_rect(image->handle, OFX_PROP_IMAGE_BOUNDS, bounds))
        return false;
    const long long width = (long long)bounds->x2 - bounds->x1, height = (long long)bounds->y2 - bounds->y1;
    if (width <= 0 || height <= 0) { /* nothing to read or write */
        *bounds = (struct ofx_rect){0, 0, 0, 0};
        return true;
    }
    const long long tight = width * (long long)image->pixel;
    int row = 0;
    if (!su_get_int(image->handle, OFX_PROP_IMAGE_ROW_BYTES, 0, &row))
        row = width <= LARGEST ? (int)tight : 0;
    image->row = row;
    return width <= LARGEST && height <= LARGEST && (height == 1 || (row < 0 ? -(long long)row : row) >= tight);
}

/* Colours are taken as multiplied by alpha where the host doesn't say, as is the custom. */
static bool read_premultiplied(const struct su_image *image, ofx_properties clip) {
    const ofx_properties said = stating(image, clip, OFX_PROP_PREMULTIPLICATION);
    return image->components == 4 && !su_is(said, OFX_PROP_PREMULTIPLICATION, 0, OFX_ALPHA_UNPREMULTIPLIED) &&
           !su_is(said, OFX_PROP_PREMULTIPLICATION, 0, OFX_ALPHA_OPAQUE);
}

ofx_status su_image_open(ofx_effect effect, const char *clip, ofx_time time, struct su_image *image) {
    ofx_properties properties = NULL;
    const ofx_clip found = su_clip(effect, clip, &properties);
    void *data = NULL;
    *image = (struct su_image){0};
    if (!found)
        return OFX_FAILED;
    if (su_host.effect->get_image(found, time, NULL, &image->handle) != OFX_OK) {
        image->handle = NULL;
        return OFX_FAILED;
    }
    if (!su_get_pointer(image->handle, OFX_PROP_IMAGE_DATA, &data))
        return OFX_FAILED;
    image->data = data;
    if (!read_format(image, properties) || !read_place(image))
        return OFX_ERR_IMAGE_FORMAT;
    image->premultiplied = read_premultiplied(image, properties);
    image->single_field = su_is(image->handle, OFX_PROP_IMAGE_FIELD, 0, OFX_FIELD_LOWER) ||
                          su_is(image->handle, OFX_PROP_IMAGE_FIELD, 0, OFX_FIELD_UPPER);
    return OFX_OK;
}

void su_image_close(struct su_image *image) {
    if (image->handle)
        (void)su_host.effect->release_image(image->handle);
    image->handle = NULL;
}

struct ofx_rect su_intersection(struct ofx_rect a, struct ofx_rect b) {
    return (struct ofx_rect){
        .x1 = a.x1 > b.x1 ? a.x1 : b.x1,
        .y1 = a.y1 > b.y1 ? a.y1 : b.y1,
        .x2 = a.x2 < b.x2 ? a.x2 : b.x2,
        .y2 = a.y2 < b.y2 ? a.y2 : b.y2,
    };
}

bool su_empty(struct ofx_rect rect) {
    return rect.x1 >= rect.x2 || rect.y1 >= rect.y2;
}

unsigned char *su_pixel(const struct su_image *image, int x, int y) {
    const ptrdiff_t right = (ptrdiff_t)x - image->bounds.x1, up = (ptrdiff_t)y - image->bounds.y1;
    const ptrdiff_t offset = up * image->row + right * (ptrdiff_t)image->pixel;
    return (unsigned char *)((uintptr_t)image->data + (uintptr_t)offset); /* as a number: it may lie outside */
}

static void clear(const struct su_image *target, int x1, int y1, int x2, int y2) {
    for (int y = y1; y < y2 && x1 < x2; y++)
        memset(su_pixel(target, x1, y), 0, (size_t)(x2 - x1) * target->pixel);
}

void su_image_clear_outside(const struct su_image *target, struct ofx_rect window, struct ofx_rect inside) {
    inside = su_intersection(inside, window);
    if (su_empty(inside)) {
        clear(target, window.x1, window.y1, window.x2, window.y2);
        return;
    }
    clear(target, window.x1, window.y1, window.x2, inside.y1);
    clear(target, window.x1, inside.y2, window.x2, window.y2);
    clear(target, window.x1, inside.y1, inside.x1, inside.y2);
    clear(target, inside.x2, inside.y1, window.x2, inside.y2);
}

void su_image_copy(const struct su_image *source, const struct su_image *target, struct ofx_rect window) {
    const struct ofx_rect inside = su_intersection(window, source->bounds);
    const size_t bytes = su_empty(inside) ? 0 : (size_t)(inside.x2 - inside.x1) * target->pixel;
    for (int y = inside.y1; y < inside.y2 && bytes; y++)
        memmove(su_pixel(target, inside.x1, y), su_pixel(source, inside.x1, y), bytes);
    su_image_clear_outside(target, window, source->bounds);
}
