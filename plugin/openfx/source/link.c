/* The link of this process: three channels, the rest after failures, and the start of the sidecar. */
#include "link.h"

#include <string.h>

#include "breaker.h"
#include "channel.h"
#include "picture.h"
#include "start.h"

enum { CHANNELS = 3, NAP = 20, QUEUE_NAP = 2 };
static const double MOST_SECONDS = 86400.0, WARM = 0.25, WARM_REST = 2.0, RECONNECT = 1.8;

struct slot {
    struct su_channel channel; /* of the thread that took the slot, without the lock */
    bool taken;
    _Atomic bool dropped; /* to be closed, by the thread that took it where one did */
};

static struct {
    struct su_lock lock; /* of all that follows but taken channels; never held while anything waits */
    bool open;
    struct slot slots[CHANNELS];
    struct su_breaker breaker;
    struct su_why failure; /* that tripped the breaker last */
    struct su_starts starts;
    double warm_after;
    struct su_folders folders; /* written at open alone, before any frame */
    char resources[SU_PATH];
} link_state = {.lock = SU_LOCK_READY};

/* What one call does with the link. */
struct visit {
    struct slot *slot;
    struct su_channel *channel;
    unsigned turn;
    struct su_published published; /* as read last */
    bool has_read;
    bool waits; /* for a sidecar that is starting */
};

void su_link_open(const char *resources) {
    su_lock(&link_state.lock);
    const bool first = !link_state.open;
    link_state.open = true;
    link_state.resources[0] = 0;
    if (resources && strlen(resources) < SU_PATH) strcpy(link_state.resources, resources);
    /* Now, since another thread of the host may change the environment later. */
    su_runtime_folders(&link_state.folders);
    su_unlock(&link_state.lock);
    if (!first) return;
    su_network_open();
    su_mapping_sweep();
}

static void read_published(struct visit *visit) {
    su_published_read(&visit->published, &link_state.folders);
    visit->has_read = true;
}

/* The free slot that is ready soonest; NULL while all are in use. */
static struct slot *take_slot(size_t bytes) {
    struct slot *best = NULL;
    int best_rank = 0;
    for (int i = 0; i < CHANNELS; i++) {
        struct slot *each = &link_state.slots[i];
        if (each->taken) continue;
        const int rank = su_channel_rank(&each->channel, bytes);
        if (!best || rank < best_rank) {
            best = each;
            best_rank = rank;
        }
    }
    if (best) best->taken = true;
    return best;
}

static void begin_visit(struct visit *visit, struct slot *slot) {
    visit->slot = slot;
    visit->channel = slot ? &slot->channel : NULL;
    visit->turn = link_state.breaker.turn;
}

static void give_back(struct slot *slot) {
    su_lock(&link_state.lock);
    const bool ends = slot->dropped || !link_state.open;
    slot->dropped = false;
    slot->taken = ends;
    su_unlock(&link_state.lock);
    if (!ends) return;
    su_channel_leave(&slot->channel);
    su_lock(&link_state.lock);
    slot->taken = false;
    su_unlock(&link_state.lock);
}

/* SU_FINE with a slot, or without one while all are in use. */
static enum su_verdict try_enter(struct visit *visit, size_t bytes, struct su_why *why) {
    enum su_verdict verdict = SU_FINE;
    su_lock(&link_state.lock);
    const bool failed = link_state.breaker.failures > 0;
    su_unlock(&link_state.lock);
    if (failed) read_published(visit);
    su_lock(&link_state.lock);
    if (!link_state.open || (failed && su_breaker_rests(&link_state.breaker, &visit->published, su_now()))) {
        *why = link_state.failure;
        if (!link_state.open) su_say(why, "The effect was unloaded");
        verdict = SU_DECLINED;
    }
    begin_visit(visit, verdict == SU_FINE ? take_slot(bytes) : NULL);
    su_unlock(&link_state.lock);
    return verdict;
}

static enum su_verdict enter(struct visit *visit, size_t bytes, const struct su_patience *patience,
                             struct su_why *why) {
    for (;;) {
        enum su_verdict verdict = try_enter(visit, bytes, why);
        if (verdict != SU_FINE || visit->slot) return verdict;
        if (!su_patience_nap(patience, QUEUE_NAP, &verdict)) {
            su_say(why, "Other frames took all the time that there was for this one");
            return verdict;
        }
    }
}

static enum su_verdict connect_any(struct visit *visit, const struct su_patience *patience, struct su_why *why) {
    enum su_verdict verdict = SU_ABSENT;
    read_published(visit);
    su_say(why, "The sidecar of SnapUpscale isn't running");
    for (int i = 0; i < visit->published.count && verdict == SU_ABSENT; i++) {
        verdict = su_channel_connect(visit->channel, &visit->published.address[i], patience, why);
    }
    if (verdict == SU_FINE) {
        su_lock(&link_state.lock);
        su_starts_done(&link_state.starts);
        su_unlock(&link_state.lock);
    }
    return verdict;
}

static bool is_starting(void) {
    su_lock(&link_state.lock);
    const bool pending = su_starts_pending(&link_state.starts, su_now());
    su_unlock(&link_state.lock);
    return pending;
}

/* Connects with whoever is published, and waits for one that was started just now. */
static enum su_verdict reach(struct visit *visit, const struct su_patience *patience, struct su_why *why) {
    for (;;) {
        enum su_verdict verdict = connect_any(visit, patience, why);
        if (verdict != SU_ABSENT || !visit->waits || !is_starting()) return verdict;
        if (!su_patience_nap(patience, NAP, &verdict)) {
            su_say(why, "The sidecar of SnapUpscale is still starting");
            return verdict;
        }
    }
}

/* A channel that is connected and owes nothing. */
static enum su_verdict ready(struct visit *visit, const struct su_patience *patience, struct su_why *why) {
    const enum su_verdict verdict = su_channel_settle(visit->channel, patience, why);
    if (verdict != SU_FINE || visit->channel->connected) return verdict;
    return reach(visit, patience, why);
}

static void leave(struct visit *visit, enum su_verdict verdict, const struct su_why *why) {
    const bool failed = verdict == SU_ABSENT || verdict == SU_LOST || verdict == SU_BROKEN;
    if (failed && !visit->has_read) read_published(visit);
    su_lock(&link_state.lock);
    if (failed && su_breaker_trip(&link_state.breaker, visit->turn, &visit->published, su_now())) {
        link_state.failure = *why;
    }
    if (verdict == SU_FINE) su_breaker_reset(&link_state.breaker);
    su_unlock(&link_state.lock);
    give_back(visit->slot);
}

static enum su_verdict render(const struct su_frame *frame, const struct su_look *look, const struct su_wait *wait,
                              struct su_why *why) {
    const double seconds = wait->seconds < MOST_SECONDS ? wait->seconds : MOST_SECONDS;
    struct su_patience patience = {.until = su_now() + seconds, .wait = wait};
    struct visit visit = {.waits = true};
    enum su_verdict verdict = enter(&visit, su_frame_bytes(frame), &patience, why);
    if (verdict != SU_FINE) return verdict;
    patience.cut = &visit.slot->dropped;
    for (int lost = 0; lost < 2;) {
        verdict = ready(&visit, &patience, why);
        if (verdict == SU_FINE) verdict = su_channel_render(visit.channel, frame, look, &patience, why);
        /* The sidecar may have been restarted, or one of its processes, or the user connected anew, which doesn't
         * count; the picture is at hand still. */
        if (verdict != SU_LOST || su_now() >= patience.until) break;
        if (visit.slot->dropped) visit.slot->dropped = false;
        else lost++;
    }
    leave(&visit, verdict, why);
    return verdict;
}

enum su_outcome su_link_render(const struct su_frame *frame, const struct su_look *look, const struct su_wait *wait,
                               char *why, size_t room) {
    struct su_why reason = {{0}};
    enum su_verdict verdict = SU_DECLINED;
    if (!look || !wait || !su_frame_sound(frame)) su_say(&reason, "The picture makes no sense");
    else if (!(wait->seconds > 0)) su_say(&reason, "No time was given for the picture");
    else verdict = render(frame, look, wait, &reason);
    if (verdict == SU_FINE) reason.text[0] = 0;
    if (verdict == SU_STOPPED) su_say(&reason, "The host gave the frame up");
    su_tell(why, room, &reason);
    return verdict == SU_FINE ? SU_DONE : verdict == SU_STOPPED ? SU_ABORTED : SU_FAILED;
}

/* Whether one may be started now; it counts from here on. */
static bool claim_start(void) {
    su_lock(&link_state.lock);
    const bool allowed = su_starts_allow(&link_state.starts, su_now());
    if (allowed) su_starts_begin(&link_state.starts, su_now());
    su_unlock(&link_state.lock);
    return allowed;
}

static bool start_sidecar(struct su_why *why) {
    struct su_command command;
    char resources[SU_PATH];
    su_lock(&link_state.lock);
    strcpy(resources, link_state.resources);
    su_unlock(&link_state.lock);
    if (!su_command_read(&command, resources)) return false;
    if (!claim_start()) return is_starting();
    const bool started = su_start(&command, why);
    su_lock(&link_state.lock);
    if (started) su_breaker_reset(&link_state.breaker);
    else link_state.starts.until = 0;
    su_unlock(&link_state.lock);
    return started;
}

void su_link_warm(const struct su_look *look) {
    const struct su_patience patience = {.until = su_now() + WARM};
    struct su_why why = {{0}};
    struct visit visit = {0};
    su_lock(&link_state.lock);
    if (look && link_state.open && su_now() >= link_state.warm_after) begin_visit(&visit, take_slot(0));
    su_unlock(&link_state.lock);
    if (!visit.slot) return;
    enum su_verdict verdict = ready(&visit, &patience, &why);
    if (verdict == SU_FINE) verdict = su_channel_warm(visit.channel, look, &patience, &why);
    /* A host makes many instances at once, and none of them may take the time again. A failure here, where little time
     * was given, doesn't count against frames. */
    su_lock(&link_state.lock);
    if (verdict != SU_FINE) link_state.warm_after = su_now() + WARM_REST;
    su_unlock(&link_state.lock);
    give_back(visit.slot);
    if (verdict == SU_ABSENT) start_sidecar(&why);
}

/* Closes what is idle, and with `all` lets those who use the others give them up. */
static void drop(bool all) {
    for (int i = 0; i < CHANNELS; i++) {
        struct slot *each = &link_state.slots[i];
        su_lock(&link_state.lock);
        const bool idle = !each->taken;
        if (idle) each->taken = true;
        if (idle || all) each->dropped = true;
        su_unlock(&link_state.lock);
        if (idle) give_back(each);
    }
}

void su_link_trim(void) {
    drop(false);
}

/* Keeps a channel that was made outside the slots, if there is room for it. */
static void keep(struct su_channel *channel) {
    su_lock(&link_state.lock);
    for (int i = 0; i < CHANNELS && channel->connected && link_state.open; i++) {
        struct slot *each = &link_state.slots[i];
        if (each->taken || each->channel.connected) continue;
        each->channel = *channel;
        channel->connected = false;
    }
    su_unlock(&link_state.lock);
    if (channel->connected) su_channel_leave(channel);
}

bool su_link_reconnect(char *why, size_t room) {
    const struct su_patience patience = {.until = su_now() + RECONNECT};
    struct su_channel channel = {0};
    struct su_why reason = {{0}};
    struct visit visit = {.channel = &channel};
    drop(true);
    su_lock(&link_state.lock);
    su_breaker_reset(&link_state.breaker);
    link_state.starts.count = 0;
    link_state.warm_after = 0;
    su_unlock(&link_state.lock);
    const enum su_verdict verdict = reach(&visit, &patience, &reason);
    if (verdict == SU_FINE) {
        keep(&channel);
        reason.text[0] = 0;
    } else if (verdict == SU_ABSENT && start_sidecar(&reason)) {
        su_say(&reason, "The sidecar of SnapUpscale wasn't running and is being started");
    }
    su_tell(why, room, &reason);
    return verdict == SU_FINE;
}

void su_link_close(void) {
    su_lock(&link_state.lock);
    const bool was_open = link_state.open;
    link_state.open = false;
    su_unlock(&link_state.lock);
    drop(true);
    su_lock(&link_state.lock);
    memset(&link_state.breaker, 0, sizeof link_state.breaker);
    memset(&link_state.starts, 0, sizeof link_state.starts);
    link_state.warm_after = 0;
    su_unlock(&link_state.lock);
    if (was_open) su_network_close();
}
