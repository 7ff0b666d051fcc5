/* What went wrong, as a sentence for people. */
#ifndef SNAPUPSCALE_WHY_H
#define SNAPUPSCALE_WHY_H

#include <stddef.h>

struct su_why {
    char text[512];
};

#ifdef __GNUC__
__attribute__((format(printf, 2, 3)))
#endif
void su_say(struct su_why *why, const char *format, ...);

/* What the sidecar says: cut to the room, and on one line. Without a word from it, `otherwise`. */
void su_quote(struct su_why *why, const char *text, size_t length, const char *otherwise);

/* For the caller, whose room may be smaller or none. Never cuts a letter of UTF-8 in two. */
void su_tell(char *text, size_t room, const struct su_why *why);

#endif
