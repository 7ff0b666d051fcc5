/* Starting the sidecar, where the installer wrote down how. */
#ifndef SNAPUPSCALE_START_H
#define SNAPUPSCALE_START_H

#include "system.h"
#include "why.h"

enum { SU_MOST_ARGUMENTS = 16 };

struct su_command {
    char text[4096];
    char *argument[SU_MOST_ARGUMENTS + 1]; /* into the text; NULL after the last */
};

/* What was started when, so that one that crashes isn't started for ever. All zero: nothing yet. */
struct su_starts {
    int count; /* since one was reached */
    double last;
    double until; /* how long the last may take to come up */
};

bool su_starts_allow(const struct su_starts *starts, double now);
void su_starts_begin(struct su_starts *starts, double now);
void su_starts_done(struct su_starts *starts);
/* Whether one that was started may still be coming up. */
bool su_starts_pending(const struct su_starts *starts, double now);

/* `sidecar.command` in the folder: an argument a line, the first the absolute path of a program. False without it. */
bool su_command_read(struct su_command *command, const char *resources);

/* Starts a program of its own: not a child of this process, in a session of its own, with no descriptor and no variable
 * that is meant for the host. */
bool su_start(const struct su_command *command, struct su_why *why);

/* Whether a variable of the environment is meant for the host, its Python or its libraries. */
bool su_variable_foreign(const char *name, size_t length);

#endif
