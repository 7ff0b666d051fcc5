/* Many threads render many frames through the link, for builds with sanitizers.
 *
 *     link_stress THREADS FRAMES
 *
 * Every frame must come back as its complement, or be given up where it was asked to be. Meanwhile the link is trimmed
 * and reconnected, signals interrupt what it waits for, and between rounds it is closed and opened again. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "link.h"

enum { WIDTH = 61, HEIGHT = 37, ROUNDS = 3 };

struct work {
    pthread_t thread;
    unsigned number;
    int frames;
    int wrong, given_up;
};

static bool at_third(void *context) {
    int *asked = context;
    return ++*asked >= 3;
}

static bool is_complement(const unsigned char *source, const unsigned char *target, int width, int height) {
    for (int i = 0; i < width * height * 4; i++) {
        const unsigned char wanted = i % 4 == 3 ? source[i] : (unsigned char)(255 - source[i]);
        if (target[i] != wanted) return false;
    }
    return true;
}

static void render(struct work *work, int frame) {
    const int width = WIDTH - frame % 5 * 10, height = HEIGHT - frame % 7;
    const size_t bytes = (size_t)(width * height * 4);
    unsigned char *source = malloc(bytes), *target = calloc(1, bytes);
    int asked = 0;
    char why[200] = "";
    for (size_t i = 0; i < bytes; i++) source[i] = (unsigned char)(i * 7 + work->number + (unsigned)frame);
    const struct su_frame picture = {.width = width, .height = height, .depth = SU_BYTE, .components = 4,
                                     .source = source, .source_row = width * 4, .target = target,
                                     .target_row = width * 4, .x2 = width, .y2 = height};
    const struct su_look look = {.factor = 2, .zoom = 1, .strength = 1, .model = "auto"};
    const bool may_stop = frame % 9 == 8;
    const struct su_wait wait = {.seconds = 60, .aborted = may_stop ? at_third : NULL, .context = &asked};
    if (frame % 13 == 0) su_link_warm(&look);
    const enum su_outcome outcome = su_link_render(&picture, &look, &wait, why, sizeof why);
    if (outcome == SU_ABORTED && may_stop) work->given_up++;
    else if (outcome != SU_DONE || !is_complement(source, target, width, height)) {
        fprintf(stderr, "thread %u, frame %d: %d %s\n", work->number, frame, (int)outcome, why);
        work->wrong++;
    }
    free(source);
    free(target);
}

static void *run(void *context) {
    struct work *work = context;
    for (int frame = 0; frame < work->frames; frame++) {
        render(work, frame);
        if (work->number == 0 && frame % 20 == 19) su_link_trim();
        if (work->number == 1 && frame % 30 == 29) su_link_reconnect(NULL, 0);
    }
    return NULL;
}

static void nothing(int signal_number) {
    (void)signal_number;
}

/* As a host that samples itself does. */
static void interrupt_often(void) {
    const struct sigaction action = {.sa_handler = nothing};
    const struct itimerval often = {.it_interval = {.tv_usec = 2000}, .it_value = {.tv_usec = 2000}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

int main(int count, char **arguments) {
    const int threads = count > 1 ? atoi(arguments[1]) : 4, frames = count > 2 ? atoi(arguments[2]) : 100;
    struct work *all = calloc((size_t)threads, sizeof *all);
    int wrong = 0, given_up = 0;
    interrupt_often();
    for (int round = 0; round < ROUNDS; round++) {
        su_link_open(NULL);
        for (int i = 0; i < threads; i++) {
            all[i] = (struct work){.number = (unsigned)i, .frames = frames / ROUNDS + 1};
            pthread_create(&all[i].thread, NULL, run, &all[i]);
        }
        for (int i = 0; i < threads; i++) {
            pthread_join(all[i].thread, NULL);
            wrong += all[i].wrong;
            given_up += all[i].given_up;
        }
        su_link_close();
    }
    free(all);
    printf("%d wrong, %d given up\n", wrong, given_up);
    return wrong > 0;
}
