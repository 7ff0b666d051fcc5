#ifdef __linux__
#define _GNU_SOURCE
#else
#define _DARWIN_C_SOURCE
#endif
#include "bundle.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

bool su_bundle_resources(char *path, size_t room) {
    static const char here;
    Dl_info info;
    if (!dladdr(&here, &info) || !info.dli_fname)
        return false;
    char *module = realpath(info.dli_fname, NULL); /* hosts may load by a relative path */
    const bool fits = module && strlen(module) < room;
    if (fits)
        strcpy(path, module);
    free(module);
    return fits && su_bundle_resources_of(path, room);
}
