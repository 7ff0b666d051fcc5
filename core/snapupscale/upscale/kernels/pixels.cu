// Between pictures in float32 and the half-precision channels that the convolutions read and write. `plane`, `row` and
// `column` are what lies between two samples of the picture along each of its axes.
#include "halves.h"

// A picture as channels of half precision: for each of its `PLANES` planes the nearest half, then what that leaves,
// then the nearest half again, then zeros. With weights split the same way the first convolution is as good as in
// float32.
template <int PLANES, int CHANNELS>
__device__ __forceinline__ void split(const float *picture, long long plane, long long row, int column, half *out,
                                      int width, int x, int y) {
    union {
        uint4 all[CHANNELS / 8];
        half each[CHANNELS];
    } result;
#pragma unroll
    for (int i = 0; i < CHANNELS / 8; i++) result.all[i] = make_uint4(0, 0, 0, 0);
#pragma unroll
    for (int c = 0; c < PLANES; c++) {
        const float value = picture[c * plane + y * row + x * column];
        const half near = narrowed(value);
        result.each[c] = result.each[2 * PLANES + c] = near;
        result.each[PLANES + c] = narrowed(value - widened(near));
    }
    uint4 *to = (uint4 *)(out + ((long long)y * width + x) * CHANNELS);
#pragma unroll
    for (int i = 0; i < CHANNELS / 8; i++) to[i] = result.all[i];
}

extern "C" __global__ void split_3(const float *picture, long long plane, long long row, int column, half *out,
                                   int width, int height) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    if (x >= width) return;
    for (int y = blockIdx.y; y < height; y += gridDim.y)
        split<3, 32>(picture, plane, row, column, out, width, x, y);
}

extern "C" __global__ void split_12(const float *picture, long long plane, long long row, int column, half *out,
                                   int width, int height) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    if (x >= width) return;
    for (int y = blockIdx.y; y < height; y += gridDim.y)
        split<12, 64>(picture, plane, row, column, out, width, x, y);
}

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
