/* The models that the effect offers. */
#ifndef SNAPUPSCALE_MODELS_H
#define SNAPUPSCALE_MODELS_H

/* "auto", then the names of models/manifest.toml in its order; NULL ends them. Projects keep the index, so models are
 * only ever added at the end. */
extern const char *const su_models[];

/* The name at `index`, "auto" if there is none. */
const char *su_model(int index);

#endif
