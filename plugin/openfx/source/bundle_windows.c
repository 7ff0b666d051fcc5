#include "bundle.h"

#include <windows.h>

#define LONGEST 32768 /* characters of a path */

bool su_bundle_resources(char *path, size_t room) {
    static const char here;
    HMODULE module;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (LPCWSTR)(const void *)&here, &module))
        return false;
    wchar_t *wide = HeapAlloc(GetProcessHeap(), 0, LONGEST * sizeof *wide);
    if (!wide)
        return false;
    const DWORD length = GetModuleFileNameW(module, wide, LONGEST);
    const int limit = room < INT_MAX ? (int)room : INT_MAX;
    const bool fits = length > 0 && length < LONGEST &&
                      WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, path, limit, NULL, NULL) > 0;
    HeapFree(GetProcessHeap(), 0, wide);
    return fits && su_bundle_resources_of(path, room);
}
