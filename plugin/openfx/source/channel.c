/* Requests and replies on one connection. */
#include "channel.h"

#include <string.h>

#include "picture.h"
#include "tail.h"

enum { SLICE = 20 };
static const double CONNECT = 0.2, GREET = 1.0, SHARE = 10.0, DRAIN = 2.0; /* seconds */

static double sooner(double one, double other) {
    return one < other ? one : other;
}

static int slice_until(double until) {
    const double left = (until - su_now()) * 1000;
    return left < SLICE ? (int)left + 1 : SLICE;
}

static bool wants_stop(const struct su_patience *patience) {
    return patience->wait && patience->wait->aborted && patience->wait->aborted(patience->wait->context);
}

bool su_patience_nap(const struct su_patience *patience, int milliseconds, enum su_verdict *verdict) {
    *verdict = wants_stop(patience) ? SU_STOPPED : su_now() >= patience->until ? SU_DECLINED : SU_FINE;
    if (*verdict == SU_FINE) su_pause(milliseconds);
    return *verdict == SU_FINE;
}

static bool is_cut(const struct su_patience *patience) {
    return patience->cut && *patience->cut;
}

/* At most one slice; SU_BROKEN once the time is over, SU_LOST for a connection to be given up. The event may not have
 * come. */
static enum su_verdict wait_for(const struct su_channel *channel, enum su_event event, double until,
                                const struct su_patience *patience) {
    if (wants_stop(patience)) return SU_STOPPED;
    if (is_cut(patience)) return SU_LOST;
    if (su_now() >= until) return SU_BROKEN;
    su_socket_wait(channel->socket, event, slice_until(until));
    return SU_FINE;
}

void su_channel_close(struct su_channel *channel) {
    if (channel->connected) su_socket_close(channel->socket);
    su_mapping_free(&channel->mapping);
    memset(channel, 0, sizeof *channel);
}

void su_channel_leave(struct su_channel *channel) {
    const struct su_header header = {.version = SU_WIRE_VERSION, .op = SU_BYE, .seq = channel->seq + 1};
    unsigned char data[SU_HEADER_BYTES];
    su_header_write(&header, data);
    if (channel->connected) su_socket_send(channel->socket, data, sizeof data);
    su_channel_close(channel);
}

static enum su_verdict fail(struct su_channel *channel, enum su_verdict verdict) {
    su_channel_close(channel);
    return verdict;
}

static enum su_verdict lost(struct su_channel *channel, struct su_why *why) {
    su_say(why, "The sidecar closed the connection");
    return fail(channel, SU_LOST);
}

/* Sends a header and its tail as a whole, or closes the channel: half a request can't be taken back. */
static enum su_verdict send_whole(struct su_channel *channel, const struct su_header *header, const char *tail,
                                  const struct su_patience *patience, struct su_why *why) {
    unsigned char data[SU_HEADER_BYTES + SU_MOST_TAIL];
    const size_t bytes = SU_HEADER_BYTES + header->tail;
    su_header_write(header, data);
    if (header->tail > 0) memcpy(data + SU_HEADER_BYTES, tail, header->tail);
    for (size_t done = 0; done < bytes;) {
        const long part = su_socket_send(channel->socket, data + done, bytes - done);
        if (part == SU_GONE) return lost(channel, why);
        if (part > 0) {
            done += (size_t)part;
            continue;
        }
        const enum su_verdict verdict = wait_for(channel, SU_WRITABLE, patience->until, patience);
        if (verdict == SU_BROKEN) su_say(why, "The sidecar takes no requests");
        if (verdict != SU_FINE) return fail(channel, verdict);
    }
    return SU_FINE;
}

/* Sends a request whose reply is owed from then on. */
static enum su_verdict request(struct su_channel *channel, struct su_header header, const struct su_tail *tail,
                               const struct su_patience *patience, struct su_why *why) {
    if (tail->full) {
        su_say(why, "The names are too long for the sidecar");
        return SU_DECLINED;
    }
    header.version = SU_WIRE_VERSION;
    header.seq = ++channel->seq;
    header.tail = (uint32_t)tail->length;
    const enum su_verdict verdict = send_whole(channel, &header, tail->data, patience, why);
    if (verdict == SU_FINE) channel->owed = header;
    return verdict;
}

/* Reads what has come of the reply, and not a byte of what follows it. SU_FINE once all is there, SU_STOPPED while it
 * isn't. */
static enum su_verdict read_reply(struct su_channel *channel, struct su_header *reply, struct su_why *why) {
    for (;;) {
        size_t whole = SU_HEADER_BYTES;
        if (channel->received >= SU_HEADER_BYTES) {
            if (!su_header_read(reply, channel->incoming)) {
                su_say(why, "What listens where the sidecar should be is something else");
                return fail(channel, SU_BROKEN);
            }
            whole += reply->tail;
            if (channel->received == whole) return SU_FINE;
        }
        const long part =
            su_socket_receive(channel->socket, channel->incoming + channel->received, whole - channel->received);
        if (part == SU_GONE) return lost(channel, why);
        if (part == SU_WOULD_BLOCK) return SU_STOPPED;
        channel->received += (size_t)part;
    }
}

static bool answers(const struct su_header *reply, const struct su_header *asked) {
    if (reply->op != asked->op || reply->seq != asked->seq || reply->slot != asked->slot) return false;
    if (asked->op != SU_RENDER || reply->status != SU_OK) return true;
    return reply->width == asked->width && reply->height == asked->height && reply->format == asked->format &&
           reply->bytes == asked->bytes;
}

/* What a reply means that has come as a whole. */
static enum su_verdict judge(struct su_channel *channel, const struct su_header *reply, struct su_why *why) {
    const char *const said = (const char *)channel->incoming + SU_HEADER_BYTES;
    if (reply->version != SU_WIRE_VERSION || reply->status == SU_BAD_VERSION) {
        su_say(why, "The sidecar is of another version than this effect: install SnapUpscale again");
        return fail(channel, SU_BROKEN);
    }
    if (!answers(reply, &channel->owed)) {
        su_say(why, "The sidecar answered something that wasn't asked");
        return fail(channel, SU_BROKEN);
    }
    channel->owed.op = 0;
    channel->received = 0;
    if (reply->status == SU_OK) return SU_FINE;
    su_quote(why, said, reply->tail, "The sidecar refused without a reason");
    switch (reply->status) {
    case SU_CANCELLED:
    case SU_BAD_REQUEST:
    case SU_FAULT:
    case SU_BUSY: return SU_DECLINED;
    default: return fail(channel, SU_BROKEN);
    }
}

/* The mapping is known to the sidecar from now on, or of no use. */
static void finish_map(struct su_channel *channel, enum su_verdict verdict) {
    channel->mapped = verdict == SU_FINE;
    if (channel->mapped) su_mapping_hide(&channel->mapping);
    else su_mapping_free(&channel->mapping);
}

static enum su_verdict take_reply(struct su_channel *channel, struct su_why *why) {
    struct su_header reply;
    const unsigned asked = channel->owed.op;
    enum su_verdict verdict = read_reply(channel, &reply, why);
    if (verdict != SU_FINE) return verdict;
    verdict = judge(channel, &reply, why);
    if (asked == SU_MAP && channel->connected) finish_map(channel, verdict);
    return verdict;
}

/* Waits for the reply that is owed. After SU_STOPPED it is still owed. */
static enum su_verdict await(struct su_channel *channel, double until, const struct su_patience *patience,
                             struct su_why *why) {
    for (;;) {
        enum su_verdict verdict = take_reply(channel, why);
        if (verdict != SU_STOPPED) return verdict;
        verdict = wait_for(channel, SU_READABLE, until, patience);
        if (verdict == SU_STOPPED) return SU_STOPPED;
        if (verdict == SU_LOST) return lost(channel, why);
        if (verdict == SU_BROKEN) {
            su_say(why, "The sidecar did not answer in time");
            return fail(channel, SU_BROKEN);
        }
    }
}

static enum su_verdict greet(struct su_channel *channel, const struct su_address *address,
                             const struct su_patience *patience, struct su_why *why) {
    const struct su_header header = {.op = SU_HELLO};
    struct su_tail tail;
    su_tail_hello(&tail, address->token, su_process_id());
    enum su_verdict verdict = request(channel, header, &tail, patience, why);
    if (verdict == SU_FINE) verdict = await(channel, sooner(su_now() + GREET, patience->until), patience, why);
    /* One that wasn't let in is of no use, whatever the reason. */
    if (verdict != SU_FINE) su_channel_close(channel);
    return verdict;
}

enum su_verdict su_channel_connect(struct su_channel *channel, const struct su_address *address,
                                   const struct su_patience *patience, struct su_why *why) {
    const double until = sooner(su_now() + CONNECT, patience->until);
    enum su_verdict verdict = SU_FINE;
    su_say(why, "The sidecar of SnapUpscale isn't running");
    su_channel_close(channel);
    channel->socket = su_socket_begin(address->port);
    if (channel->socket == SU_NO_SOCKET) return SU_ABSENT;
    channel->connected = true;
    while (verdict == SU_FINE && !su_socket_wait(channel->socket, SU_WRITABLE, 0)) {
        verdict = wait_for(channel, SU_WRITABLE, until, patience);
    }
    if (verdict == SU_STOPPED || verdict == SU_LOST) return fail(channel, verdict);
    /* In loopback only a port on which nobody listens takes long, on Windows. */
    if (verdict != SU_FINE || !su_socket_connected(channel->socket, address->port)) return fail(channel, SU_ABSENT);
    return greet(channel, address, patience, why);
}

int su_channel_rank(const struct su_channel *channel, size_t bytes) {
    if (!channel->connected) return 2;
    /* A frame that was given up may run on for a while; other replies come soon. */
    if (channel->owed.op == SU_RENDER && !su_socket_wait(channel->socket, SU_READABLE, 0)) return 3;
    return channel->mapping.data && channel->mapping.bytes >= bytes + SU_PICTURE_OFFSET ? 0 : 1;
}

/* The reply that is owed didn't come. That a frame goes on after it was given up is no fault of the connection; all else
 * is answered soon. */
static enum su_verdict give_up(struct su_channel *channel, struct su_why *why) {
    const bool is_frame = channel->owed.op == SU_RENDER;
    if (!is_frame) su_say(why, "The sidecar did not answer in time");
    return fail(channel, is_frame ? SU_FINE : SU_BROKEN);
}

enum su_verdict su_channel_settle(struct su_channel *channel, const struct su_patience *patience, struct su_why *why) {
    while (channel->connected && channel->owed.op != 0) {
        if (take_reply(channel, why) != SU_STOPPED) continue;
        if (su_now() >= channel->owed_until) return give_up(channel, why);
        const enum su_verdict verdict = wait_for(channel, SU_READABLE, patience->until, patience);
        if (verdict == SU_LOST) return lost(channel, why);
        if (verdict == SU_BROKEN) su_say(why, "The sidecar is still busy with what it was asked before");
        if (verdict != SU_FINE) return verdict == SU_BROKEN ? SU_DECLINED : verdict;
    }
    /* Nothing is to come now: what can be read is the end, or makes no sense. */
    if (channel->connected && su_socket_wait(channel->socket, SU_READABLE, 0)) su_channel_close(channel);
    return SU_FINE;
}

/* Has a mapping that is large enough, and that the sidecar has too. */
static enum su_verdict share(struct su_channel *channel, size_t picture, const struct su_patience *patience,
                             struct su_why *why) {
    const size_t bytes = (SU_PICTURE_OFFSET + picture + 4095) / 4096 * 4096;
    if (channel->mapped && channel->mapping.bytes >= bytes) return SU_FINE;
    channel->mapped = false;
    su_mapping_free(&channel->mapping);
    if (!su_mapping_make(&channel->mapping, bytes)) {
        su_say(why, "There is no room for a picture of %lu MB in shared memory: free some, or make it larger",
               (unsigned long)(bytes >> 20));
        return SU_DECLINED;
    }
    const struct su_header header = {.op = SU_MAP, .bytes = bytes};
    struct su_tail tail;
    su_tail_map(&tail, channel->mapping.name, channel->mapping.cookie);
    enum su_verdict verdict = request(channel, header, &tail, patience, why);
    channel->owed_until = su_now() + SHARE;
    if (verdict == SU_FINE) verdict = await(channel, sooner(channel->owed_until, patience->until), patience, why);
    if (verdict == SU_DECLINED) su_mapping_free(&channel->mapping);
    return verdict;
}

/* Asks the sidecar to give the frame up. Its reply is still to come, and read before the channel is used again. */
static void cancel(struct su_channel *channel) {
    const struct su_header header = {.version = SU_WIRE_VERSION, .op = SU_CANCEL, .seq = channel->owed.seq};
    unsigned char data[SU_HEADER_BYTES];
    su_header_write(&header, data);
    channel->owed_until = su_now() + DRAIN;
    if (su_socket_send(channel->socket, data, sizeof data) != (long)sizeof data) su_channel_close(channel);
}

enum su_verdict su_channel_render(struct su_channel *channel, const struct su_frame *frame, const struct su_look *look,
                                  const struct su_patience *patience, struct su_why *why) {
    const struct su_header header = {
        .op = SU_RENDER,
        .width = (uint32_t)frame->width,
        .height = (uint32_t)frame->height,
        .format = (uint32_t)frame->depth | (uint32_t)frame->components << 8,
        .flags = (frame->premultiplied ? SU_FLAG_PREMULTIPLIED : 0u) | (frame->interactive ? SU_FLAG_INTERACTIVE : 0u),
        .offset = SU_PICTURE_OFFSET,
        .bytes = su_frame_bytes(frame),
    };
    struct su_tail tail;
    enum su_verdict verdict = share(channel, su_frame_bytes(frame), patience, why);
    if (verdict != SU_FINE) return verdict;
    su_frame_copy_in(frame, channel->mapping.data + SU_PICTURE_OFFSET);
    su_tail_look(&tail, look);
    verdict = request(channel, header, &tail, patience, why);
    if (verdict == SU_FINE) verdict = await(channel, patience->until, patience, why);
    if (verdict == SU_STOPPED && channel->connected) cancel(channel);
    if (verdict == SU_FINE) su_frame_copy_out(frame, channel->mapping.data + SU_PICTURE_OFFSET);
    return verdict;
}

enum su_verdict su_channel_warm(struct su_channel *channel, const struct su_look *look,
                                const struct su_patience *patience, struct su_why *why) {
    const struct su_header header = {.op = SU_WARM};
    struct su_tail tail;
    su_tail_look(&tail, look);
    const enum su_verdict verdict = request(channel, header, &tail, patience, why);
    channel->owed_until = su_now() + GREET;
    return verdict;
}
