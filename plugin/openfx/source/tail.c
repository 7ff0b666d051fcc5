/* Writing JSON without the C library's number formats, whose decimal point is the host's choice. */
#include "tail.h"

static void letter(struct su_tail *tail, char one) {
    if (tail->length == sizeof tail->data) {
        tail->full = true;
        return;
    }
    tail->data[tail->length++] = one;
}

static void plain(struct su_tail *tail, const char *text) {
    while (*text) letter(tail, *text++);
}

static void quoted(struct su_tail *tail, const char *text) {
    letter(tail, '"');
    for (; *text; text++) {
        const unsigned char one = (unsigned char)*text;
        if (one < 32 || one == 127) {
            plain(tail, "\\u00");
            letter(tail, "0123456789abcdef"[one >> 4]);
            letter(tail, "0123456789abcdef"[one & 15]);
            continue;
        }
        if (one == '"' || one == '\\') letter(tail, '\\');
        letter(tail, *text);
    }
    letter(tail, '"');
}

static void whole(struct su_tail *tail, uint64_t value, int digits) {
    char text[24];
    int length = 0;
    do text[length++] = (char)('0' + value % 10);
    while ((value /= 10) > 0 || length < digits);
    while (length > 0) letter(tail, text[--length]);
}

static void key(struct su_tail *tail, const char *name) {
    letter(tail, tail->length == 0 ? '{' : ',');
    quoted(tail, name);
    letter(tail, ':');
}

struct range {
    double low, high, otherwise; /* otherwise: for what is no number */
};

static double within(struct range range, double value) {
    if (value != value) return range.otherwise;
    return value < range.low ? range.low : value > range.high ? range.high : value;
}

/* Six decimals: a millionth of the picture is less than a pixel. */
static void number(struct su_tail *tail, const char *name, struct range range, double value) {
    const uint64_t millionths = (uint64_t)(within(range, value) * 1e6 + 0.5);
    key(tail, name);
    whole(tail, millionths / 1000000, 1);
    letter(tail, '.');
    whole(tail, millionths % 1000000, 6);
}

static void text(struct su_tail *tail, const char *name, const char *value) {
    key(tail, name);
    quoted(tail, value);
}

static void begin(struct su_tail *tail) {
    tail->length = 0;
    tail->full = false;
}

void su_tail_hello(struct su_tail *tail, const char *token, long process) {
    begin(tail);
    text(tail, "token", token);
    key(tail, "pid");
    whole(tail, (uint64_t)process, 1);
    text(tail, "client", "SnapUpscale OpenFX");
    letter(tail, '}');
}

void su_tail_map(struct su_tail *tail, const char *name, const char *cookie) {
    begin(tail);
    text(tail, "name", name);
    text(tail, "cookie", cookie);
    letter(tail, '}');
}

void su_tail_look(struct su_tail *tail, const struct su_look *look) {
    static const struct range factor = {1, 4, 2}, zoom = {1, 8, 1}, centre = {0, 1, 0.5}, share = {0, 1, 1};
    begin(tail);
    text(tail, "mode", look->mode == SU_PUNCH_IN ? "punch-in" : "restore");
    number(tail, "factor", factor, look->factor);
    number(tail, "zoom", zoom, look->zoom);
    number(tail, "centre_x", centre, look->centre_x);
    /* The sidecar counts rows from the top. */
    number(tail, "centre_y", centre, 1 - within(centre, look->centre_y));
    text(tail, "model", look->model ? look->model : "auto");
    number(tail, "strength", share, look->strength);
    number(tail, "denoise", share, look->denoise);
    letter(tail, '}');
}
