/* The system layer of Linux and macOS. */
#ifdef __APPLE__
#define _DARWIN_C_SOURCE
#else
#define _GNU_SOURCE
#endif
#include "system.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
#include <pwd.h>
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

void su_lock(struct su_lock *lock) {
    pthread_mutex_lock(&lock->inner);
}

void su_unlock(struct su_lock *lock) {
    pthread_mutex_unlock(&lock->inner);
}

double su_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* A signal may cut it short; all who call it look at the clock. */
void su_pause(int milliseconds) {
    poll(NULL, 0, milliseconds);
}

long su_process_id(void) {
    return (long)getpid();
}

/* A descriptor read to its end or to the room; 0 if it doesn't fit. */
static size_t read_whole(int file, char *text, size_t room) {
    size_t done = 0;
    while (done < room) {
        const ssize_t part = read(file, text + done, room - done);
        if (part < 0 && errno == EINTR) continue;
        if (part <= 0) return part < 0 ? 0 : done;
        done += (size_t)part;
    }
    return 0;
}

bool su_random_hex(char *digits, size_t count) {
    unsigned char chance[32];
    const int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    ssize_t part;
    if (file < 0) return false;
    do part = read(file, chance, sizeof chance);
    while (part < 0 && errno == EINTR);
    close(file);
    if (part != (ssize_t)sizeof chance || count > 2 * sizeof chance) return false;
    for (size_t i = 0; i < count; i++) digits[i] = "0123456789abcdef"[(chance[i / 2] >> (i % 2 * 4)) & 15];
    digits[count] = 0;
    return true;
}

bool su_network_open(void) {
    return true;
}

void su_network_close(void) {
}

static int open_socket(void) {
#ifdef __APPLE__
    const int handle = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    if (handle < 0) return -1;
    if (fcntl(handle, F_SETFD, FD_CLOEXEC) == 0 && fcntl(handle, F_SETFL, O_NONBLOCK) == 0 &&
        setsockopt(handle, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) == 0) {
        return handle;
    }
    close(handle);
    return -1;
#else
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
#endif
}

su_socket su_socket_begin(unsigned port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const int on = 1;
    const int handle = open_socket();
    if (handle < 0) return SU_NO_SOCKET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(handle, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS || errno == EINTR) {
        return handle;
    }
    close(handle);
    return SU_NO_SOCKET;
}

bool su_socket_connected(su_socket handle, unsigned port) {
    int error = 0;
    socklen_t length = sizeof error;
    struct sockaddr_in own = {0};
    socklen_t own_length = sizeof own;
    if (getsockopt((int)handle, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) return false;
    if (getsockname((int)handle, (struct sockaddr *)&own, &own_length) != 0) return false;
    /* Where nobody listens, the system may have given this end that very port: it is connected to itself. */
    return ntohs(own.sin_port) != port;
}

bool su_socket_wait(su_socket handle, enum su_event event, int milliseconds) {
    struct pollfd one = {.fd = (int)handle, .events = event == SU_READABLE ? POLLIN : POLLOUT};
    return poll(&one, 1, milliseconds) > 0;
}

static long transferred(ssize_t bytes) {
    if (bytes >= 0) return (long)bytes;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? SU_WOULD_BLOCK : SU_GONE;
}

long su_socket_send(su_socket handle, const void *data, size_t bytes) {
    return transferred(send((int)handle, data, bytes, MSG_NOSIGNAL));
}

long su_socket_receive(su_socket handle, void *data, size_t room) {
    const ssize_t bytes = recv((int)handle, data, room, 0);
    return bytes == 0 ? SU_GONE : transferred(bytes);
}

void su_socket_close(su_socket handle) {
    close((int)handle);
}

void su_runtime_folders(struct su_folders *folders) {
    const char *chosen = getenv("XDG_RUNTIME_DIR");
    folders->count = 0;
    if (chosen && chosen[0] == '/') su_folders_add(folders, chosen, "");
#ifdef __APPLE__
    const char *home = getenv("HOME");
    const struct passwd *user = home && home[0] == '/' ? NULL : getpwuid(getuid());
    su_folders_add(folders, user ? user->pw_dir : home, "/Library/Caches/TemporaryItems");
#else
    static const char *const names[] = {"TMPDIR", "TEMP", "TMP"};
    char below[32];
    const char *temporary = "/tmp";
    for (size_t i = sizeof names / sizeof *names; i-- > 0;) {
        const char *value = getenv(names[i]);
        if (value && value[0] == '/') temporary = value;
    }
    snprintf(below, sizeof below, "/%lu", (unsigned long)geteuid());
    su_folders_add(folders, "/run/user", below);
    snprintf(below, sizeof below, "/runtime-%lu", (unsigned long)geteuid());
    su_folders_add(folders, temporary, below);
#endif
}

void su_shared_folders(struct su_folders *folders) {
    const char *temporary = getenv("TMPDIR");
    folders->count = 0;
#ifndef __APPLE__
    su_folders_add(folders, "/dev/shm", "");
    su_folders_add(folders, getenv("XDG_RUNTIME_DIR"), "");
#endif
    su_folders_add(folders, temporary && temporary[0] == '/' ? temporary : "/tmp", "");
}

/* Whether what is open belongs to this user, is of that kind, and nobody else may open it. */
static bool is_private(int handle, mode_t kind) {
#ifdef __APPLE__
    struct stat status;
    if (fstat(handle, &status) != 0) return false;
    const mode_t mode = status.st_mode;
    const uid_t owner = status.st_uid;
#else
    /* Not fstat: built on a new system, it needs a C library newer than that of the systems that Resolve is for. */
    struct statx status;
    if (statx(handle, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) != 0) return false;
    const mode_t mode = status.stx_mode;
    const uid_t owner = status.stx_uid;
#endif
    return (mode & S_IFMT) == kind && owner == geteuid() && (mode & 077) == 0;
}

size_t su_read_private(const char *folder, const char *name, char *text, size_t room) {
    size_t length = 0;
    const int inside = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inside < 0) return 0;
    /* Not to wait should it be a pipe. */
    const int file = openat(inside, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (file >= 0) {
        if (is_private(inside, S_IFDIR) && is_private(file, S_IFREG)) length = read_whole(file, text, room);
        close(file);
    }
    close(inside);
    return length;
}

size_t su_read_file(const char *path, char *text, size_t room) {
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return 0;
    const size_t length = read_whole(file, text, room);
    close(file);
    return length;
}
