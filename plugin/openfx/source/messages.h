/* What the effect says to people through the host. */
#ifndef SNAPUPSCALE_MESSAGES_H
#define SNAPUPSCALE_MESSAGES_H

#include "ofx.h"

#include <stdbool.h>

/* Writes a failure of a render into the host's log, each different one once. From any thread. */
void su_message_log(ofx_effect effect, const char *why);

/* From now on each failure is told once more. */
void su_message_forget(void);

/* Answers a press of a button; never from a render, since it may open a dialog. */
void su_message_answer(ofx_effect effect, bool good, const char *text);

#endif
