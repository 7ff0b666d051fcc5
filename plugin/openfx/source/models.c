#include "models.h"

#include <stddef.h>

const char *const su_models[] = {
    "auto", "x4plus", "x4plus-anime", "x2plus", "animevideov3", "general-x4v3", NULL,
};

const char *su_model(int index) {
    const int count = (int)(sizeof su_models / sizeof *su_models) - 1;
    return index >= 0 && index < count ? su_models[index] : su_models[0];
}
