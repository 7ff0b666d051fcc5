/* How the sidecar is found: the link files that it may have written. */
#ifndef SNAPUPSCALE_PUBLISHED_H
#define SNAPUPSCALE_PUBLISHED_H

#include "system.h"

enum { SU_MOST_TOKEN = 256 };

struct su_address {
    unsigned port;
    int64_t process;
    char token[SU_MOST_TOKEN + 1];
};

struct su_published {
    int count;
    struct su_address address[SU_MOST_FOLDERS];
};

/* What is published now, the likeliest first. It may be gone. */
void su_published_read(struct su_published *published, const struct su_folders *folders);
bool su_published_same(const struct su_published *one, const struct su_published *other);

/* One line, `snapupscale-frames 1 PID PORT TOKEN` and a newline. False for anything else. */
bool su_address_parse(struct su_address *address, const char *text, size_t length);

#endif
