/* What tests may turn that the link itself gives no handle to: its clock, and where its mappings lie.
 *
 * Linked with --wrap=su_now and --wrap=su_shared_folders. */
#include <string.h>

#include "breaker.h"
#include "published.h"
#include "start.h"
#include "tail.h"

double __real_su_now(void);
double __wrap_su_now(void);
void __real_su_shared_folders(struct su_folders *folders);
void __wrap_su_shared_folders(struct su_folders *folders);
void probe_advance(double seconds);
void probe_mappings_in(const char *folder);
size_t probe_look(const struct su_look *look, char *text, size_t room);
bool probe_address(const char *text, size_t length, unsigned *port, char *token);
bool probe_foreign(const char *name);

static _Atomic double advance;
static char folder_of_mappings[SU_PATH];

double __wrap_su_now(void) {
    return __real_su_now() + advance;
}

void probe_advance(double seconds) {
    advance = advance + seconds;
}

/* NULL: where they lie otherwise. */
void probe_mappings_in(const char *folder) {
    folder_of_mappings[0] = 0;
    if (folder) strncat(folder_of_mappings, folder, sizeof folder_of_mappings - 1);
}

void __wrap_su_shared_folders(struct su_folders *folders) {
    __real_su_shared_folders(folders);
    if (!folder_of_mappings[0]) return;
    folders->count = 0;
    su_folders_add(folders, folder_of_mappings, "");
}

size_t probe_look(const struct su_look *look, char *text, size_t room) {
    struct su_tail tail;
    su_tail_look(&tail, look);
    if (tail.full || tail.length > room) return 0;
    memcpy(text, tail.data, tail.length);
    return tail.length;
}

bool probe_address(const char *text, size_t length, unsigned *port, char *token) {
    struct su_address address;
    const bool sound = su_address_parse(&address, text, length);
    *port = address.port;
    strcpy(token, address.token);
    return sound;
}

bool probe_foreign(const char *name) {
    return su_variable_foreign(name, strlen(name));
}
