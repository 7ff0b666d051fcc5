/* Mappings of Windows: sections of the page file, which end with their last handle. */
#include "mapping.h"

#include <stdio.h>
#include <string.h>

bool su_mapping_make(struct su_mapping *mapping, size_t bytes) {
    char chance[17];
    wchar_t name[64];
    memset(mapping, 0, sizeof *mapping);
    if (!su_random_hex(chance, 16)) return false;
    snprintf(mapping->name, sizeof mapping->name, "Local\\snapupscale-%ld-%s", su_process_id(), chance);
    MultiByteToWideChar(CP_UTF8, 0, mapping->name, -1, name, 64);
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, (DWORD)((uint64_t)bytes >> 32),
                                        (DWORD)((uint64_t)bytes & 0xFFFFFFFFu), name);
    if (!section) return false;
    /* One that was there before isn't ours, whoever guessed the name. */
    const bool fresh = GetLastError() != ERROR_ALREADY_EXISTS;
    void *data = fresh ? MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, bytes) : NULL;
    if (!data) {
        CloseHandle(section);
        return false;
    }
    mapping->handle = (intptr_t)section;
    mapping->data = data;
    mapping->bytes = bytes;
    if (su_mapping_sign(mapping)) return true;
    su_mapping_free(mapping);
    return false;
}

/* The name goes with the last handle; there is no file that could stay. */
void su_mapping_hide(struct su_mapping *mapping) {
    mapping->named = false;
}

void su_mapping_free(struct su_mapping *mapping) {
    if (mapping->data) {
        UnmapViewOfFile(mapping->data);
        CloseHandle((HANDLE)mapping->handle);
    }
    memset(mapping, 0, sizeof *mapping);
}

void su_mapping_sweep(void) {
}
