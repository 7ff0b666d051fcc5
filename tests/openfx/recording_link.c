/* Stands for the link: keeps what the effect asks, and answers as the test says. */
#include "link.h"

#include <string.h>

#define SHOWN __attribute__((visibility("default")))

struct recorded {
    int opened, closed, warmed, rendered, trimmed, reconnected;
    bool asked_abort;
    double seconds;
    struct su_frame frame;
    struct su_look look;
    char resources[4096];
};

static struct recorded recorded;
static enum su_outcome outcome;

SHOWN struct recorded *link_recorded(void);
SHOWN void link_answer(enum su_outcome given);

struct recorded *link_recorded(void) {
    return &recorded;
}

void link_answer(enum su_outcome given) {
    outcome = given;
}

static size_t pixel(const struct su_frame *frame) {
    const size_t samples[] = {[SU_BYTE] = 1, [SU_SHORT] = 2, [SU_HALF] = 2, [SU_FLOAT] = 4};
    return samples[frame->depth] * (size_t)frame->components;
}

void su_link_open(const char *resources) {
    recorded.opened++;
    strncpy(recorded.resources, resources ? resources : "", sizeof recorded.resources - 1);
}

void su_link_warm(const struct su_look *look) {
    recorded.warmed++;
    recorded.look = *look;
}

/* Every byte of the window is turned over. */
enum su_outcome su_link_render(const struct su_frame *frame, const struct su_look *look, const struct su_wait *wait,
                               char *why, size_t room) {
    recorded.rendered++;
    recorded.frame = *frame;
    recorded.look = *look;
    recorded.seconds = wait->seconds;
    recorded.asked_abort = wait->aborted && wait->aborted(wait->context);
    strncpy(why, outcome == SU_FAILED ? "The test lets it fail." : "", room);
    if (outcome != SU_DONE)
        return outcome;
    const size_t first = (size_t)frame->x1 * pixel(frame), end = (size_t)frame->x2 * pixel(frame);
    for (int y = frame->y1; y < frame->y2; y++)
        for (size_t place = first; place < end; place++)
            ((unsigned char *)frame->target + y * frame->target_row)[place] =
                (unsigned char)~((const unsigned char *)frame->source + y * frame->source_row)[place];
    return SU_DONE;
}

bool su_link_reconnect(char *why, size_t room) {
    recorded.reconnected++;
    strncpy(why, outcome == SU_FAILED ? "The test lets it fail." : "", room);
    return outcome != SU_FAILED;
}

void su_link_trim(void) {
    recorded.trimmed++;
}

void su_link_close(void) {
    recorded.closed++;
}
