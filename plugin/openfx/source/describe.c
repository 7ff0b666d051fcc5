#include "describe.h"

#include "host.h"
#include "params.h"

static const char *const contexts[] = {OFX_CONTEXT_FILTER, OFX_CONTEXT_GENERAL, NULL};
static const char *const components[] = {OFX_COMPONENT_RGBA, OFX_COMPONENT_RGB, OFX_COMPONENT_ALPHA, NULL};

static void set_strings(ofx_properties set, const char *name, const char *const *values) {
    for (int index = 0; values[index]; index++)
        su_set_string(set, name, index, values[index]);
}

static bool host_has_half(void) {
    int count = 0;
    if (!su_host.properties || !su_host.property->get_dimension ||
        su_host.property->get_dimension(su_host.properties, OFX_PROP_DEPTHS, &count) != OFX_OK)
        return false;
    for (int index = 0; index < count; index++)
        if (su_is(su_host.properties, OFX_PROP_DEPTHS, index, OFX_DEPTH_HALF))
            return true;
    return false;
}

static void set_depths(ofx_properties set) {
    const char *const half = host_has_half() ? OFX_DEPTH_HALF : NULL;
    const char *const depths[] = {OFX_DEPTH_BYTE, OFX_DEPTH_SHORT, OFX_DEPTH_FLOAT, half, NULL};
    set_strings(set, OFX_PROP_DEPTHS, depths);
}

static void set_labels(ofx_properties set) {
    su_set_string(set, OFX_PROP_LABEL, 0, "SnapUpscale Restore");
    su_set_string(set, OFX_PROP_SHORT_LABEL, 0, "Restore");
    su_set_string(set, OFX_PROP_LONG_LABEL, 0, "SnapUpscale Restore");
    su_set_string(set, OFX_PROP_GROUPING, 0, "SnapUpscale");
    su_set_string(set, OFX_PROP_DESCRIPTION, 0,
                  "Brings back detail with Real-ESRGAN, in the sidecar of SnapUpscale. Restore undoes an earlier "
                  "enlargement; Punch-in enlarges a region to fill the frame.");
    su_set_string(set, OFX_PROP_VERSION_LABEL, 0, "1.0");
    (void)su_host.property->set_int(set, OFX_PROP_VERSION, 0, SU_VERSION_MAJOR);
    (void)su_host.property->set_int(set, OFX_PROP_VERSION, 1, SU_VERSION_MINOR);
}

/* The models need whole pictures: no tiles, and one thread a frame. */
static void set_abilities(ofx_properties set) {
    su_set_string(set, OFX_PROP_THREAD_SAFETY, 0, OFX_THREAD_FULLY_SAFE);
    su_set_int(set, OFX_PROP_SINGLE_INSTANCE, 0);
    su_set_int(set, OFX_PROP_HOST_FRAME_THREADING, 0);
    su_set_int(set, OFX_PROP_MULTI_RESOLUTION, 0);
    su_set_int(set, OFX_PROP_TILES, 0);
    su_set_int(set, OFX_PROP_TEMPORAL_ACCESS, 0);
    su_set_int(set, OFX_PROP_FIELD_RENDER_TWICE, 0);
    su_set_int(set, OFX_PROP_MULTIPLE_DEPTHS, 0);
    su_set_int(set, OFX_PROP_MULTIPLE_ASPECTS, 0);
}

ofx_status su_describe(ofx_effect effect) {
    ofx_properties set = NULL;
    if (su_host.effect->get_properties(effect, &set) != OFX_OK || !set)
        return OFX_ERR_BAD_HANDLE;
    set_labels(set);
    set_strings(set, OFX_PROP_CONTEXTS, contexts);
    set_depths(set);
    set_abilities(set);
    return OFX_OK;
}

static bool define_clip(ofx_effect effect, const char *name) {
    ofx_properties set = NULL;
    if (su_host.effect->define_clip(effect, name, &set) != OFX_OK || !set)
        return false;
    set_strings(set, OFX_PROP_SUPPORTED_COMPONENTS, components);
    su_set_int(set, OFX_PROP_TILES, 0);
    su_set_int(set, OFX_PROP_TEMPORAL_ACCESS, 0);
    return true;
}

ofx_status su_describe_in_context(ofx_effect effect, ofx_properties in) {
    ofx_parameters parameters = NULL;
    char *name = NULL;
    if (in && su_host.property->get_string(in, OFX_PROP_CONTEXT, 0, &name) == OFX_OK && name &&
        !su_is(in, OFX_PROP_CONTEXT, 0, OFX_CONTEXT_FILTER) && !su_is(in, OFX_PROP_CONTEXT, 0, OFX_CONTEXT_GENERAL))
        return OFX_ERR_UNSUPPORTED;
    if (!define_clip(effect, OFX_CLIP_SOURCE) || !define_clip(effect, OFX_CLIP_OUTPUT))
        return OFX_FAILED;
    if (su_host.effect->get_parameters(effect, &parameters) != OFX_OK || !parameters)
        return OFX_FAILED;
    su_params_define(parameters);
    return OFX_OK;
}
