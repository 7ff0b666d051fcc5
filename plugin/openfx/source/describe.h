/* What the effect tells hosts about itself. */
#ifndef SNAPUPSCALE_DESCRIBE_H
#define SNAPUPSCALE_DESCRIBE_H

#include "ofx.h"

#define SU_IDENTIFIER "com.snapupscale.restore" /* kept in projects: it never changes */
#define SU_VERSION_MAJOR 1
#define SU_VERSION_MINOR 0

ofx_status su_describe(ofx_effect effect);
ofx_status su_describe_in_context(ofx_effect effect, ofx_properties in);

#endif
