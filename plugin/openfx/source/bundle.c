#include "bundle.h"

#include <string.h>

#define FOLDER "Resources"

/* Cuts the last part off, and leaves the slash. */
static bool cut(char *path, size_t *length) {
    size_t end = *length;
    while (end > 0 && (path[end - 1] == '/' || path[end - 1] == '\\'))
        end--;
    while (end > 0 && path[end - 1] != '/' && path[end - 1] != '\\')
        end--;
    path[end] = '\0';
    *length = end;
    return end > 0;
}

bool su_bundle_resources_of(char *module, size_t room) {
    size_t length = strlen(module);
    if (!cut(module, &length) || !cut(module, &length) || length + sizeof FOLDER > room)
        return false;
    memcpy(module + length, FOLDER, sizeof FOLDER);
    return true;
}
