#include "host.h"

#include <string.h>

struct su_host su_host;

static const void *fetch(const struct ofx_host *host, const char *name) {
    return host->fetch_suite(host->properties, name, 1);
}

/* The second version begins as the first. */
static const void *fetch_message(const struct ofx_host *host) {
    const void *first = fetch(host, OFX_SUITE_MESSAGE);
    return first ? first : host->fetch_suite(host->properties, OFX_SUITE_MESSAGE, 2);
}

static bool complete(const struct su_host *host) {
    const struct ofx_property_suite *p = host->property;
    const struct ofx_effect_suite *e = host->effect;
    const struct ofx_parameter_suite *v = host->parameter;
    if (!p || !e || !v)
        return false;
    return p->set_string && p->set_double && p->set_int && p->get_pointer && p->get_string && p->get_double &&
           p->get_int && e->get_properties && e->get_parameters && e->define_clip && e->get_clip && e->get_image &&
           e->release_image && v->define && v->get_handle && v->get_value && v->get_value_at;
}

bool su_host_load(const struct ofx_host *host) {
    if (!host || !host->fetch_suite)
        return false;
    const struct su_host found = {
        .properties = host->properties,
        .property = fetch(host, OFX_SUITE_PROPERTY),
        .effect = fetch(host, OFX_SUITE_EFFECT),
        .parameter = fetch(host, OFX_SUITE_PARAMETER),
        .message = fetch_message(host),
    };
    if (!complete(&found))
        return false;
    su_host = found;
    return true;
}

void su_host_unload(void) {
    su_host = (struct su_host){0};
}

bool su_get_int(ofx_properties set, const char *name, int index, int *value) {
    int found = 0;
    if (!set || su_host.property->get_int(set, name, index, &found) != OFX_OK)
        return false;
    *value = found;
    return true;
}

bool su_get_double(ofx_properties set, const char *name, int index, double *value) {
    double found = 0;
    if (!set || su_host.property->get_double(set, name, index, &found) != OFX_OK)
        return false;
    *value = found;
    return true;
}

bool su_get_pointer(ofx_properties set, const char *name, void **value) {
    void *found = NULL;
    if (!set || su_host.property->get_pointer(set, name, 0, &found) != OFX_OK || !found)
        return false;
    *value = found;
    return true;
}

bool su_get_rect(ofx_properties set, const char *name, struct ofx_rect *value) {
    struct ofx_rect found;
    if (!su_get_int(set, name, 0, &found.x1) || !su_get_int(set, name, 1, &found.y1) ||
        !su_get_int(set, name, 2, &found.x2) || !su_get_int(set, name, 3, &found.y2))
        return false;
    *value = found;
    return true;
}

bool su_is(ofx_properties set, const char *name, int index, const char *text) {
    char *found = NULL;
    return set && su_host.property->get_string(set, name, index, &found) == OFX_OK && found && strcmp(found, text) == 0;
}

bool su_says(ofx_properties set, const char *name) {
    char *found = NULL;
    return set && su_host.property->get_string(set, name, 0, &found) == OFX_OK && found && found[0];
}

ofx_clip su_clip(ofx_effect effect, const char *name, ofx_properties *properties) {
    ofx_clip clip = NULL;
    *properties = NULL;
    if (su_host.effect->get_clip(effect, name, &clip, properties) != OFX_OK)
        return NULL;
    if (!*properties && clip && su_host.effect->get_clip_properties)
        (void)su_host.effect->get_clip_properties(clip, properties);
    return clip;
}

void su_set_int(ofx_properties set, const char *name, int value) {
    if (set)
        (void)su_host.property->set_int(set, name, 0, value);
}

void su_set_double(ofx_properties set, const char *name, double value) {
    if (set)
        (void)su_host.property->set_double(set, name, 0, value);
}

void su_set_string(ofx_properties set, const char *name, int index, const char *value) {
    if (set)
        (void)su_host.property->set_string(set, name, index, value);
}
