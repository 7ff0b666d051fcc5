/* Starting a program on Windows. */
#include "start.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { MOST_LINE = 8192 };

/* Appends an argument as programs take a command line apart: backslashes count before a quotation mark only. */
static size_t quote(wchar_t *line, size_t at, const wchar_t *argument) {
    size_t slashes = 0;
    if (at > 0) line[at++] = L' ';
    line[at++] = L'"';
    for (; *argument; argument++) {
        if (*argument == L'"') {
            for (size_t i = 0; i <= slashes; i++) line[at++] = L'\\';
        }
        slashes = *argument == L'\\' ? slashes + 1 : 0;
        line[at++] = *argument;
    }
    for (size_t i = 0; i < slashes; i++) line[at++] = L'\\';
    line[at++] = L'"';
    line[at] = 0;
    return at;
}

static bool command_line(const struct su_command *command, wchar_t *line) {
    size_t at = 0;
    for (int i = 0; command->argument[i]; i++) {
        wchar_t wide[sizeof command->text];
        if (MultiByteToWideChar(CP_UTF8, 0, command->argument[i], -1, wide, sizeof command->text) == 0) return false;
        if (at + 2 * wcslen(wide) + 4 > MOST_LINE) return false;
        at = quote(line, at, wide);
    }
    return true;
}

static bool is_kept(const wchar_t *variable) {
    char name[64];
    size_t length = 0;
    /* The names of drives' folders begin with =, which is part of the name. */
    while (length < sizeof name && variable[length] && (length == 0 || variable[length] != L'=')) {
        name[length] = variable[length] < 128 ? (char)variable[length] : '?';
        length++;
    }
    return !su_variable_foreign(name, length);
}

/* The block for CreateProcess: variables one after the other, and an empty one. */
static wchar_t *own_environment(void) {
    wchar_t *const all = GetEnvironmentStringsW();
    size_t room = 1, used = 0;
    if (!all) return NULL;
    for (const wchar_t *each = all; *each; each += wcslen(each) + 1) room += wcslen(each) + 1;
    wchar_t *own = calloc(room + 1, sizeof *own);
    for (const wchar_t *each = all; own && *each; each += wcslen(each) + 1) {
        if (!is_kept(each)) continue;
        wcscpy(own + used, each);
        used += wcslen(each) + 1;
    }
    FreeEnvironmentStringsW(all);
    return own;
}

bool su_start(const struct su_command *command, struct su_why *why) {
    const DWORD flags =
        DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT;
    STARTUPINFOW start = {.cb = sizeof start};
    PROCESS_INFORMATION process;
    wchar_t folder[MAX_PATH + 1];
    wchar_t *const line = calloc(MOST_LINE, sizeof *line);
    wchar_t *const environment = own_environment();
    bool done = line && environment && command_line(command, line) && GetTempPathW(MAX_PATH + 1, folder) > 0;
    done = done && CreateProcessW(NULL, line, NULL, NULL, FALSE, flags, environment, folder, &start, &process);
    if (done) {
        CloseHandle(process.hThread);
        CloseHandle(process.hProcess);
    } else {
        su_say(why, "The sidecar of SnapUpscale can't be started (error %lu): install SnapUpscale again",
               GetLastError());
    }
    free(environment);
    free(line);
    return done;
}
