/* A channel: one connection with the sidecar, and one mapping of its own. One frame at a time, one thread at a time. */
#ifndef SNAPUPSCALE_CHANNEL_H
#define SNAPUPSCALE_CHANNEL_H

#include "link.h"
#include "mapping.h"
#include "published.h"
#include "why.h"
#include "wire.h"

enum su_verdict {
    SU_FINE,
    SU_STOPPED,  /* the host wants no result any more */
    SU_DECLINED, /* this frame failed; the connection is sound */
    SU_ABSENT,   /* nobody listens */
    SU_LOST,     /* the connection ended, which another may not */
    SU_BROKEN    /* what came makes no sense, or nothing came in time */
};

/* How long all that is done for a frame may take. */
struct su_patience {
    double until;
    const struct su_wait *wait; /* NULL: nobody asks to stop */
    const _Atomic bool *cut; /* once true, the connection is to be given up; NULL: never */
};

/* Sleeps a little. False once the host wants to stop (SU_STOPPED) or the time is over (SU_DECLINED). */
bool su_patience_nap(const struct su_patience *patience, int milliseconds, enum su_verdict *verdict);

/* All zero: not connected. */
struct su_channel {
    bool connected, mapped; /* mapped: the sidecar has the mapping too */
    su_socket socket;
    uint32_t seq;
    struct su_mapping mapping;
    struct su_header owed; /* the request whose reply is still to come; op 0 without one */
    double owed_until;     /* when to give that reply up */
    unsigned char incoming[SU_HEADER_BYTES + SU_MOST_TAIL];
    size_t received;
};

/* How soon a picture of that size can be rendered by it: 0 at once, more means later. */
int su_channel_rank(const struct su_channel *channel, size_t bytes);

/* Each closes the channel before it answers SU_ABSENT, SU_LOST or SU_BROKEN. */
enum su_verdict su_channel_connect(struct su_channel *channel, const struct su_address *address,
                                   const struct su_patience *patience, struct su_why *why);
/* Reads the reply that is owed, if any, and sees whether the connection still stands; connected or not, then. */
enum su_verdict su_channel_settle(struct su_channel *channel, const struct su_patience *patience, struct su_why *why);
enum su_verdict su_channel_render(struct su_channel *channel, const struct su_frame *frame, const struct su_look *look,
                                  const struct su_patience *patience, struct su_why *why);
/* Doesn't wait for the reply. */
enum su_verdict su_channel_warm(struct su_channel *channel, const struct su_look *look,
                                const struct su_patience *patience, struct su_why *why);
void su_channel_close(struct su_channel *channel);
/* Closes, and says so, that the sidecar needn't find out. */
void su_channel_leave(struct su_channel *channel);

#endif
