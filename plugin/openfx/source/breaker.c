/* The circuit breaker: 1 s after the first failure, twice as long after each further one, 30 s at most. */
#include "breaker.h"

static const double FIRST = 1.0, LONGEST = 30.0;

bool su_breaker_rests(const struct su_breaker *breaker, const struct su_published *now_published, double now) {
    return breaker->failures > 0 && now < breaker->until && su_published_same(&breaker->failed, now_published);
}

bool su_breaker_trip(struct su_breaker *breaker, unsigned turn, const struct su_published *published, double now) {
    double rest = FIRST;
    if (turn != breaker->turn) return false;
    for (unsigned i = 0; i < breaker->failures && rest < LONGEST; i++) rest *= 2;
    breaker->failures++;
    breaker->turn++;
    breaker->until = now + (rest < LONGEST ? rest : LONGEST);
    breaker->failed = *published;
    return true;
}

void su_breaker_reset(struct su_breaker *breaker) {
    breaker->failures = 0;
    breaker->turn++;
}
