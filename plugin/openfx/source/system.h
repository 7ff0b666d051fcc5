/* What differs between systems: the clock, a lock, chance, sockets, and files that are the user's alone. */
#ifndef SNAPUPSCALE_SYSTEM_H
#define SNAPUPSCALE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SU_PATH = 4096 };

#ifdef _WIN32
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <winsock2.h>
#include <windows.h>
struct su_lock {
    SRWLOCK inner;
};
#define SU_LOCK_READY { SRWLOCK_INIT }
#else
#include <pthread.h>
struct su_lock {
    pthread_mutex_t inner;
};
#define SU_LOCK_READY { PTHREAD_MUTEX_INITIALIZER }
#endif

void su_lock(struct su_lock *lock);
void su_unlock(struct su_lock *lock);

/* Seconds of a clock that is never set back. */
double su_now(void);
void su_pause(int milliseconds);
long su_process_id(void);

/* Random lower case hex digits, and a NUL. False if the system has none to give. */
bool su_random_hex(char *digits, size_t count);

typedef intptr_t su_socket;
enum su_event { SU_READABLE, SU_WRITABLE };
#define SU_NO_SOCKET ((su_socket)-1)

/* What a transfer gives besides a number of bytes. */
enum { SU_WOULD_BLOCK = -1, SU_GONE = -2 };

/* Once before the first socket and once after the last. */
bool su_network_open(void);
void su_network_close(void);

/* Begins to connect to a port of 127.0.0.1; no descriptor is inherited by other programs. SU_NO_SOCKET on failure. */
su_socket su_socket_begin(unsigned port);
/* Whether a socket that has become writable is connected, and to another process than this one by accident. */
bool su_socket_connected(su_socket socket, unsigned port);
/* True if the event came within the time; true also if the connection broke, which the next transfer tells. */
bool su_socket_wait(su_socket socket, enum su_event event, int milliseconds);
/* Neither waits, and neither raises a signal. */
long su_socket_send(su_socket socket, const void *data, size_t bytes);
long su_socket_receive(su_socket socket, void *data, size_t room);
void su_socket_close(su_socket socket);

enum { SU_MOST_FOLDERS = 3 };
struct su_folders {
    int count;
    char path[SU_MOST_FOLDERS][SU_PATH];
};

/* Adds a folder that isn't there yet; one that is too long is left out. */
void su_folders_add(struct su_folders *folders, const char *base, const char *below);

/* The folders for runtime files that the sidecar may have chosen, the likeliest first. */
void su_runtime_folders(struct su_folders *folders);

#ifndef _WIN32
/* The folders for files that are shared memory, the best first. */
void su_shared_folders(struct su_folders *folders);
#endif

/* Reads a small file. Where the system has modes, a link, and a file or folder that another user owns or can open,
 * count as absent. Returns the bytes read, 0 on failure and for a file that has no room. */
size_t su_read_private(const char *folder, const char *name, char *text, size_t room);
/* Reads a small file as it is; the path is UTF-8. */
size_t su_read_file(const char *path, char *text, size_t room);

#endif
