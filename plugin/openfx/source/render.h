/* The actions of a render. */
#ifndef SNAPUPSCALE_RENDER_H
#define SNAPUPSCALE_RENDER_H

#include "ofx.h"

/* OFX_OK with the source named in `out` where the picture stays as it is, else OFX_REPLY_DEFAULT. */
ofx_status su_is_identity(ofx_effect effect, ofx_properties in, ofx_properties out);

/* Writes the whole render window, whatever happens, unless the pictures that the host lends don't fit together. */
ofx_status su_render(ofx_effect effect, ofx_properties in);

#endif
