/* Memory that is shared with the sidecar: one picture, behind a page that proves whose it is. */
#ifndef SNAPUPSCALE_MAPPING_H
#define SNAPUPSCALE_MAPPING_H

#include "system.h"

enum { SU_COOKIE_BYTES = 16, SU_PICTURE_OFFSET = 4096 };

struct su_mapping {
    unsigned char *data; /* NULL while there is none */
    size_t bytes;
    bool named; /* whether others can still find it by its name */
    intptr_t handle;
    char name[SU_PATH];
    char cookie[2 * SU_COOKIE_BYTES + 1]; /* hex digits of the first bytes of the memory */
};

/* Makes one that is allocated as a whole, so that a full disk is a failure here and no signal later. */
bool su_mapping_make(struct su_mapping *mapping, size_t bytes);
/* Takes the name away once the sidecar has it open, so that nothing stays behind whoever dies. */
void su_mapping_hide(struct su_mapping *mapping);
void su_mapping_free(struct su_mapping *mapping);

/* Removes what processes of this user left that died between making a file and hiding it. */
void su_mapping_sweep(void);

/* Makes the cookie, and writes it into the memory. */
bool su_mapping_sign(struct su_mapping *mapping);

#endif
