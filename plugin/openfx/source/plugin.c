/* What a host finds in the bundle: one plug-in, and the actions it answers. */
#include "bundle.h"
#include "describe.h"
#include "host.h"
#include "link.h"
#include "messages.h"
#include "params.h"
#include "render.h"

#include <string.h>

#ifdef _WIN32
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

EXPORTED int OfxGetNumberOfPlugins(void);
EXPORTED struct ofx_plugin *OfxGetPlugin(int index);
EXPORTED ofx_status OfxSetHost(const struct ofx_host *given);

static const struct ofx_host *host; /* given before Load, in either of two ways */
static bool loaded;                 /* Load and Unload come alone; nothing else runs meanwhile */

static ofx_status load(void) {
    char resources[4096];
    if (loaded)
        return OFX_OK;
    if (!su_host_load(host))
        return OFX_ERR_MISSING_HOST_FEATURE;
    su_link_open(su_bundle_resources(resources, sizeof resources) ? resources : NULL);
    su_message_forget();
    loaded = true;
    return OFX_OK;
}

static ofx_status unload(void) {
    su_link_close();
    su_host_unload();
    loaded = false;
    return OFX_OK;
}

static ofx_status warm(ofx_effect effect) {
    struct su_settings settings;
    su_params_read(effect, NULL, &settings);
    su_link_warm(&settings.look);
    return OFX_OK;
}

static ofx_status changed(ofx_effect effect, ofx_properties in) {
    char why[1024] = "";
    if (!su_is(in, OFX_PROP_NAME, 0, SU_PARAM_RECONNECT) || su_is(in, OFX_PROP_TYPE, 0, OFX_TYPE_CLIP) ||
        su_is(in, OFX_PROP_CHANGE_REASON, 0, OFX_CHANGE_TIME)) /* a host may leave out type and reason */
        return OFX_REPLY_DEFAULT;
    const bool good = su_link_reconnect(why, sizeof why);
    su_message_forget();
    su_params_revise(effect); /* pictures made without the sidecar must not be kept */
    su_message_answer(effect, good, good ? "The sidecar of SnapUpscale answers." : why);
    return OFX_OK;
}

static ofx_status answer(const char *action, ofx_effect effect, ofx_properties in, ofx_properties out) {
    if (strcmp(action, OFX_ACTION_RENDER) == 0)
        return su_render(effect, in);
    if (strcmp(action, OFX_ACTION_IS_IDENTITY) == 0)
        return su_is_identity(effect, in, out);
    if (strcmp(action, OFX_ACTION_DESCRIBE) == 0)
        return su_describe(effect);
    if (strcmp(action, OFX_ACTION_DESCRIBE_IN_CONTEXT) == 0)
        return su_describe_in_context(effect, in);
    if (strcmp(action, OFX_ACTION_CREATE_INSTANCE) == 0 || strcmp(action, OFX_ACTION_BEGIN_SEQUENCE) == 0)
        return warm(effect); /* OFX_OK, since DaVinci Resolve shows no controls after a default reply */
    if (strcmp(action, OFX_ACTION_DESTROY_INSTANCE) == 0 || strcmp(action, OFX_ACTION_END_SEQUENCE) == 0)
        return OFX_OK;
    if (strcmp(action, OFX_ACTION_INSTANCE_CHANGED) == 0)
        return changed(effect, in);
    return OFX_REPLY_DEFAULT;
}

static ofx_status purge(void) {
    su_link_trim();
    return OFX_OK;
}

static ofx_status main_entry(const char *action, const void *handle, ofx_properties in, ofx_properties out) {
    if (!action)
        return OFX_FAILED;
    if (strcmp(action, OFX_ACTION_LOAD) == 0)
        return load();
    if (!loaded)
        return strcmp(action, OFX_ACTION_UNLOAD) == 0 ? OFX_OK : OFX_FAILED;
    if (strcmp(action, OFX_ACTION_UNLOAD) == 0)
        return unload();
    if (strcmp(action, OFX_ACTION_PURGE_CACHES) == 0)
        return purge();
    if (!handle)
        return OFX_ERR_BAD_HANDLE;
    return answer(action, (ofx_effect)(uintptr_t)handle, in, out);
}

static void set_host(struct ofx_host *given) {
    host = given;
}

EXPORTED int OfxGetNumberOfPlugins(void) {
    return 1;
}

EXPORTED struct ofx_plugin *OfxGetPlugin(int index) {
    static struct ofx_plugin plugin = {
        .api = OFX_API,
        .api_version = 1,
        .identifier = SU_IDENTIFIER,
        .version_major = SU_VERSION_MAJOR,
        .version_minor = SU_VERSION_MINOR,
        .set_host = set_host,
        .main_entry = main_entry,
    };
    return index == 0 ? &plugin : NULL;
}

EXPORTED ofx_status OfxSetHost(const struct ofx_host *given) {
    host = given;
    return OFX_OK;
}
