/* The rest that the link takes after a failure, so that a sidecar that is gone costs each frame nothing. */
#ifndef SNAPUPSCALE_BREAKER_H
#define SNAPUPSCALE_BREAKER_H

#include "published.h"

struct su_breaker {
    unsigned failures; /* in a row */
    unsigned turn;     /* grows whenever it trips or is reset */
    double until;      /* when the rest ends */
    struct su_published failed;
};

/* Whether no attempt is to be made now, with what is published now. */
bool su_breaker_rests(const struct su_breaker *breaker, const struct su_published *now_published, double now);
/* After a failure of an attempt that began in `turn`. Of several at once only the first counts, and
 * gives true. */
bool su_breaker_trip(struct su_breaker *breaker, unsigned turn, const struct su_published *published, double now);
void su_breaker_reset(struct su_breaker *breaker);

#endif
