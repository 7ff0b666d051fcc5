/* The headers that the link and the sidecar exchange: 64 bytes, little-endian. */
#ifndef SNAPUPSCALE_WIRE_H
#define SNAPUPSCALE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SU_HEADER_BYTES = 64, SU_MOST_TAIL = 4096, SU_WIRE_VERSION = 1 };

enum su_op { SU_HELLO = 1, SU_MAP = 2, SU_RENDER = 3, SU_CANCEL = 4, SU_PING = 5, SU_BYE = 6, SU_WARM = 7 };

enum su_status {
    SU_OK = 0,
    SU_CANCELLED = 1,
    SU_BAD_TOKEN = 2,
    SU_BAD_VERSION = 3,
    SU_BAD_REQUEST = 4,
    SU_FAULT = 5,
    SU_BUSY = 6,
    SU_ENDING = 7
};

enum { SU_FLAG_TOP_DOWN = 1, SU_FLAG_PREMULTIPLIED = 2, SU_FLAG_INTERACTIVE = 4, SU_FLAG_CACHED = 8 };

struct su_header {
    uint16_t version, op;
    uint32_t seq, slot, width, height;
    uint32_t format; /* depth, and the components in the second byte */
    uint32_t flags;
    uint64_t offset, bytes; /* of the picture in the mapping; MAP: bytes of the whole mapping */
    uint64_t elapsed;       /* reply: microseconds */
    uint32_t tail;          /* bytes that follow */
    uint32_t status;
};

void su_header_write(const struct su_header *header, unsigned char data[SU_HEADER_BYTES]);
/* False for what no sidecar sends: another magic, or a tail that is too long. */
bool su_header_read(struct su_header *header, const unsigned char data[SU_HEADER_BYTES]);

#endif
