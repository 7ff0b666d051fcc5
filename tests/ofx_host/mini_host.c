/* A host without Python, for sanitizers: threads that render with one instance, and no locks that could hide a race.
 *
 * mini_host LIBRARY THREADS FRAMES WIDTH HEIGHT [POLICY [ABORT]]: each thread renders FRAMES frames in two sizes; POLICY is the choice of
 * onFailure; every ABORT-th frame is aborted. Prints how many frames were passed through, changed and failed. Exit status 0 unless an
 * action fails that may not, or memory outside of a picture was written. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, FAILED = 1, UNKNOWN = 3, UNSUPPORTED = 5, REPLY_DEFAULT = 14, MOST = 64, VALUES = 12, GUARD = 64 };
enum kind { POINTER, STRING, DOUBLE, INT };

struct property { char name[64]; enum kind kind; int count; union { void *p; char *s; double d; int i; } values[VALUES]; };
struct set { struct property all[MOST]; int count; };
struct parameter { char name[32], type[32]; struct set properties; };
struct parameters { struct parameter all[32]; int count; };
struct clip { char name[16]; struct set properties; };
struct effect { struct set properties; struct parameters parameters; struct clip clips[4]; int count; };
struct frame { struct set images[2]; int held, polls; bool abort; };
struct work { struct effect *effect; pthread_t thread; int number, passed, changed, failed, wrong; };

static _Thread_local struct frame *current;
static int (*entry)(const char *, const void *, void *, void *);
static int frames, width, height, every_abort;

static struct property *find(struct set *set, const char *name)
{
    for (int i = 0; i < set->count; i++)
        if (strcmp(set->all[i].name, name) == 0)
            return &set->all[i];
    return NULL;
}

static struct property *at(void *set, const char *name, enum kind kind, int index)
{
    struct set *all = set;
    struct property *found = find(all, name);
    if (!found && all->count < MOST) {
        found = &all->all[all->count++];
        snprintf(found->name, sizeof found->name, "%s", name);
        found->kind = kind;
    }
    if (!found || found->kind != kind || index < 0 || index >= VALUES) {
        fprintf(stderr, "property %s is misused\n", name);
        exit(3);
    }
    if (found->count <= index)
        found->count = index + 1;
    return found;
}

static const struct property *given(void *set, const char *name, enum kind kind, int index)
{
    const struct property *found = set ? find(set, name) : NULL;
    return found && found->kind == kind && index >= 0 && index < found->count ? found : NULL;
}

static int set_string(void *set, const char *name, int index, const char *value)
{
    struct property *found = at(set, name, STRING, index);
    free(found->values[index].s);
    found->values[index].s = strdup(value);
    return OK;
}

#define ACCESS(word, kind, type, member)                                                              \
    static int set_##word##s(void *set, const char *name, int count, const type *values)              \
    {                                                                                                 \
        for (int i = 0; i < count; i++)                                                               \
            PUT_##word(set, name, i, values[i]);                                                      \
        return OK;                                                                                    \
    }                                                                                                 \
    static int get_##word(void *set, const char *name, int index, type *value)                        \
    {                                                                                                 \
        const struct property *found = given(set, name, kind, index);                                 \
        if (found)                                                                                    \
            *value = found->values[index].member;                                                     \
        return found ? OK : UNKNOWN;                                                                  \
    }                                                                                                 \
    static int get_##word##s(void *set, const char *name, int count, type *values)                    \
    {                                                                                                 \
        for (int i = 0; i < count; i++)                                                               \
            if (get_##word(set, name, i, &values[i]) != OK)                                           \
                return UNKNOWN;                                                                       \
        return OK;                                                                                    \
    }
#define SETTER(word, kind, type, member)                                                              \
    static int set_##word(void *set, const char *name, int index, type value)                         \
    {                                                                                                 \
        at(set, name, kind, index)->values[index].member = value;                                     \
        return OK;                                                                                    \
    }
#define PUT_pointer set_pointer
#define PUT_double set_double
#define PUT_int set_int
#define PUT_string set_string
typedef void *pointer;
typedef char *string;
SETTER(pointer, POINTER, pointer, p)
SETTER(double, DOUBLE, double, d)
SETTER(int, INT, int, i)
ACCESS(pointer, POINTER, pointer, p)
ACCESS(double, DOUBLE, double, d)
ACCESS(int, INT, int, i)
ACCESS(string, STRING, string, s)

static int dimension(void *set, const char *name, int *count)
{
    const struct property *found = find(set, name);
    *count = found ? found->count : 0;
    return found ? OK : UNKNOWN;
}

static int reset(void *set, const char *name) { (void)set, (void)name; return OK; }

static int properties_of(struct effect *effect, void **set) { *set = &effect->properties; return OK; }
static int parameters_of(struct effect *effect, void **set) { *set = &effect->parameters; return OK; }
static int properties_of_clip(struct clip *clip, void **set) { *set = &clip->properties; return OK; }

static int define_clip(struct effect *effect, const char *name, void **set)
{
    struct clip *clip = &effect->clips[effect->count++];
    snprintf(clip->name, sizeof clip->name, "%s", name);
    set_int(&clip->properties, "OfxImageClipPropConnected", 0, 1);
    *set = &clip->properties;
    return OK;
}

static int clip_of(struct effect *effect, const char *name, void **clip, void **set)
{
    for (int i = 0; i < effect->count; i++)
        if (strcmp(effect->clips[i].name, name) == 0) {
            *clip = &effect->clips[i];
            if (set)
                *set = &effect->clips[i].properties;
            return OK;
        }
    return UNKNOWN;
}

static int image_of(struct clip *clip, double time, const double *region, void **image)
{
    (void)time, (void)region;
    *image = &current->images[strcmp(clip->name, "Output") == 0];
    current->held++;
    return OK;
}

static int release(void *image) { (void)image; current->held--; return OK; }
static int region_of(void *clip, double time, double *box)
{
    (void)clip, (void)time;
    box[0] = box[1] = 0, box[2] = width, box[3] = height;
    return OK;
}
static int aborted(void *effect) { (void)effect; return current && current->abort && ++current->polls > 1; }
static int nothing(void) { return UNSUPPORTED; }

static int define(struct parameters *set, const char *type, const char *name, void **properties)
{
    struct parameter *made = &set->all[set->count++];
    snprintf(made->name, sizeof made->name, "%s", name);
    snprintf(made->type, sizeof made->type, "%s", type);
    if (properties)
        *properties = &made->properties;
    return OK;
}

static int parameter_of(struct parameters *set, const char *name, void **handle, void **properties)
{
    for (int i = 0; i < set->count; i++)
        if (strcmp(set->all[i].name, name) == 0) {
            *handle = &set->all[i];
            if (properties)
                *properties = &set->all[i].properties;
            return OK;
        }
    return UNKNOWN;
}

static int properties_of_set(void *set, void **properties) { static struct set empty; (void)set; *properties = &empty; return OK; }
static int properties_of_parameter(struct parameter *one, void **set) { *set = &one->properties; return OK; }

static int get_value(struct parameter *one, va_list rest)
{
    const char *name = "OfxParamPropDefault";
    if (strcmp(one->type, "OfxParamTypeDouble") == 0)
        return get_double(&one->properties, name, 0, va_arg(rest, double *));
    if (strcmp(one->type, "OfxParamTypeString") == 0)
        return get_string(&one->properties, name, 0, va_arg(rest, char **));
    return get_int(&one->properties, name, 0, va_arg(rest, int *));
}

static int value(struct parameter *one, ...)
{
    va_list rest;
    va_start(rest, one);
    int status = get_value(one, rest);
    va_end(rest);
    return status;
}

static int value_at(struct parameter *one, double time, ...)
{
    va_list rest;
    va_start(rest, time);
    int status = get_value(one, rest);
    va_end(rest);
    return status;
}

static int set_value(struct parameter *one, ...)
{
    va_list rest;
    va_start(rest, one);
    if (strcmp(one->type, "OfxParamTypeDouble") == 0)
        set_double(&one->properties, "OfxParamPropDefault", 0, va_arg(rest, double));
    else
        set_int(&one->properties, "OfxParamPropDefault", 0, va_arg(rest, int));
    va_end(rest);
    return OK;
}

#define F(function) ((void *)(uintptr_t)(function))
static const void *fetch(void *host, const char *name, int version)
{
    static void *property[18], *effect[13], *parameter[18];
    void *const properties[] = {
        F(set_pointer), F(set_string), F(set_double), F(set_int), F(set_pointers), F(set_strings), F(set_doubles), F(set_ints),
        F(get_pointer), F(get_string), F(get_double), F(get_int), F(get_pointers), F(get_strings), F(get_doubles), F(get_ints),
        F(reset), F(dimension)};
    void *const effects[] = {
        F(properties_of), F(parameters_of), F(define_clip), F(clip_of), F(properties_of_clip), F(image_of), F(release), F(region_of),
        F(aborted), F(nothing), F(nothing), F(nothing), F(nothing)};
    void *const parameters[] = {
        F(define), F(parameter_of), F(properties_of_set), F(properties_of_parameter), F(value), F(value_at), F(nothing), F(nothing),
        F(set_value), F(nothing), F(nothing), F(nothing), F(nothing), F(nothing), F(nothing), F(nothing), F(nothing), F(nothing)};
    (void)host;
    if (version != 1)
        return NULL;
    if (strcmp(name, "OfxPropertySuite") == 0)
        return memcpy(property, properties, sizeof property);
    if (strcmp(name, "OfxImageEffectSuite") == 0)
        return memcpy(effect, effects, sizeof effect);
    return strcmp(name, "OfxParameterSuite") == 0 ? memcpy(parameter, parameters, sizeof parameter) : NULL;
}

static void require(int status, const char *what)
{
    if (status != OK && status != REPLY_DEFAULT) {
        fprintf(stderr, "%s: status %d\n", what, status);
        exit(2);
    }
}

static void empty(struct set *set)
{
    for (int i = 0; i < set->count; i++)
        for (int j = 0; set->all[i].kind == STRING && j < set->all[i].count; j++)
            free(set->all[i].values[j].s);
    memset(set, 0, sizeof *set);
}

static void fill(struct set *image, const float *pixels, int w, int h)
{
    const int bounds[] = {0, 0, w, h};
    set_pointer(image, "OfxImagePropData", 0, (void *)(uintptr_t)pixels);
    set_ints(image, "OfxImagePropBounds", 4, bounds);
    set_int(image, "OfxImagePropRowBytes", 0, w * 16);
    set_string(image, "OfxImageEffectPropPixelDepth", 0, "OfxBitDepthFloat");
    set_string(image, "OfxImageEffectPropComponents", 0, "OfxImageComponentRGBA");
    set_string(image, "OfxImageEffectPropPreMultiplication", 0, "OfxImageAlphaUnPremultiplied");
}

static void arguments(struct set *in, int w, int h, double time)
{
    const int window[] = {0, 0, w, h};
    set_double(in, "OfxPropTime", 0, time);
    set_ints(in, "OfxImageEffectPropRenderWindow", 4, window);
    set_double(in, "OfxImageEffectPropRenderScale", 0, 1);
    set_double(in, "OfxImageEffectPropRenderScale", 1, 1);
    set_string(in, "OfxImageEffectPropFieldToRender", 0, "OfxFieldNone");
    set_int(in, "OfxImageEffectPropInteractiveRenderStatus", 0, 1);
}

static void render(struct work *work, int number)
{
    int w = number % 2 ? width : width / 4, h = number % 2 ? height : height / 4;
    size_t count = (size_t)w * (size_t)h * 4;
    float *source = malloc(count * sizeof *source), *target = malloc(count * sizeof *target);
    struct frame *frame = calloc(1, sizeof *frame);
    struct set *in = calloc(1, sizeof *in);
    for (size_t i = 0; i < count; i++)
        source[i] = (float)((i * 7 + (size_t)number * 13 + (size_t)work->number) % 256) / 255.0f, target[i] = -9;
    frame->abort = every_abort && number % every_abort == 0;
    fill(&frame->images[0], source, w, h);
    fill(&frame->images[1], target, w, h);
    arguments(in, w, h, number);
    current = frame;
    int status = entry("OfxImageEffectActionRender", work->effect, in, NULL);
    work->wrong += frame->held != 0;
    bool same = memcmp(source, target, count * sizeof *source) == 0;
    if (status == FAILED)
        work->failed++;
    else if (same)
        work->passed++;
    else
        work->changed++;
    for (size_t i = 0; i < count && status == OK; i++)
        work->wrong += target[i] == -9.0f;
    empty(&frame->images[0]), empty(&frame->images[1]), empty(in);
    free(source), free(target), free(frame), free(in);
}

static void *run(void *given)
{
    for (int number = 0; number < frames; number++)
        render(given, number);
    return NULL;
}

static void describe(struct effect *descriptor, struct effect *instance, int policy)
{
    struct set *in = calloc(1, sizeof *in);
    void *found;
    require(entry("OfxActionLoad", NULL, NULL, NULL), "load");
    require(entry("OfxActionDescribe", descriptor, NULL, NULL), "describe");
    set_string(in, "OfxImageEffectPropContext", 0, "OfxImageEffectContextFilter");
    require(entry("OfxImageEffectActionDescribeInContext", instance, in, NULL), "describe in context");
    if (parameter_of(&instance->parameters, "onFailure", &found, NULL) == OK)
        set_int(&((struct parameter *)found)->properties, "OfxParamPropDefault", 0, policy);
    set_string(&instance->properties, "OfxImageEffectPropContext", 0, "OfxImageEffectContextFilter");
    set_pointer(&instance->properties, "OfxPropInstanceData", 0, NULL);
    require(entry("OfxActionCreateInstance", instance, NULL, NULL), "create");
    empty(in);
    free(in);
}

static void drop(struct effect *effect)
{
    empty(&effect->properties);
    for (int i = 0; i < effect->parameters.count; i++)
        empty(&effect->parameters.all[i].properties);
    for (int i = 0; i < effect->count; i++)
        empty(&effect->clips[i].properties);
    free(effect);
}

int main(int count, char **words)
{
    struct { void *properties; const void *(*fetch)(void *, const char *, int); } host = {calloc(1, sizeof(struct set)), fetch};
    struct plugin { const char *api; int version; const char *name; unsigned major, minor; void (*set_host)(void *); void *main; };
    void *library = count > 5 ? dlopen(words[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library)
        return fprintf(stderr, "%s\n", count > 5 ? dlerror() : "too few arguments"), 2;
    struct plugin *(*get)(int) = (struct plugin *(*)(int))(uintptr_t)dlsym(library, "OfxGetPlugin");
    int threads = atoi(words[2]);
    frames = atoi(words[3]), width = atoi(words[4]), height = atoi(words[5]), every_abort = count > 7 ? atoi(words[7]) : 0;
    get(0)->set_host(&host);
    entry = (int (*)(const char *, const void *, void *, void *))(uintptr_t)get(0)->main;
    struct effect *descriptor = calloc(1, sizeof *descriptor), *instance = calloc(1, sizeof *instance);
    describe(descriptor, instance, count > 6 ? atoi(words[6]) : 1);
    struct work *work = calloc((size_t)threads, sizeof *work), sum = {0};
    for (int i = 0; i < threads; i++) {
        work[i].effect = instance, work[i].number = i;
        pthread_create(&work[i].thread, NULL, run, &work[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(work[i].thread, NULL);
        sum.passed += work[i].passed, sum.changed += work[i].changed, sum.failed += work[i].failed, sum.wrong += work[i].wrong;
    }
    require(entry("OfxActionPurgeCaches", instance, NULL, NULL), "purge");
    require(entry("OfxActionDestroyInstance", instance, NULL, NULL), "destroy");
    require(entry("OfxActionUnload", NULL, NULL, NULL), "unload");
    drop(descriptor), drop(instance), empty(host.properties), free(host.properties), free(work);
    printf("passed %d changed %d failed %d wrong %d\n", sum.passed, sum.changed, sum.failed, sum.wrong);
    return sum.wrong != 0;
}
