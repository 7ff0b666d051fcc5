// Between pictures in float32 and the half-precision channels that the convolutions read and write. `plane`, `row` and
// `column` are what lies between two samples of the picture along each of its axes.
#include "halves.h"

// A picture as channels of half precision, a position for each cell of CELL x CELL pixels: for each of its planes and
// pixels the nearest half, then what that leaves, then the nearest half again, then zeros. With weights split the same
// way the first convolution is as good as in float32.
template <int CELL, int CHANNELS>
__device__ __forceinline__ void split(const float *picture, long long plane, long long row, int column, half *out,
                                      int width, int x, int y) {
    const int values = 3 * CELL * CELL;
    union {
        uint4 all[CHANNELS / 8];
        half each[CHANNELS];
    } result;
#pragma unroll
    for (int i = 0; i < CHANNELS / 8; i++) result.all[i] = make_uint4(0, 0, 0, 0);
#pragma unroll
    for (int i = 0; i < values; i++) {
        const int c = i / (CELL * CELL), down = i / CELL % CELL, right = i % CELL;
        const float value = picture[c * plane + (y * CELL + down) * row + (x * CELL + right) * column];
        const half near = narrowed(value);
        result.each[i] = result.each[2 * values + i] = near;
        result.each[values + i] = narrowed(value - widened(near));
    }
    uint4 *to = (uint4 *)(out + ((long long)y * width + x) * CHANNELS);
#pragma unroll
    for (int i = 0; i < CHANNELS / 8; i++) to[i] = result.all[i];
}

#define SPLIT(name, CELL, CHANNELS)                                                                                    \
    extern "C" __global__ void name(const float *picture, long long plane, long long row, int column, half *out,       \
                                    int width, int height) {                                                           \
        const int x = blockIdx.x * blockDim.x + threadIdx.x;                                                           \
        if (x >= width) return;                                                                                        \
        for (int y = blockIdx.y; y < height; y += gridDim.y)                                                           \
            split<CELL, CHANNELS>(picture, plane, row, column, out, width, x, y);                                      \
    }

SPLIT(split_3, 1, 32)
SPLIT(split_12, 2, 64)

// Samples side by side, one (grey) or three to a pixel, as three planes of float32 in which white is 1.
#define PLANES(name, Sample)                                                                                           \
    extern "C" __global__ void name(const Sample *pixels, float *out, int width, int height, int samples,              \
                                    float levels) {                                                                    \
        const int x = blockIdx.x * blockDim.x + threadIdx.x, c = blockIdx.z;                                           \
        if (x >= width) return;                                                                                        \
        for (int y = blockIdx.y; y < height; y += gridDim.y) {                                                         \
            const long long at = (long long)y * width + x;                                                             \
            out[(long long)c * height * width + at] = pixels[at * samples + (samples > 1 ? c : 0)] / levels;           \
        }                                                                                                              \
    }

PLANES(planes_uint8, unsigned char)
PLANES(planes_uint16, unsigned short)
PLANES(planes_float32, float)

// The 48 channels of a pixel as 4 x 4 pixels of three planes, added to the pixel that they are the detail of.
extern "C" __global__ void shuffle(const half *detail, const float *picture, long long plane, long long row,
                                   int column, float *out, int width, int height) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x, c = blockIdx.z;
    if (x >= width) return;
    float4 *to = (float4 *)(out + (long long)c * height * width * 16);
    for (int y = blockIdx.y; y < height; y += gridDim.y) {
        const float base = picture[c * plane + y * row + x * column];
        union {
            uint4 all[2];
            unsigned pair[8];
        } values;
        const uint4 *from = (const uint4 *)(detail + ((long long)y * width + x) * 64 + c * 16);
        values.all[0] = from[0];
        values.all[1] = from[1];
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const float2 left = unpaired(values.pair[2 * i]), right = unpaired(values.pair[2 * i + 1]);
            to[(4LL * y + i) * width + x] = make_float4(base + left.x, base + left.y, base + right.x, base + right.y);
        }
    }
}
