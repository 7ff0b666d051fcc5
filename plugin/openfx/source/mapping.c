/* The parts of a mapping that are the same on all systems. */
#include "mapping.h"

static unsigned char digit(char text) {
    return (unsigned char)(text <= '9' ? text - '0' : text - 'a' + 10);
}

bool su_mapping_sign(struct su_mapping *mapping) {
    if (!su_random_hex(mapping->cookie, 2 * SU_COOKIE_BYTES)) return false;
    for (size_t i = 0; i < SU_COOKIE_BYTES; i++) {
        mapping->data[i] = (unsigned char)(digit(mapping->cookie[2 * i]) << 4 | digit(mapping->cookie[2 * i + 1]));
    }
    return true;
}
