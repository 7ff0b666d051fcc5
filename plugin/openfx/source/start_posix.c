/* Starting a program on Linux and macOS. */
#ifdef __APPLE__
#define _DARWIN_C_SOURCE
#else
#define _GNU_SOURCE
#endif
#include "start.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __APPLE__
#include <crt_externs.h>
#define environ (*_NSGetEnviron())
#else
#include <sched.h>
#include <sys/mman.h>
#endif

enum { STACK = 65536, SPARE_DESCRIPTORS = 64 };

struct plan {
    char *const *argument;
    char **environment;
    const char *folder;
    int most_descriptor;
    void *stack; /* of two processes, one after the other half */
    volatile int error;
};

/* What follows, to `start_twice`, runs in processes that share the host's memory, or have a copy of it that other
 * threads may have left in any state: system calls alone are safe. */

static int replace(void *argument) {
    struct plan *plan = argument;
    const int nothing = open("/dev/null", O_RDWR);
    sigset_t none;
    for (int i = 1; i < NSIG; i++) signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int i = 0; i < 3; i++) dup2(nothing, i);
    for (int i = 3; i <= plan->most_descriptor; i++) close(i);
    if (chdir(plan->folder) != 0 && chdir("/") != 0) plan->error = errno;
    execve(plan->argument[0], plan->argument, plan->environment);
    plan->error = errno;
    _exit(127);
}

#ifdef __APPLE__
static pid_t branch(int (*body)(void *), struct plan *plan, void *stack) {
    const pid_t process = fork();
    (void)stack;
    if (process == 0) _exit(body(plan));
    return process;
}
#else
/* As vfork: no copy of the memory is made, however much the host and the graphics card have mapped, no handler of a
 * library runs, and this thread waits until the other process has become the program or ended. */
static pid_t branch(int (*body)(void *), struct plan *plan, void *stack) {
    return clone(body, (char *)stack + STACK / 2, CLONE_VM | CLONE_VFORK | SIGCHLD, plan);
}
#endif

/* The program's parent ends at once, so that the host never has to wait for the program. */
static int part(void *argument) {
    struct plan *plan = argument;
    setsid();
    const pid_t process = branch(replace, plan, (char *)plan->stack + STACK / 2);
    if (process < 0) plan->error = errno;
    _exit(process < 0 ? 127 : 0);
}

static void start_twice(struct plan *plan) {
    sigset_t all, before;
    int status = 0;
    sigfillset(&all);
    /* No handler of the host may run in a process that isn't the host. On these systems the mask is that of this thread
     * alone; pthread_sigmask would need a C library newer than that of the systems that Resolve is for. */
    sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t process = branch(part, plan, plan->stack);
    if (process < 0) plan->error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (process < 0) return;
    /* ECHILD: the host ignores the ends of its children, and this one is gone already. */
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && plan->error == 0) plan->error = EAGAIN;
}

/* The highest that is open, and some more: other threads open descriptors meanwhile. */
static int most_descriptor(void) {
    long most = 255;
    DIR *folder = opendir("/dev/fd");
    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        const long each = strtol(entry->d_name, NULL, 10);
        if (each > most) most = each;
    }
    if (folder) closedir(folder);
    return (int)most + SPARE_DESCRIPTORS;
}

/* What a bundle made by PyInstaller has replaced is put back: NAME_ORIG=VALUE gives NAME=VALUE. */
static char *restored(const char *variable) {
    static const char *const names[] = {"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"};
    for (int i = 0; i < 2; i++) {
        const size_t length = strlen(names[i]);
        if (strncmp(variable, names[i], length) != 0 || strncmp(variable + length, "_ORIG=", 6) != 0) continue;
        const char *value = variable + length + 6;
        const size_t room = length + strlen(value) + 2;
        char *text = *value ? malloc(room) : NULL;
        if (text) snprintf(text, room, "%s=%s", names[i], value);
        return text;
    }
    return NULL;
}

static bool is_kept(const char *variable) {
    const size_t length = strcspn(variable, "=");
    return !su_variable_foreign(variable, length) && strncmp(variable, "LD_LIBRARY_PATH_ORIG=", 21) != 0;
}

static char **own_environment(void) {
    size_t count = 0, kept = 0;
    while (environ && environ[count]) count++;
    char **own = calloc(count + 1, sizeof *own);
    for (size_t i = 0; own && i < count && environ[i]; i++) {
        own[kept] = is_kept(environ[i]) ? strdup(environ[i]) : restored(environ[i]);
        if (own[kept]) kept++;
    }
    return own;
}

static void free_environment(char **own) {
    for (size_t i = 0; own && own[i]; i++) free(own[i]);
    free(own);
}

bool su_start(const struct su_command *command, struct su_why *why) {
    const char *temporary = getenv("TMPDIR");
    struct plan plan = {
        .argument = command->argument,
        .environment = own_environment(),
        .folder = temporary && temporary[0] == '/' ? temporary : "/tmp",
        .most_descriptor = most_descriptor(),
        .stack = malloc(STACK),
    };
    plan.error = plan.environment && plan.stack ? 0 : ENOMEM;
    if (plan.error == 0 && access(command->argument[0], X_OK) != 0) plan.error = errno;
    if (plan.error == 0) start_twice(&plan);
    free(plan.stack);
    free_environment(plan.environment);
    if (plan.error != 0) {
        su_say(why, "The sidecar of SnapUpscale can't be started (error %d): install SnapUpscale again", plan.error);
    }
    return plan.error == 0;
}
