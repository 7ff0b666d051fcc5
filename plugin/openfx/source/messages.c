#include "messages.h"

#include "host.h"

#include <stdatomic.h>

#define KEPT 32 /* failures told apart; any beyond go untold */

static _Atomic uint64_t told[KEPT];

/* FNV-1a, but never 0. */
static uint64_t digest(const char *text) {
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return value ? value : 1;
}

static bool first_time(const char *why) {
    const uint64_t mine = digest(why);
    for (int index = 0; index < KEPT; index++) {
        uint64_t there = 0;
        if (atomic_compare_exchange_strong(&told[index], &there, mine))
            return true;
        if (there == mine)
            return false;
    }
    return false;
}

static void say(ofx_effect effect, const char *type, const char *id, const char *text) {
    if (su_host.message && su_host.message->message)
        (void)su_host.message->message(effect, type, id, "%s", text);
}

void su_message_log(ofx_effect effect, const char *why) {
    if (first_time(why))
        say(effect, OFX_MESSAGE_LOG, "snapupscale.failure", why);
}

void su_message_forget(void) {
    for (int index = 0; index < KEPT; index++)
        atomic_store(&told[index], 0);
}

void su_message_answer(ofx_effect effect, bool good, const char *text) {
    say(effect, good ? OFX_MESSAGE_MESSAGE : OFX_MESSAGE_ERROR, "snapupscale.reconnect", text);
}
