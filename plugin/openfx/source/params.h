/* The effect's parameters. Their names are kept in projects and scripts, so they never change. */
#ifndef SNAPUPSCALE_PARAMS_H
#define SNAPUPSCALE_PARAMS_H

#include "link.h"
#include "ofx.h"

#define SU_PARAM_RECONNECT "reconnect"

enum su_policy { SU_AUTOMATIC, SU_PASS_THROUGH, SU_FAIL_RENDER, SU_MARK };

struct su_settings {
    struct su_look look;
    enum su_policy policy; /* what to do where the sidecar fails */
    double seconds;        /* the most that a frame may take */
};

void su_params_define(ofx_parameters set);

/* The settings at `time`, or those shown now if it is NULL, within their ranges; defaults where the host gives none. */
void su_params_read(ofx_effect effect, const ofx_time *time, struct su_settings *settings);

/* Changes a hidden value, so that the host drops the pictures it keeps. Never from a render. */
void su_params_revise(ofx_effect effect);

#endif
