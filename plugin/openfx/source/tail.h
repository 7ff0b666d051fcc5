/* The tails of requests: small JSON objects, only ever written here. */
#ifndef SNAPUPSCALE_TAIL_H
#define SNAPUPSCALE_TAIL_H

#include "link.h"
#include "wire.h"

struct su_tail {
    char data[SU_MOST_TAIL];
    size_t length;
    bool full; /* something didn't fit: not to be sent */
};

void su_tail_hello(struct su_tail *tail, const char *token, long process);
void su_tail_map(struct su_tail *tail, const char *name, const char *cookie);
/* What is out of range is brought into it. */
void su_tail_look(struct su_tail *tail, const struct su_look *look);

#endif
