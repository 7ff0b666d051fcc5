/* The parts of the system layer that are the same everywhere. */
#include "system.h"

#include <stdio.h>
#include <string.h>

void su_folders_add(struct su_folders *folders, const char *base, const char *below) {
    if (!base || !base[0] || folders->count == SU_MOST_FOLDERS) return;
    char *path = folders->path[folders->count];
    const int length = snprintf(path, SU_PATH, "%s%s", base, below);
    if (length < 0 || length >= SU_PATH) return;
    for (int i = 0; i < folders->count; i++) {
        if (strcmp(folders->path[i], path) == 0) return;
    }
    folders->count++;
}
