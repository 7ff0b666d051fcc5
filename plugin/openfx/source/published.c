/* Reading link files. */
#include "published.h"

#include <stdio.h>
#include <string.h>

enum { FEWEST_TOKEN = 16, MOST_BYTES = 512 };

#ifdef _WIN32
#define BELOW "\\snapupscale"
#else
#define BELOW "/snapupscale"
#endif

static bool skip(const char **text, const char *end, const char *word) {
    const size_t length = strlen(word);
    if ((size_t)(end - *text) < length || memcmp(*text, word, length) != 0) return false;
    *text += length;
    return true;
}

/* A decimal number from 1 to `most`, without sign or leading zeros. */
static bool number(const char **text, const char *end, int64_t most, int64_t *value) {
    *value = 0;
    if (*text < end && **text == '0') return false;
    while (*text < end && **text >= '0' && **text <= '9') {
        const int64_t next = *value * 10 + (**text - '0');
        if (next > most) return false;
        *value = next;
        ++*text;
    }
    return *value > 0;
}

static bool is_token(char letter) {
    const char *const others = "-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return letter && strchr(others, letter);
}

bool su_address_parse(struct su_address *address, const char *text, size_t length) {
    const char *const end = text + length;
    int64_t process, port;
    size_t count = 0;
    memset(address, 0, sizeof *address);
    if (!skip(&text, end, "snapupscale-frames 1 ") || !number(&text, end, 0xFFFFFFFF, &process)) return false;
    if (!skip(&text, end, " ") || !number(&text, end, 65535, &port) || !skip(&text, end, " ")) return false;
    while (text + count < end && is_token(text[count])) count++;
    if (count < FEWEST_TOKEN || count > SU_MOST_TOKEN || end - text != (ptrdiff_t)count + 1 || text[count] != '\n') {
        return false;
    }
    address->process = process;
    address->port = (unsigned)port;
    memcpy(address->token, text, count);
    return true;
}

void su_published_read(struct su_published *published, const struct su_folders *folders) {
    memset(published, 0, sizeof *published);
    for (int i = 0; i < folders->count; i++) {
        char folder[SU_PATH + sizeof BELOW], text[MOST_BYTES];
        snprintf(folder, sizeof folder, "%s" BELOW, folders->path[i]);
        const size_t length = su_read_private(folder, "frames.link", text, sizeof text);
        struct su_address found;
        if (su_address_parse(&found, text, length)) published->address[published->count++] = found;
    }
}

bool su_published_same(const struct su_published *one, const struct su_published *other) {
    if (one->count != other->count) return false;
    for (int i = 0; i < one->count; i++) {
        const struct su_address *first = &one->address[i], *second = &other->address[i];
        if (first->port != second->port || first->process != second->process) return false;
        if (strcmp(first->token, second->token) != 0) return false;
    }
    return true;
}
