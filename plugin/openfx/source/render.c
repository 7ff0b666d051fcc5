#include "render.h"

#include "host.h"
#include "images.h"
#include "mark.h"
#include "messages.h"
#include "params.h"

#define ROOM 1024 /* bytes of a message */

struct render {
    ofx_effect effect;
    struct su_settings settings;
    struct su_image source, output;
    struct ofx_rect window; /* what is to be written, within the output's bounds */
    bool final;             /* for delivery, nobody watches */
};

static ofx_time time_of(ofx_properties in) {
    ofx_time time = 0;
    (void)su_get_double(in, OFX_PROP_TIME, 0, &time);
    return time;
}

static ofx_properties clip_properties(ofx_effect effect, const char *name) {
    ofx_properties found = NULL;
    (void)su_clip(effect, name, &found);
    return found;
}

/* Hosts that draw filmstrips ask for small pictures between large ones; no model is worth it there. */
static bool is_thumbnail(ofx_effect effect, ofx_properties in) {
    int of_source = 0, of_output = 0;
    (void)su_get_int(clip_properties(effect, OFX_CLIP_SOURCE), OFX_PROP_CLIP_THUMBNAIL, 0, &of_source);
    (void)su_get_int(clip_properties(effect, OFX_CLIP_OUTPUT), OFX_PROP_CLIP_THUMBNAIL, 0, &of_output);
    return of_source || of_output || su_is(in, OFX_PROP_THUMBNAIL_RENDER, 0, "true");
}

/* A punch-in without strength is still an enlargement, by interpolation alone. */
static bool changes_nothing(const struct su_look *look) {
    return look->strength <= 0 && (look->mode == SU_RESTORE || look->zoom <= 1);
}

ofx_status su_is_identity(ofx_effect effect, ofx_properties in, ofx_properties out) {
    const ofx_time time = time_of(in);
    struct su_settings settings;
    su_params_read(effect, &time, &settings);
    const bool alpha = su_is(clip_properties(effect, OFX_CLIP_SOURCE), OFX_PROP_COMPONENTS, 0, OFX_COMPONENT_ALPHA);
    if (!alpha && !changes_nothing(&settings.look) && !is_thumbnail(effect, in))
        return OFX_REPLY_DEFAULT;
    su_set_string(out, OFX_PROP_NAME, 0, OFX_CLIP_SOURCE);
    su_set_double(out, OFX_PROP_TIME, time);
    return OFX_OK;
}

static bool is_final(ofx_properties in) {
    int interactive = 0, background = 0;
    if (su_get_int(in, OFX_PROP_INTERACTIVE_RENDER, 0, &interactive))
        return interactive == 0;
    return su_get_int(su_host.properties, OFX_PROP_IS_BACKGROUND, 0, &background) && background;
}

/* In a picture at half size, the enlargement before it is half as large too. */
static void scale_factor(struct su_look *look, ofx_properties in) {
    double across = 1, up = 1;
    (void)su_get_double(in, OFX_PROP_RENDER_SCALE, 0, &across);
    (void)su_get_double(in, OFX_PROP_RENDER_SCALE, 1, &up);
    const double scale = across < up ? across : up;
    if (scale > 0 && scale < 1)
        look->factor *= scale;
    if (look->factor < 1)
        look->factor = 1;
}

static bool aborted(void *effect) {
    return su_host.effect->aborted && su_host.effect->aborted(effect) != 0;
}

static enum su_outcome ask(const struct render *render, char *why) {
    const struct su_image *source = &render->source, *output = &render->output;
    const struct ofx_rect whole = source->bounds, inside = su_intersection(render->window, whole);
    if (su_empty(inside))
        return SU_DONE;
    const struct su_frame frame = {
        .width = whole.x2 - whole.x1,
        .height = whole.y2 - whole.y1,
        .depth = source->depth,
        .components = source->components,
        .premultiplied = source->premultiplied,
        .interactive = !render->final,
        .source = source->data,
        .source_row = source->row,
        .target = su_pixel(output, whole.x1, whole.y1),
        .target_row = output->row,
        .x1 = inside.x1 - whole.x1,
        .y1 = inside.y1 - whole.y1,
        .x2 = inside.x2 - whole.x1,
        .y2 = inside.y2 - whole.y1,
    };
    const struct su_wait wait = {.seconds = render->settings.seconds, .aborted = aborted, .context = render->effect};
    return su_link_render(&frame, &render->settings.look, &wait, why, ROOM);
}

static ofx_status fail(const struct render *render, const char *why) {
    su_message_log(render->effect, why);
    su_image_copy(&render->source, &render->output, render->window);
    switch (render->settings.policy) {
    case SU_AUTOMATIC:
        return render->final ? OFX_FAILED : OFX_OK;
    case SU_FAIL_RENDER:
        return OFX_FAILED;
    case SU_MARK:
        su_mark(&render->output, render->window, render->source.bounds);
        break;
    case SU_PASS_THROUGH:
        break;
    }
    return OFX_OK;
}

static ofx_status make(const struct render *render) {
    char why[ROOM] = "";
    if (render->source.single_field)
        return fail(render, "The host gave one field of interlaced footage. Deinterlace the clip first.");
    switch (ask(render, why)) {
    case SU_DONE:
        su_image_clear_outside(&render->output, render->window, render->source.bounds);
        return OFX_OK;
    case SU_ABORTED: /* hosts throw the picture away; it's whole all the same */
        su_image_copy(&render->source, &render->output, render->window);
        return OFX_OK;
    case SU_FAILED:
        break;
    }
    return fail(render, why);
}

static bool same_format(const struct su_image *a, const struct su_image *b) {
    return a->depth == b->depth && a->components == b->components;
}

static ofx_status open_images(struct render *render, ofx_properties in) {
    const ofx_time time = time_of(in);
    ofx_status status = su_image_open(render->effect, OFX_CLIP_OUTPUT, time, &render->output);
    if (status != OFX_OK)
        return status;
    render->window = render->output.bounds;
    (void)su_get_rect(in, OFX_PROP_RENDER_WINDOW, &render->window);
    render->window = su_intersection(render->window, render->output.bounds);
    status = su_image_open(render->effect, OFX_CLIP_SOURCE, time, &render->source);
    if (status == OFX_FAILED && !su_empty(render->window))
        su_image_clear_outside(&render->output, render->window, (struct ofx_rect){0, 0, 0, 0});
    return status == OFX_OK && !same_format(&render->source, &render->output) ? OFX_ERR_IMAGE_FORMAT : status;
}

static ofx_status render_images(struct render *render, ofx_properties in) {
    const ofx_status status = open_images(render, in);
    if (status != OFX_OK) /* hosts give no pictures either once they have aborted */
        return status == OFX_FAILED && aborted(render->effect) ? OFX_OK : status;
    if (su_empty(render->window))
        return OFX_OK;
    if (render->source.components == 1 || changes_nothing(&render->settings.look) || is_thumbnail(render->effect, in)) {
        su_image_copy(&render->source, &render->output, render->window);
        return OFX_OK;
    }
    return make(render);
}

static bool on_gpu(ofx_properties in) {
    int cuda = 0, opencl = 0, metal = 0;
    (void)su_get_int(in, OFX_PROP_CUDA_ENABLED, 0, &cuda);
    (void)su_get_int(in, OFX_PROP_OPENCL_ENABLED, 0, &opencl);
    (void)su_get_int(in, OFX_PROP_METAL_ENABLED, 0, &metal);
    return cuda || opencl || metal;
}

ofx_status su_render(ofx_effect effect, ofx_properties in) {
    const ofx_time time = time_of(in);
    struct render render = {.effect = effect, .final = is_final(in)};
    if (on_gpu(in)) /* never asked for; such pictures can't be read here */
        return OFX_GPU_RENDER_FAILED;
    su_params_read(effect, &time, &render.settings);
    scale_factor(&render.settings.look, in);
    const ofx_status status = render_images(&render, in);
    su_image_close(&render.source);
    su_image_close(&render.output);
    return status;
}
