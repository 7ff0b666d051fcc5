/* The system layer of Windows. */
#define _CRT_RAND_S
#include <stdlib.h>

#include "system.h"

#include <shlobj.h>
#include <stdio.h>
#include <string.h>
#include <ws2tcpip.h>

void su_lock(struct su_lock *lock) {
    AcquireSRWLockExclusive(&lock->inner);
}

void su_unlock(struct su_lock *lock) {
    ReleaseSRWLockExclusive(&lock->inner);
}

double su_now(void) {
    LARGE_INTEGER ticks, rate;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&rate);
    return (double)ticks.QuadPart / (double)rate.QuadPart;
}

void su_pause(int milliseconds) {
    Sleep((DWORD)milliseconds);
}

long su_process_id(void) {
    return (long)GetCurrentProcessId();
}

bool su_random_hex(char *digits, size_t count) {
    unsigned chance = 0;
    for (size_t i = 0; i < count; i++) {
        if (i % 8 == 0 && rand_s(&chance) != 0) return false;
        digits[i] = "0123456789abcdef"[(chance >> (i % 8 * 4)) & 15];
    }
    digits[count] = 0;
    return true;
}

bool su_network_open(void) {
    WSADATA about;
    return WSAStartup(MAKEWORD(2, 2), &about) == 0;
}

void su_network_close(void) {
    WSACleanup();
}

su_socket su_socket_begin(unsigned port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((u_short)port)};
    const SOCKET handle = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                                     WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    u_long on = 1;
    const BOOL quick = TRUE;
    if (handle == INVALID_SOCKET) return SU_NO_SOCKET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, (const char *)&quick, sizeof quick);
    if (ioctlsocket(handle, (long)FIONBIO, &on) == 0 &&
        (connect(handle, (struct sockaddr *)&address, sizeof address) == 0 || WSAGetLastError() == WSAEWOULDBLOCK)) {
        return (su_socket)handle;
    }
    closesocket(handle);
    return SU_NO_SOCKET;
}

bool su_socket_connected(su_socket handle, unsigned port) {
    int error = 0;
    int length = sizeof error;
    struct sockaddr_in own = {0};
    int own_length = sizeof own;
    if (getsockopt((SOCKET)handle, SOL_SOCKET, SO_ERROR, (char *)&error, &length) != 0 || error != 0) return false;
    if (getsockname((SOCKET)handle, (struct sockaddr *)&own, &own_length) != 0) return false;
    return ntohs(own.sin_port) != port;
}

/* select, since WSAPoll of older systems never tells that a connection was refused. */
bool su_socket_wait(su_socket handle, enum su_event event, int milliseconds) {
    struct timeval time = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
    fd_set wanted, broken;
    FD_ZERO(&wanted);
    FD_ZERO(&broken);
    wanted.fd_array[wanted.fd_count++] = (SOCKET)handle;
    broken.fd_array[broken.fd_count++] = (SOCKET)handle;
    const bool reads = event == SU_READABLE;
    return select(0, reads ? &wanted : NULL, reads ? NULL : &wanted, &broken, &time) > 0;
}

static long transferred(int bytes) {
    if (bytes >= 0) return bytes;
    return WSAGetLastError() == WSAEWOULDBLOCK ? SU_WOULD_BLOCK : SU_GONE;
}

long su_socket_send(su_socket handle, const void *data, size_t bytes) {
    return transferred(send((SOCKET)handle, data, (int)bytes, 0));
}

long su_socket_receive(su_socket handle, void *data, size_t room) {
    const int bytes = recv((SOCKET)handle, data, (int)room, 0);
    return bytes == 0 ? SU_GONE : transferred(bytes);
}

void su_socket_close(su_socket handle) {
    closesocket((SOCKET)handle);
}

static void add_wide(struct su_folders *folders, const wchar_t *folder) {
    char text[SU_PATH];
    if (folder && folder[0] && WideCharToMultiByte(CP_UTF8, 0, folder, -1, text, SU_PATH, NULL, NULL) > 0) {
        su_folders_add(folders, text, "\\Temp");
    }
}

/* The shell is right even where a user or a program changed the environment. */
void su_runtime_folders(struct su_folders *folders) {
    wchar_t local[MAX_PATH];
    folders->count = 0;
    add_wide(folders, _wgetenv(L"WIN_PD_OVERRIDE_LOCAL_APPDATA"));
    if (SHGetFolderPathW(NULL, CSIDL_LOCAL_APPDATA | CSIDL_FLAG_DONT_VERIFY, NULL, 0, local) == S_OK) {
        add_wide(folders, local);
    }
    add_wide(folders, _wgetenv(L"LOCALAPPDATA"));
}

static size_t read_whole(const char *path, bool follow, char *text, size_t room) {
    wchar_t wide[SU_PATH];
    BY_HANDLE_FILE_INFORMATION about;
    DWORD done = 0;
    if (MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, SU_PATH) == 0) return 0;
    const HANDLE file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                    OPEN_EXISTING, follow ? 0 : FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (file == INVALID_HANDLE_VALUE) return 0;
    const bool plain = GetFileType(file) == FILE_TYPE_DISK && GetFileInformationByHandle(file, &about) &&
                       (follow || !(about.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT));
    if (!plain || !ReadFile(file, text, (DWORD)room, &done, NULL)) done = 0;
    CloseHandle(file);
    return done < room ? done : 0;
}

/* The folder is private by its access list, so that only a link has to be told apart. */
size_t su_read_private(const char *folder, const char *name, char *text, size_t room) {
    char path[SU_PATH];
    const int length = snprintf(path, sizeof path, "%s\\%s", folder, name);
    return length > 0 && length < SU_PATH ? read_whole(path, false, text, room) : 0;
}

size_t su_read_file(const char *path, char *text, size_t room) {
    return read_whole(path, true, text, room);
}
