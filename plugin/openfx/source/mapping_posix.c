/* Mappings of Linux and macOS: files that only this user can open, in memory where the system has such a folder. */
#ifdef __APPLE__
#define _DARWIN_C_SOURCE
#else
#define _GNU_SOURCE
#endif
#include "mapping.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "snapupscale-"
enum { SWEEP_AFTER = 60 };

#ifndef MAP_POPULATE
#define MAP_POPULATE 0
#endif

#ifdef __APPLE__
static bool allocate(int file, size_t bytes) {
    fstore_t store = {.fst_flags = F_ALLOCATEALL, .fst_posmode = F_PEOFPOSMODE, .fst_length = (off_t)bytes};
    return fcntl(file, F_PREALLOCATE, &store) != -1 && ftruncate(file, (off_t)bytes) == 0;
}
#else
/* In small steps: a signal undoes the step that it interrupts, and a host that samples itself sends many. */
static bool allocate(int file, size_t bytes) {
    const size_t step = (size_t)1 << 20;
    for (size_t done = 0; done < bytes;) {
        const size_t part = bytes - done < step ? bytes - done : step;
        const int error = posix_fallocate(file, (off_t)done, (off_t)part);
        if (error == 0) done += part;
        else if (error != EINTR) return false;
    }
    return true;
}
#endif

static bool make_in(struct su_mapping *mapping, const char *folder, size_t bytes) {
    char chance[17];
    if (!su_random_hex(chance, 16)) return false;
    const int length =
        snprintf(mapping->name, sizeof mapping->name, "%s/" PREFIX "%ld-%s", folder, su_process_id(), chance);
    if (length < 0 || (size_t)length >= sizeof mapping->name) return false;
    const int file = open(mapping->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return false;
    mapping->named = true;
    /* The mode that was asked for is cut by the umask, and the sidecar wants it exactly. */
    void *data = MAP_FAILED;
    if (fchmod(file, 0600) == 0 && allocate(file, bytes)) {
        data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    }
    close(file);
    if (data == MAP_FAILED) {
        su_mapping_hide(mapping);
        return false;
    }
    mapping->data = data;
    mapping->bytes = bytes;
    return true;
}

/* A file that grows beyond this limit raises a signal that ends the host. */
static bool may_grow_to(size_t bytes) {
    struct rlimit most;
    return getrlimit(RLIMIT_FSIZE, &most) != 0 || most.rlim_cur == RLIM_INFINITY || bytes <= most.rlim_cur;
}

bool su_mapping_make(struct su_mapping *mapping, size_t bytes) {
    struct su_folders folders;
    su_shared_folders(&folders);
    memset(mapping, 0, sizeof *mapping);
    if (bytes > (size_t)PTRDIFF_MAX || !may_grow_to(bytes)) return false;
    for (int i = 0; i < folders.count; i++) {
        if (!make_in(mapping, folders.path[i], bytes)) continue;
        if (su_mapping_sign(mapping)) return true;
        su_mapping_free(mapping);
        return false;
    }
    return false;
}

void su_mapping_hide(struct su_mapping *mapping) {
    if (mapping->named) unlink(mapping->name);
    mapping->named = false;
}

void su_mapping_free(struct su_mapping *mapping) {
    su_mapping_hide(mapping);
    if (mapping->data) munmap(mapping->data, mapping->bytes);
    memset(mapping, 0, sizeof *mapping);
}

/* The process in the name of a mapping's file; 0 for other names. */
static long maker(const char *name) {
    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0 || !isdigit((unsigned char)name[sizeof PREFIX - 1])) return 0;
    char *end;
    errno = 0;
    const long process = strtol(name + sizeof PREFIX - 1, &end, 10);
    const bool sound = errno == 0 && process > 0 && process <= INT_MAX && *end == '-' && strlen(end) == 17;
    return sound && strspn(end + 1, "0123456789abcdef") == 16 ? process : 0;
}

/* One just made may be of a process that can't be seen from here, in another container. */
static bool is_old_and_own(int folder, const char *name) {
#ifdef __APPLE__
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
    return S_ISREG(status.st_mode) && status.st_uid == geteuid() && time(NULL) - status.st_mtime > SWEEP_AFTER;
#else
    struct statx status;
    if (statx(folder, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) != 0) return false;
    return S_ISREG(status.stx_mode) && status.stx_uid == geteuid() &&
           time(NULL) - status.stx_mtime.tv_sec > SWEEP_AFTER;
#endif
}

static void sweep(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const long process = maker(entry->d_name);
        if (process == 0 || kill((pid_t)process, 0) == 0 || errno != ESRCH) continue;
        if (is_old_and_own(dirfd(folder), entry->d_name)) unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
}

void su_mapping_sweep(void) {
    struct su_folders folders;
    su_shared_folders(&folders);
    for (int i = 0; i < folders.count; i++) sweep(folders.path[i]);
}
