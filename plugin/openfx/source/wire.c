/* Writing and reading headers byte by byte, the same on every machine. */
#include "wire.h"

static const uint32_t MAGIC = 0x46554E53;

static unsigned char *put(unsigned char *at, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) *at++ = (unsigned char)(value >> (8 * i));
    return at;
}

static uint64_t get(const unsigned char **at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)*(*at)++ << (8 * i);
    return value;
}

void su_header_write(const struct su_header *header, unsigned char data[SU_HEADER_BYTES]) {
    const uint32_t words[] = {header->seq,    header->slot,   header->width,
                              header->height, header->format, header->flags};
    unsigned char *at = put(data, MAGIC, 4);
    at = put(at, header->version, 2);
    at = put(at, header->op, 2);
    for (int i = 0; i < 6; i++) at = put(at, words[i], 4);
    at = put(at, header->offset, 8);
    at = put(at, header->bytes, 8);
    at = put(at, header->elapsed, 8);
    at = put(at, header->tail, 4);
    put(at, header->status, 4);
}

bool su_header_read(struct su_header *header, const unsigned char data[SU_HEADER_BYTES]) {
    const unsigned char *at = data;
    const uint32_t magic = (uint32_t)get(&at, 4);
    header->version = (uint16_t)get(&at, 2);
    header->op = (uint16_t)get(&at, 2);
    header->seq = (uint32_t)get(&at, 4);
    header->slot = (uint32_t)get(&at, 4);
    header->width = (uint32_t)get(&at, 4);
    header->height = (uint32_t)get(&at, 4);
    header->format = (uint32_t)get(&at, 4);
    header->flags = (uint32_t)get(&at, 4);
    header->offset = get(&at, 8);
    header->bytes = get(&at, 8);
    header->elapsed = get(&at, 8);
    header->tail = (uint32_t)get(&at, 4);
    header->status = (uint32_t)get(&at, 4);
    return magic == MAGIC && header->tail <= SU_MOST_TAIL;
}
