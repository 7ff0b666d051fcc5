/* Writing sentences into small rooms. */
#include "why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void su_say(struct su_why *why, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(why->text, sizeof why->text, format, values);
    va_end(values);
}

/* The length to cut at: `length`, or less where that is inside a letter. */
static size_t whole_letters(const char *text, size_t length) {
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
    return length;
}

void su_quote(struct su_why *why, const char *text, size_t length, const char *otherwise) {
    if (length == 0) {
        su_say(why, "%s", otherwise);
        return;
    }
    if (length >= sizeof why->text) length = whole_letters(text, sizeof why->text - 1);
    for (size_t i = 0; i < length; i++) why->text[i] = (unsigned char)text[i] < 32 || text[i] == 127 ? ' ' : text[i];
    why->text[length] = 0;
}

void su_tell(char *text, size_t room, const struct su_why *why) {
    if (!text || room == 0) return;
    size_t length = strlen(why->text);
    if (length >= room) length = whole_letters(why->text, room - 1);
    memcpy(text, why->text, length);
    text[length] = 0;
}
