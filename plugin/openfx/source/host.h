/* The host: its suites, and properties read and written so that none that is missing does harm.
 *
 * Hosts leave out properties that the specification promises. A reader then leaves its target as it was and returns
 * false. */
#ifndef SNAPUPSCALE_HOST_H
#define SNAPUPSCALE_HOST_H

#include "ofx.h"

#include <stdbool.h>

/* Set at Load and constant until Unload, so that renders read it without a lock. */
struct su_host {
    ofx_properties properties;
    const struct ofx_property_suite *property;
    const struct ofx_effect_suite *effect;
    const struct ofx_parameter_suite *parameter;
    const struct ofx_message_suite *message; /* may be NULL */
};

extern struct su_host su_host;

/* Fetches the suites; false if one that the effect can't do without is missing. */
bool su_host_load(const struct ofx_host *host);
void su_host_unload(void);

bool su_get_int(ofx_properties set, const char *name, int index, int *value);
bool su_get_double(ofx_properties set, const char *name, int index, double *value);
bool su_get_pointer(ofx_properties set, const char *name, void **value);
bool su_get_rect(ofx_properties set, const char *name, struct ofx_rect *value);

/* Whether the string is there and is `text`. What the host points to is used at once: it lasts until the next call. */
bool su_is(ofx_properties set, const char *name, int index, const char *text);

/* Whether there is such a string, and it isn't empty. */
bool su_says(ofx_properties set, const char *name);

/* The clip of that name and its properties, each NULL where the host has none. */
ofx_clip su_clip(ofx_effect effect, const char *name, ofx_properties *properties);

/* Hosts know more or fewer properties by their age; one that can't be set is one that the host has no use for. */
void su_set_int(ofx_properties set, const char *name, int value);
void su_set_double(ofx_properties set, const char *name, double value);
void su_set_string(ofx_properties set, const char *name, int index, const char *value);

#endif
