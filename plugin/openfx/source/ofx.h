/* The part of the OpenFX ABI that the effect needs. Layouts and strings are the ABI's; the names are ours. */
#ifndef SNAPUPSCALE_OFX_H
#define SNAPUPSCALE_OFX_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ofx_property_set *ofx_properties;
typedef struct ofx_effect_instance *ofx_effect;
typedef struct ofx_clip_handle *ofx_clip;
typedef struct ofx_memory_handle *ofx_memory;
typedef struct ofx_parameter_set *ofx_parameters;
typedef struct ofx_parameter_handle *ofx_parameter;
typedef double ofx_time;

enum { /* a status is an int at the boundary, whatever the compiler makes of enums */
    OFX_OK = 0,
    OFX_FAILED = 1,
    OFX_ERR_UNKNOWN = 3,
    OFX_ERR_MISSING_HOST_FEATURE = 4,
    OFX_ERR_UNSUPPORTED = 5,
    OFX_ERR_BAD_HANDLE = 9,
    OFX_REPLY_DEFAULT = 14,
    OFX_ERR_IMAGE_FORMAT = 1000,
    OFX_GPU_RENDER_FAILED = 1002
};
typedef int ofx_status;

struct ofx_rect {
    int x1, y1, x2, y2; /* x2 and y2 exclusive, y upwards */
};

struct ofx_rect_double {
    double x1, y1, x2, y2;
};

struct ofx_range {
    double least, most;
};

struct ofx_host {
    ofx_properties properties;
    const void *(*fetch_suite)(ofx_properties host, const char *name, int version);
};

struct ofx_plugin {
    const char *api;
    int api_version;
    const char *identifier;
    unsigned int version_major, version_minor;
    void (*set_host)(struct ofx_host *);
    ofx_status (*main_entry)(const char *action, const void *handle, ofx_properties in, ofx_properties out);
};

struct ofx_property_suite {
    ofx_status (*set_pointer)(ofx_properties, const char *name, int index, void *);
    ofx_status (*set_string)(ofx_properties, const char *name, int index, const char *);
    ofx_status (*set_double)(ofx_properties, const char *name, int index, double);
    ofx_status (*set_int)(ofx_properties, const char *name, int index, int);
    ofx_status (*set_pointers)(ofx_properties, const char *name, int count, void *const *);
    ofx_status (*set_strings)(ofx_properties, const char *name, int count, const char *const *);
    ofx_status (*set_doubles)(ofx_properties, const char *name, int count, const double *);
    ofx_status (*set_ints)(ofx_properties, const char *name, int count, const int *);
    ofx_status (*get_pointer)(ofx_properties, const char *name, int index, void **);
    ofx_status (*get_string)(ofx_properties, const char *name, int index, char **);
    ofx_status (*get_double)(ofx_properties, const char *name, int index, double *);
    ofx_status (*get_int)(ofx_properties, const char *name, int index, int *);
    ofx_status (*get_pointers)(ofx_properties, const char *name, int count, void **);
    ofx_status (*get_strings)(ofx_properties, const char *name, int count, char **);
    ofx_status (*get_doubles)(ofx_properties, const char *name, int count, double *);
    ofx_status (*get_ints)(ofx_properties, const char *name, int count, int *);
    ofx_status (*reset)(ofx_properties, const char *name);
    ofx_status (*get_dimension)(ofx_properties, const char *name, int *count);
};

struct ofx_effect_suite {
    ofx_status (*get_properties)(ofx_effect, ofx_properties *);
    ofx_status (*get_parameters)(ofx_effect, ofx_parameters *);
    ofx_status (*define_clip)(ofx_effect, const char *name, ofx_properties *);
    ofx_status (*get_clip)(ofx_effect, const char *name, ofx_clip *, ofx_properties *);
    ofx_status (*get_clip_properties)(ofx_clip, ofx_properties *);
    ofx_status (*get_image)(ofx_clip, ofx_time, const struct ofx_rect_double *region, ofx_properties *);
    ofx_status (*release_image)(ofx_properties);
    ofx_status (*get_clip_region)(ofx_clip, ofx_time, struct ofx_rect_double *);
    int (*aborted)(ofx_effect);
    ofx_status (*allocate)(ofx_effect, size_t, ofx_memory *);
    ofx_status (*release)(ofx_memory);
    ofx_status (*lock)(ofx_memory, void **);
    ofx_status (*unlock)(ofx_memory);
};

/* Values travel as variadic arguments. Some systems pass those unlike named ones, so they are declared as such. */
struct ofx_parameter_suite {
    ofx_status (*define)(ofx_parameters, const char *type, const char *name, ofx_properties *);
    ofx_status (*get_handle)(ofx_parameters, const char *name, ofx_parameter *, ofx_properties *);
    ofx_status (*get_set_properties)(ofx_parameters, ofx_properties *);
    ofx_status (*get_properties)(ofx_parameter, ofx_properties *);
    ofx_status (*get_value)(ofx_parameter, ...);
    ofx_status (*get_value_at)(ofx_parameter, ofx_time, ...);
    ofx_status (*get_derivative)(ofx_parameter, ofx_time, ...);
    ofx_status (*get_integral)(ofx_parameter, ofx_time, ofx_time, ...);
    ofx_status (*set_value)(ofx_parameter, ...);
    ofx_status (*set_value_at)(ofx_parameter, ofx_time, ...);
    ofx_status (*count_keys)(ofx_parameter, unsigned int *);
    ofx_status (*get_key_time)(ofx_parameter, unsigned int, ofx_time *);
    ofx_status (*get_key_index)(ofx_parameter, ofx_time, int direction, int *);
    ofx_status (*delete_key)(ofx_parameter, ofx_time);
    ofx_status (*delete_keys)(ofx_parameter);
    ofx_status (*copy)(ofx_parameter to, ofx_parameter from, ofx_time offset, const struct ofx_range *);
    ofx_status (*begin_edit)(ofx_parameters, const char *name);
    ofx_status (*end_edit)(ofx_parameters);
};

struct ofx_message_suite {
    ofx_status (*message)(void *handle, const char *type, const char *id, const char *format, ...);
};

#if UINTPTR_MAX == UINT64_MAX || defined(_WIN64) || defined(__LP64__)
static_assert(sizeof(struct ofx_rect) == 16 && sizeof(struct ofx_rect_double) == 32, "rectangles");
static_assert(sizeof(struct ofx_host) == 16, "two pointers");
static_assert(sizeof(struct ofx_plugin) == 48, "a plugin");
static_assert(offsetof(struct ofx_plugin, identifier) == 16, "the API's version is padded");
static_assert(offsetof(struct ofx_plugin, set_host) == 32, "two versions share a word");
static_assert(sizeof(struct ofx_property_suite) == 18 * 8, "18 functions");
static_assert(offsetof(struct ofx_property_suite, get_pointer) == 8 * 8, "reading follows 8 that write");
static_assert(sizeof(struct ofx_effect_suite) == 13 * 8, "13 functions");
static_assert(offsetof(struct ofx_effect_suite, aborted) == 8 * 8, "the ninth");
static_assert(sizeof(struct ofx_parameter_suite) == 18 * 8, "18 functions");
static_assert(offsetof(struct ofx_parameter_suite, set_value) == 8 * 8, "the ninth");
static_assert(sizeof(struct ofx_message_suite) == 8, "one function");
#endif

#define OFX_API "OfxImageEffectPluginAPI"

#define OFX_SUITE_PROPERTY "OfxPropertySuite"
#define OFX_SUITE_EFFECT "OfxImageEffectSuite"
#define OFX_SUITE_PARAMETER "OfxParameterSuite"
#define OFX_SUITE_MESSAGE "OfxMessageSuite"

#define OFX_ACTION_LOAD "OfxActionLoad"
#define OFX_ACTION_UNLOAD "OfxActionUnload"
#define OFX_ACTION_DESCRIBE "OfxActionDescribe"
#define OFX_ACTION_DESCRIBE_IN_CONTEXT "OfxImageEffectActionDescribeInContext"
#define OFX_ACTION_CREATE_INSTANCE "OfxActionCreateInstance"
#define OFX_ACTION_DESTROY_INSTANCE "OfxActionDestroyInstance"
#define OFX_ACTION_INSTANCE_CHANGED "OfxActionInstanceChanged"
#define OFX_ACTION_PURGE_CACHES "OfxActionPurgeCaches"
#define OFX_ACTION_IS_IDENTITY "OfxImageEffectActionIsIdentity"
#define OFX_ACTION_BEGIN_SEQUENCE "OfxImageEffectActionBeginSequenceRender"
#define OFX_ACTION_RENDER "OfxImageEffectActionRender"
#define OFX_ACTION_END_SEQUENCE "OfxImageEffectActionEndSequenceRender"

#define OFX_CONTEXT_FILTER "OfxImageEffectContextFilter"
#define OFX_CONTEXT_GENERAL "OfxImageEffectContextGeneral"
#define OFX_CLIP_SOURCE "Source"
#define OFX_CLIP_OUTPUT "Output"

#define OFX_DEPTH_BYTE "OfxBitDepthByte"
#define OFX_DEPTH_SHORT "OfxBitDepthShort"
#define OFX_DEPTH_HALF "OfxBitDepthHalf"
#define OFX_DEPTH_FLOAT "OfxBitDepthFloat"
#define OFX_COMPONENT_RGBA "OfxImageComponentRGBA"
#define OFX_COMPONENT_RGB "OfxImageComponentRGB"
#define OFX_COMPONENT_ALPHA "OfxImageComponentAlpha"
#define OFX_ALPHA_OPAQUE "OfxImageOpaque"
#define OFX_ALPHA_PREMULTIPLIED "OfxImageAlphaPremultiplied"
#define OFX_ALPHA_UNPREMULTIPLIED "OfxImageAlphaUnPremultiplied"
#define OFX_FIELD_LOWER "OfxFieldLower"
#define OFX_FIELD_UPPER "OfxFieldUpper"

#define OFX_PROP_TYPE "OfxPropType"
#define OFX_PROP_NAME "OfxPropName"
#define OFX_PROP_TIME "OfxPropTime"
#define OFX_PROP_LABEL "OfxPropLabel"
#define OFX_PROP_SHORT_LABEL "OfxPropShortLabel"
#define OFX_PROP_LONG_LABEL "OfxPropLongLabel"
#define OFX_PROP_DESCRIPTION "OfxPropPluginDescription"
#define OFX_PROP_VERSION "OfxPropVersion"
#define OFX_PROP_VERSION_LABEL "OfxPropVersionLabel"
#define OFX_PROP_GROUPING "OfxImageEffectPluginPropGrouping"
#define OFX_PROP_CONTEXT "OfxImageEffectPropContext"
#define OFX_PROP_CONTEXTS "OfxImageEffectPropSupportedContexts"
#define OFX_PROP_DEPTHS "OfxImageEffectPropSupportedPixelDepths"
#define OFX_PROP_SUPPORTED_COMPONENTS "OfxImageEffectPropSupportedComponents"
#define OFX_PROP_SINGLE_INSTANCE "OfxImageEffectPluginPropSingleInstance"
#define OFX_PROP_THREAD_SAFETY "OfxImageEffectPluginRenderThreadSafety"
#define OFX_THREAD_FULLY_SAFE "OfxImageEffectRenderFullySafe"
#define OFX_PROP_HOST_FRAME_THREADING "OfxImageEffectPluginPropHostFrameThreading"
#define OFX_PROP_MULTI_RESOLUTION "OfxImageEffectPropSupportsMultiResolution"
#define OFX_PROP_TILES "OfxImageEffectPropSupportsTiles"
#define OFX_PROP_TEMPORAL_ACCESS "OfxImageEffectPropTemporalClipAccess"
#define OFX_PROP_FIELD_RENDER_TWICE "OfxImageEffectPluginPropFieldRenderTwiceAlways"
#define OFX_PROP_MULTIPLE_DEPTHS "OfxImageEffectPropMultipleClipDepths"
#define OFX_PROP_MULTIPLE_ASPECTS "OfxImageEffectPropSupportsMultipleClipPARs"
#define OFX_PROP_IS_BACKGROUND "OfxImageEffectHostPropIsBackground"

#define OFX_PROP_IMAGE_DATA "OfxImagePropData"
#define OFX_PROP_IMAGE_BOUNDS "OfxImagePropBounds"
#define OFX_PROP_IMAGE_ROW_BYTES "OfxImagePropRowBytes"
#define OFX_PROP_IMAGE_FIELD "OfxImagePropField"
#define OFX_PROP_PIXEL_DEPTH "OfxImageEffectPropPixelDepth"
#define OFX_PROP_COMPONENTS "OfxImageEffectPropComponents"
#define OFX_PROP_PREMULTIPLICATION "OfxImageEffectPropPreMultiplication"
#define OFX_PROP_CLIP_THUMBNAIL "kOfxImageClipPropThumbnail" /* DaVinci Resolve's, with the k */

#define OFX_PROP_RENDER_WINDOW "OfxImageEffectPropRenderWindow"
#define OFX_PROP_RENDER_SCALE "OfxImageEffectPropRenderScale"
#define OFX_PROP_INTERACTIVE_RENDER "OfxImageEffectPropInteractiveRenderStatus"
#define OFX_PROP_THUMBNAIL_RENDER "OfxImageEffectPropThumbnailRender"
#define OFX_PROP_CUDA_ENABLED "OfxImageEffectPropCudaEnabled"
#define OFX_PROP_OPENCL_ENABLED "OfxImageEffectPropOpenCLEnabled"
#define OFX_PROP_METAL_ENABLED "OfxImageEffectPropMetalEnabled"

#define OFX_TYPE_CLIP "OfxTypeClip"
#define OFX_PROP_CHANGE_REASON "OfxPropChangeReason"
#define OFX_CHANGE_TIME "OfxChangeTime"
#define OFX_PARAM_INTEGER "OfxParamTypeInteger"
#define OFX_PARAM_DOUBLE "OfxParamTypeDouble"
#define OFX_PARAM_CHOICE "OfxParamTypeChoice"
#define OFX_PARAM_PUSH_BUTTON "OfxParamTypePushButton"
#define OFX_PARAM_GROUP "OfxParamTypeGroup"
#define OFX_PARAM_PROP_DEFAULT "OfxParamPropDefault"
#define OFX_PARAM_PROP_MIN "OfxParamPropMin"
#define OFX_PARAM_PROP_MAX "OfxParamPropMax"
#define OFX_PARAM_PROP_DISPLAY_MIN "OfxParamPropDisplayMin"
#define OFX_PARAM_PROP_DISPLAY_MAX "OfxParamPropDisplayMax"
#define OFX_PARAM_PROP_INCREMENT "OfxParamPropIncrement"
#define OFX_PARAM_PROP_HINT "OfxParamPropHint"
#define OFX_PARAM_PROP_SCRIPT_NAME "OfxParamPropScriptName"
#define OFX_PARAM_PROP_PARENT "OfxParamPropParent"
#define OFX_PARAM_PROP_CHOICE_OPTION "OfxParamPropChoiceOption"
#define OFX_PARAM_PROP_SECRET "OfxParamPropSecret"
#define OFX_PARAM_PROP_ANIMATES "OfxParamPropAnimates"
#define OFX_PARAM_PROP_EVALUATE "OfxParamPropEvaluateOnChange"

#define OFX_MESSAGE_LOG "OfxMessageLog"
#define OFX_MESSAGE_ERROR "OfxMessageError"
#define OFX_MESSAGE_MESSAGE "OfxMessageMessage"

#endif
