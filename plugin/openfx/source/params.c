#include "params.h"

#include "host.h"
#include "models.h"

#define REVISION_LIMIT 1000000

struct number {
    const char *name, *group, *label, *hint;
    double least, most, initial, step;
    bool animates;
};

struct choice {
    const char *name, *group, *label, *hint;
    const char *const *options;
};

struct group {
    const char *name, *label, *hint;
};

static const struct group groups[] = {
    {"restoration", "Restoration", "What is made of the picture"},
    {"sidecar", "Sidecar", "The program of SnapUpscale that runs the models, and what to do where it fails"},
};

static const char *const modes[] = {"Restore", "Punch-in", NULL};

static const char *const policies[] = {
    "Automatic (pass through while you edit, fail a final render)",
    "Pass through",
    "Fail the render",
    "Mark the picture",
    NULL,
};

static const struct choice mode = {
    "mode", "restoration", "Mode",
    "Restore: shrinks the picture by the source factor and lets the model bring it back to its size. "
    "Punch-in: lets the model enlarge a region to fill the frame.",
    modes,
};

static const struct choice model = {
    "model", "restoration", "Model",
    "auto takes x4plus with a GPU and animevideov3 without. 'snapupscale models' says what each is for.",
    su_models,
};

static const struct choice on_failure = {
    "onFailure", "sidecar", "If the sidecar fails",
    "What a frame becomes that the sidecar can't make: the picture as it came, a failed render, or the picture with a "
    "mark in its upper left corner.",
    policies,
};

enum { FACTOR, ZOOM, CENTRE_X, CENTRE_Y, STRENGTH, DENOISE, TIME_LIMIT };

static const struct number numbers[] = {
    [FACTOR] = {"sourceFactor", "restoration", "Source factor",
                "Restore: how much the picture has been enlarged before. 2 for HD footage in a UHD timeline, 1 for "
                "footage of the timeline's own size.",
                .least = 1, .most = 4, .initial = 2, .step = 0.1, .animates = true},
    [ZOOM] = {"zoom", "restoration", "Zoom",
              "Punch-in: how much the region is enlarged.",
              .least = 1, .most = 8, .initial = 2, .step = 0.1, .animates = true},
    [CENTRE_X] = {"centreX", "restoration", "Centre X",
                  "Punch-in: the middle of the region, 0 at the left and 1 at the right.",
                  .least = 0, .most = 1, .initial = 0.5, .step = 0.01, .animates = true},
    [CENTRE_Y] = {"centreY", "restoration", "Centre Y",
                  "Punch-in: the middle of the region, 0 at the bottom and 1 at the top.",
                  .least = 0, .most = 1, .initial = 0.5, .step = 0.01, .animates = true},
    [STRENGTH] = {"strength", "restoration", "Strength",
                  "How much of the result is blended with the original. 0 in Restore leaves the picture alone.",
                  .least = 0, .most = 1, .initial = 1, .step = 0.05, .animates = true},
    [DENOISE] = {"denoise", "restoration", "Denoise",
                 "How much noise general-x4v3 removes. Other models don't heed it.",
                 .least = 0, .most = 1, .initial = 1, .step = 0.05, .animates = true},
    [TIME_LIMIT] = {"timeLimit", "sidecar", "Time limit (s)",
                    "A frame that takes longer counts as failed. The first frame waits for the model to load.",
                    .least = 1, .most = 600, .initial = 60, .step = 1, .animates = false},
};

static ofx_properties define(ofx_parameters set, const char *type, const char *name, const char *label,
                             const char *hint) {
    ofx_properties made = NULL;
    if (su_host.parameter->define(set, type, name, &made) != OFX_OK || !made)
        return NULL;
    su_set_string(made, OFX_PROP_LABEL, 0, label);
    su_set_string(made, OFX_PROP_SHORT_LABEL, 0, label);
    su_set_string(made, OFX_PROP_LONG_LABEL, 0, label);
    su_set_string(made, OFX_PARAM_PROP_SCRIPT_NAME, 0, name);
    su_set_string(made, OFX_PARAM_PROP_HINT, 0, hint);
    return made;
}

static void define_group(ofx_parameters set, const struct group *group) {
    (void)define(set, OFX_PARAM_GROUP, group->name, group->label, group->hint);
}

/* Some hosts take the display range for the range, others show -1..1 without one: both are set. */
static void define_number(ofx_parameters set, const struct number *number) {
    const ofx_properties made = define(set, OFX_PARAM_DOUBLE, number->name, number->label, number->hint);
    if (!made)
        return;
    su_set_string(made, OFX_PARAM_PROP_PARENT, 0, number->group);
    su_set_double(made, OFX_PARAM_PROP_DEFAULT, number->initial);
    su_set_double(made, OFX_PARAM_PROP_MIN, number->least);
    su_set_double(made, OFX_PARAM_PROP_MAX, number->most);
    su_set_double(made, OFX_PARAM_PROP_DISPLAY_MIN, number->least);
    su_set_double(made, OFX_PARAM_PROP_DISPLAY_MAX, number->most);
    su_set_double(made, OFX_PARAM_PROP_INCREMENT, number->step);
    su_set_int(made, OFX_PARAM_PROP_ANIMATES, number->animates);
}

static void define_choice(ofx_parameters set, const struct choice *choice) {
    const ofx_properties made = define(set, OFX_PARAM_CHOICE, choice->name, choice->label, choice->hint);
    if (!made)
        return;
    su_set_string(made, OFX_PARAM_PROP_PARENT, 0, choice->group);
    for (int index = 0; choice->options[index]; index++)
        su_set_string(made, OFX_PARAM_PROP_CHOICE_OPTION, index, choice->options[index]);
    su_set_int(made, OFX_PARAM_PROP_DEFAULT, 0);
    su_set_int(made, OFX_PARAM_PROP_ANIMATES, 0);
}

static void define_button(ofx_parameters set) {
    const ofx_properties made = define(set, OFX_PARAM_PUSH_BUTTON, SU_PARAM_RECONNECT, "Reconnect",
                                       "Forgets earlier failures, starts the sidecar if it can, and renders again.");
    if (made)
        su_set_string(made, OFX_PARAM_PROP_PARENT, 0, "sidecar");
}

static void define_revision(ofx_parameters set) {
    const ofx_properties made = define(set, OFX_PARAM_INTEGER, "revision", "Revision", "Raised by Reconnect.");
    if (!made)
        return;
    su_set_string(made, OFX_PARAM_PROP_PARENT, 0, "sidecar");
    su_set_int(made, OFX_PARAM_PROP_SECRET, 1);
    su_set_int(made, OFX_PARAM_PROP_DEFAULT, 0);
    su_set_int(made, OFX_PARAM_PROP_MIN, 0);
    su_set_int(made, OFX_PARAM_PROP_MAX, REVISION_LIMIT);
    su_set_int(made, OFX_PARAM_PROP_DISPLAY_MIN, 0);
    su_set_int(made, OFX_PARAM_PROP_DISPLAY_MAX, REVISION_LIMIT);
    su_set_int(made, OFX_PARAM_PROP_ANIMATES, 0);
    su_set_int(made, OFX_PARAM_PROP_EVALUATE, 1);
}

void su_params_define(ofx_parameters set) {
    define_group(set, &groups[0]);
    define_choice(set, &mode);
    for (int index = FACTOR; index <= CENTRE_Y; index++)
        define_number(set, &numbers[index]);
    define_choice(set, &model);
    define_number(set, &numbers[STRENGTH]);
    define_number(set, &numbers[DENOISE]);
    define_group(set, &groups[1]);
    define_choice(set, &on_failure);
    define_number(set, &numbers[TIME_LIMIT]);
    define_button(set);
    define_revision(set);
}

static ofx_parameter handle(ofx_parameters set, const char *name) {
    ofx_parameter found = NULL;
    return set && su_host.parameter->get_handle(set, name, &found, NULL) == OFX_OK ? found : NULL;
}

/* `value` points to what the parameter's type holds: a double or an int. */
static bool get(ofx_parameters set, const char *name, const ofx_time *time, void *value) {
    const ofx_parameter found = handle(set, name);
    if (!found)
        return false;
    return (time ? su_host.parameter->get_value_at(found, *time, value) : su_host.parameter->get_value(found, value)) ==
           OFX_OK;
}

static double number_at(ofx_parameters set, int which, const ofx_time *time) {
    const struct number *number = &numbers[which];
    double value = number->initial;
    if (!get(set, number->name, time, &value))
        return number->initial;
    if (!(value >= number->least)) /* NaN too */
        return number->least;
    return value > number->most ? number->most : value;
}

static int choice_at(ofx_parameters set, const struct choice *choice, const ofx_time *time) {
    int value = 0;
    if (!get(set, choice->name, time, &value))
        return 0;
    for (int index = 0; choice->options[index]; index++)
        if (index == value)
            return value;
    return 0;
}

void su_params_read(ofx_effect effect, const ofx_time *time, struct su_settings *settings) {
    ofx_parameters set = NULL;
    if (su_host.effect->get_parameters(effect, &set) != OFX_OK)
        set = NULL;
    settings->look = (struct su_look){
        .mode = choice_at(set, &mode, time) == 1 ? SU_PUNCH_IN : SU_RESTORE,
        .factor = number_at(set, FACTOR, time),
        .zoom = number_at(set, ZOOM, time),
        .centre_x = number_at(set, CENTRE_X, time),
        .centre_y = number_at(set, CENTRE_Y, time),
        .strength = number_at(set, STRENGTH, time),
        .denoise = number_at(set, DENOISE, time),
        .model = su_model(choice_at(set, &model, time)),
    };
    settings->policy = (enum su_policy)choice_at(set, &on_failure, time);
    settings->seconds = number_at(set, TIME_LIMIT, time);
}

void su_params_revise(ofx_effect effect) {
    ofx_parameters set = NULL;
    if (!su_host.parameter->set_value || su_host.effect->get_parameters(effect, &set) != OFX_OK)
        return;
    const ofx_parameter revision = handle(set, "revision");
    int value = 0;
    if (!revision || su_host.parameter->get_value(revision, &value) != OFX_OK)
        return;
    value = value >= 0 && value < REVISION_LIMIT ? value + 1 : 0;
    (void)su_host.parameter->set_value(revision, value);
}
