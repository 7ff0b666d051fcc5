/* When and what to start; how is the system's part. */
#include "start.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 5 };
static const double BETWEEN = 30.0, COMING_UP = 20.0;

bool su_starts_allow(const struct su_starts *starts, double now) {
    return starts->count < MOST && (starts->last == 0 || now - starts->last >= BETWEEN);
}

bool su_starts_pending(const struct su_starts *starts, double now) {
    return now < starts->until;
}

void su_starts_begin(struct su_starts *starts, double now) {
    starts->count++;
    starts->last = now;
    starts->until = now + COMING_UP;
}

void su_starts_done(struct su_starts *starts) {
    starts->count = 0;
    starts->until = 0;
}

static bool is_absolute(const char *path) {
#ifdef _WIN32
    return (path[0] && path[1] == ':' && (path[2] == '\\' || path[2] == '/')) || (path[0] == '\\' && path[1] == '\\');
#else
    return path[0] == '/';
#endif
}

/* An empty line ends the command: no program takes an empty argument here. */
static bool split(struct su_command *command) {
    int count = 0;
    char *at = command->text;
    while (*at && *at != '\n' && *at != '\r') {
        char *const end = at + strcspn(at, "\r\n");
        if (count == SU_MOST_ARGUMENTS) return false;
        command->argument[count++] = at;
        at = end + (*end == '\r') + (end[*end == '\r'] == '\n');
        *end = 0;
    }
    command->argument[count] = NULL;
    return count > 0 && is_absolute(command->argument[0]);
}

bool su_command_read(struct su_command *command, const char *resources) {
    char path[SU_PATH];
    const int length = snprintf(path, sizeof path, "%s/sidecar.command", resources);
    if (!resources[0] || length < 0 || length >= SU_PATH) return false;
    const size_t bytes = su_read_file(path, command->text, sizeof command->text - 1);
    command->text[bytes] = 0;
    return bytes > 0 && split(command);
}

static bool begins(const char *name, size_t length, const char *with, bool whole) {
    const size_t count = strlen(with);
    if (length < count || (whole && length != count)) return false;
    for (size_t i = 0; i < count; i++) {
        const char upper = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
        if (upper != with[i]) return false;
    }
    return true;
}

bool su_variable_foreign(const char *name, size_t length) {
    static const char *const beginnings[] = {"PYTHON", "DYLD_", "_MEIPASS", "_PYI_", "FUSION_", "RESOLVE_", "QT_"};
    static const char *const names[] = {"LD_LIBRARY_PATH", "LD_PRELOAD", "__PYVENV_LAUNCHER__"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        if (begins(name, length, beginnings[i], false)) return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (begins(name, length, names[i], true)) return true;
    }
    return false;
}
