/* A filter that inverts colours, to test the host with: right, or wrong in the way that the variable INVERTER_FAULT names. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OK 0
#define FAILED 1
#define REPLY_DEFAULT 14
#define FETCH(suite, name) ((suite = host->fetch(host->properties, name, 1)) != NULL)

typedef void *handle;
struct host { handle properties; const void *(*fetch)(handle, const char *, int); };
struct plugin {
    const char *api; int api_version; const char *identifier; unsigned major, minor;
    void (*set_host)(struct host *); int (*main)(const char *, const void *, handle, handle);
};
struct property_suite {
    int (*set_pointer)(handle, const char *, int, void *); int (*set_string)(handle, const char *, int, const char *);
    int (*set_double)(handle, const char *, int, double); int (*set_int)(handle, const char *, int, int);
    int (*set_pointers)(handle, const char *, int, void *const *); int (*set_strings)(handle, const char *, int, const char *const *);
    int (*set_doubles)(handle, const char *, int, const double *); int (*set_ints)(handle, const char *, int, const int *);
    int (*get_pointer)(handle, const char *, int, void **); int (*get_string)(handle, const char *, int, char **);
    int (*get_double)(handle, const char *, int, double *); int (*get_int)(handle, const char *, int, int *);
    int (*get_pointers)(handle, const char *, int, void **); int (*get_strings)(handle, const char *, int, char **);
    int (*get_doubles)(handle, const char *, int, double *); int (*get_ints)(handle, const char *, int, int *);
    int (*reset)(handle, const char *); int (*dimension)(handle, const char *, int *);
};
struct effect_suite {
    int (*properties)(handle, handle *); int (*parameters)(handle, handle *);
    int (*define_clip)(handle, const char *, handle *); int (*clip)(handle, const char *, handle *, handle *);
    int (*clip_properties)(handle, handle *); int (*image)(handle, double, const double *, handle *);
    int (*release)(handle); int (*region)(handle, double, double *); int (*aborted)(handle);
};
struct parameter_suite {
    int (*define)(handle, const char *, const char *, handle *); int (*get)(handle, const char *, handle *, handle *);
    int (*set_properties)(handle, handle *); int (*properties)(handle, handle *); int (*value)(handle, ...);
    int (*value_at)(handle, double, ...); int (*derivative)(handle, double, ...); int (*integral)(handle, double, double, ...);
    int (*set)(handle, ...);
};
struct message_suite { int (*message)(void *, const char *, const char *, const char *, ...); };
struct image { handle properties; char *data; int bounds[4], row; };

static struct host *host;
static const struct property_suite *property;
static const struct effect_suite *effects;
static const struct parameter_suite *parameters;
static handle first;

static bool faulty(const char *name)
{
    const char *fault = getenv("INVERTER_FAULT");
    return fault && strcmp(fault, name) == 0;
}

static void set_host(struct host *given) { host = given; }

static int load(void)
{
    return FETCH(property, "OfxPropertySuite") && FETCH(effects, "OfxImageEffectSuite") && FETCH(parameters, "OfxParameterSuite")
               ? OK : FAILED;
}

static int describe(handle effect)
{
    static const char *const depths[] = {"OfxBitDepthByte", "OfxBitDepthFloat"};
    handle own;
    effects->properties(effect, &own);
    property->set_string(own, "OfxPropLabel", 0, "Inverter");
    property->set_string(own, "OfxImageEffectPropSupportedContexts", 0, "OfxImageEffectContextFilter");
    property->set_strings(own, "OfxImageEffectPropSupportedPixelDepths", 2, depths);
    property->set_int(own, "OfxImageEffectPropSupportsTiles", 0, 1);
    if (faulty("type"))
        property->set_string(own, "OfxImageEffectPropSupportsTiles", 0, "1");
    if (faulty("index"))
        property->set_int(own, "OfxImageEffectPropSupportsTiles", 1, 1);
    if (faulty("misspelt"))
        property->set_int(own, "kOfxImageEffectPropSupportsTiles", 0, 1);
    if (faulty("read-only"))
        property->set_string(own, "OfxPropType", 0, "mine");
    return OK;
}

static int describe_in_context(handle effect)
{
    handle own, set;
    const char *const clips[] = {"Source", "Output"};
    for (int i = 0; i < 2; i++) {
        effects->define_clip(effect, clips[i], &own);
        property->set_string(own, "OfxImageEffectPropSupportedComponents", 0, "OfxImageComponentRGBA");
    }
    effects->parameters(effect, &set);
    parameters->define(set, "OfxParamTypeDouble", "amount", &own);
    property->set_double(own, "OfxParamPropDefault", 0, 1);
    parameters->define(set, "OfxParamTypeInteger", "count", &own);
    parameters->define(set, "OfxParamTypeString", "note", &own);
    property->set_string(own, "OfxParamPropDefault", 0, "a note");
    parameters->define(set, "OfxParamTypePushButton", "button", NULL);
    if (faulty("twice"))
        parameters->define(set, "OfxParamTypeDouble", "amount", &own);
    return OK;
}

static double amount(handle effect)
{
    double value = 0;
    handle set, one;
    effects->parameters(effect, &set);
    parameters->get(set, "amount", &one, NULL);
    parameters->value_at(one, 3.0, &value);
    if (faulty("set in render"))
        parameters->set(one, 0.5);
    return value;
}

static bool fetch(handle effect, const char *name, struct image *image)
{
    handle clip;
    if (effects->clip(effect, name, &clip, NULL) != OK || effects->image(clip, 0, NULL, &image->properties) != OK)
        return false;
    return property->get_pointer(image->properties, "OfxImagePropData", 0, (void **)&image->data) == OK && image->data
           && property->get_ints(image->properties, "OfxImagePropBounds", 4, image->bounds) == OK
           && property->get_int(image->properties, "OfxImagePropRowBytes", 0, &image->row) == OK;
}

static char *pixel(const struct image *image, int x, int y, int size)
{
    return image->data + (ptrdiff_t)(y - image->bounds[1]) * image->row + (ptrdiff_t)(x - image->bounds[0]) * size;
}

static void invert(const struct image *from, const struct image *to, const int window[4], bool bytes, double share)
{
    int size = bytes ? 4 : 16;
    for (int y = window[1]; y < window[3]; y++)
        for (int x = window[0]; x < window[2]; x++)
            for (int i = 0; i < 4; i++) {
                char *in = pixel(from, x, y, size), *out = pixel(to, x, y, size);
                if (bytes)
                    out[i] = (char)(i == 3 ? in[i] : ~in[i]);
                else
                    ((float *)out)[i] = i == 3 ? ((float *)in)[i] : (float)share - ((float *)in)[i];
            }
}

static void spoil(const struct image *from, const struct image *to, const int window[4], int size)
{
    if (faulty("padding"))
        *pixel(to, to->bounds[2], to->bounds[1], size) = 1;
    if (faulty("after"))
        *(pixel(to, to->bounds[2], to->bounds[3] - 1, size)) = 1;
    if (faulty("before"))
        pixel(to, to->bounds[0], to->bounds[1], size)[-1] = 1;
    if (faulty("window"))
        *pixel(to, window[2], window[1], size) = 1;
    if (faulty("source"))
        *pixel(from, from->bounds[0], from->bounds[1], size) = 77;
}

static int render(handle effect, handle in)
{
    struct image from = {0}, to = {0};
    int window[4];
    char *depth = NULL, *again = NULL;
    double time;
    handle one;
    if (faulty("dead handle"))
        property->get_int(first, "OfxImageEffectPropSupportsTiles", 0, window);
    if (faulty("wrong handle"))
        effects->properties(in, &one);
    if (faulty("null"))
        property->get_int(NULL, "OfxPropTime", 0, window);
    double share = amount(effect);
    bool ready = fetch(effect, "Source", &from) && fetch(effect, "Output", &to)
                 && property->get_ints(in, "OfxImageEffectPropRenderWindow", 4, window) == OK
                 && property->get_double(in, "OfxPropTime", 0, &time) == OK
                 && property->get_string(from.properties, "OfxImageEffectPropPixelDepth", 0, &depth) == OK;
    if (ready) {
        if (faulty("kept string"))
            property->get_string(from.properties, "OfxImageEffectPropComponents", 0, &again);
        bool bytes = strcmp(depth, "OfxBitDepthByte") == 0;
        invert(&from, &to, window, bytes, share);
        spoil(&from, &to, window, bytes ? 4 : 16);
    }
    if (from.properties)
        effects->release(from.properties);
    if (to.properties && !faulty("release"))
        effects->release(to.properties);
    if (faulty("double release"))
        effects->release(from.properties);
    while (faulty("hang") && !effects->aborted(effect))
        ;
    return ready ? OK : FAILED;
}

/* A button that says what the parameters are, and counts. */
static int press(handle effect)
{
    const struct message_suite *messages = host->fetch(host->properties, "OfxMessageSuite", 1);
    handle set, note, count;
    char *text;
    int number;
    effects->parameters(effect, &set);
    parameters->get(set, "note", &note, NULL);
    parameters->get(set, "count", &count, NULL);
    parameters->value(count, &number);
    parameters->set(count, number - 1);
    parameters->set(note, "another");
    parameters->value(note, &text);
    return messages ? messages->message(effect, "OfxMessageLog", "", "%s, %d", text, number) : OK;
}

static int entry(const char *action, const void *effect, handle in, handle out)
{
    handle given = (handle)(uintptr_t)effect;
    (void)out;
    if (strcmp(action, "OfxActionLoad") == 0)
        return load();
    if (strcmp(action, "OfxActionDescribe") == 0)
        return describe(given);
    if (strcmp(action, "OfxImageEffectActionDescribeInContext") == 0)
        return describe_in_context(given);
    if (strcmp(action, "OfxImageEffectActionRender") == 0)
        return render(given, in);
    if (strcmp(action, "OfxActionInstanceChanged") == 0)
        return press(given);
    if (strcmp(action, "OfxActionCreateInstance") == 0) {
        if (!first)
            effects->properties(given, &first);
        return OK;
    }
    return strcmp(action, "OfxActionDestroyInstance") == 0 ? OK : REPLY_DEFAULT;
}

static struct plugin plugin = {"OfxImageEffectPluginAPI", 1, "test.inverter", 1, 0, set_host, entry};

__attribute__((visibility("default"))) int OfxGetNumberOfPlugins(void) { return 1; }
__attribute__((visibility("default"))) struct plugin *OfxGetPlugin(int nth) { return nth == 0 ? &plugin : NULL; }
