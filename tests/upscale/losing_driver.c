/* Vulkan's loader, but that the call LOST_CALL fails once, as when the device is lost: at the LOST_AT-th time. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef void (*Function)(void);
typedef Function (*Getter)(void *, const char *);
typedef int (*Submit)(void *, unsigned, const void *, void *);
typedef int (*Wait)(void *, unsigned, const void *, unsigned, unsigned long long);

enum { DEVICE_LOST = -4 };

static Getter of_instance, of_device;
static Submit real_submit;
static Wait real_wait;
static int calls;

static int result(const char *call) {
    return !strcmp(getenv("LOST_CALL"), call) && ++calls == atoi(getenv("LOST_AT")) ? DEVICE_LOST : 0;
}

static int submit(void *queue, unsigned count, const void *work, void *fence) {
    int code = result("vkQueueSubmit");
    return code ? code : real_submit(queue, count, work, fence);
}

static int wait(void *device, unsigned count, const void *fences, unsigned all, unsigned long long patience) {
    int code = real_wait(device, count, fences, all, patience);
    return code ? code : result("vkWaitForFences");
}

static Function wrapped(Function found, const char *name);

static Function get_of_device(void *device, const char *name) {
    return wrapped(of_device(device, name), name);
}

static Function wrapped(Function found, const char *name) {
    if (!strcmp(name, "vkQueueSubmit"))
        return real_submit = (Submit)found, (Function)submit;
    if (!strcmp(name, "vkWaitForFences"))
        return real_wait = (Wait)found, (Function)wait;
    if (!strcmp(name, "vkGetDeviceProcAddr"))
        return of_device = (Getter)found, (Function)get_of_device;
    return found;
}

Function vkGetInstanceProcAddr(void *instance, const char *name) {
    if (!of_instance)
        of_instance = (Getter)dlsym(dlopen("libvulkan.so.1", RTLD_NOW), "vkGetInstanceProcAddr");
    return wrapped(of_instance(instance, name), name);
}
