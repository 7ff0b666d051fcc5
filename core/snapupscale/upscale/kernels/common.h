// What the convolutions have in common: how they are called, and what becomes of their sums.
#include "halves.h"

typedef unsigned int u32;
typedef unsigned long long u64;

// What a call needs beside its pointers.
struct Shape {
    int height, width;  // of what is computed, in pixels of the input
    int skipped;        // rows of the input above it
    int strips;         // of 64 * GROUPS columns
    int splits;         // blocks that share a row: parts of the output channels, or phases of the enlargement
    int out_row, first_row, second_row;        // pixels from a row to the next
    int out_pitch, first_pitch, second_pitch;  // halves from a pixel to the next; for PIXELS, floats between planes
    float first_scale, second_scale;
};

enum Epilogue {
    LEAKY,     // LeakyReLU of 0.2
    RESIDUAL,  // sums * first_scale + first, and then, where there is a second, * second_scale + second
    PRELU,     // PReLU, a slope for each channel
    ENLARGED,  // LeakyReLU, to one of the four phases of a picture of twice the size
    PIXELS,    // three planes of float32
};

// Predicated in assembly: a branch among wgmma instructions would make the compiler wait for each of them.
__device__ __forceinline__ void store_if(float *to, float value, int condition) {
    asm volatile("{\n.reg .pred q;\nsetp.ne.b32 q, %2, 0;\n@q st.global.f32 [%0], %1;\n}\n" ::"l"(to), "f"(value),
                 "r"(condition)
                 : "memory");
}

// Neighbouring channels of a pixel, 2 * COUNT of them.
template <int COUNT>
struct Pairs;

template <>
struct Pairs<4> {
    union {
        uint4 all;
        u32 pair[4];
    };
    __device__ __forceinline__ void clear() { all = make_uint4(0, 0, 0, 0); }
    __device__ __forceinline__ void load(const half *from) { all = *(const uint4 *)from; }
    __device__ __forceinline__ void store_if(half *to, int condition) const {
        asm volatile("{\n.reg .pred q;\nsetp.ne.b32 q, %5, 0;\n@q st.global.v4.b32 [%0], {%1, %2, %3, %4};\n}\n"
                     ::"l"(to), "r"(pair[0]), "r"(pair[1]), "r"(pair[2]), "r"(pair[3]), "r"(condition)
                     : "memory");
    }
};

template <>
struct Pairs<2> {
    union {
        uint2 all;
        u32 pair[2];
    };
    __device__ __forceinline__ void clear() { all = make_uint2(0, 0); }
    __device__ __forceinline__ void load(const half *from) { all = *(const uint2 *)from; }
    __device__ __forceinline__ void store_if(half *to, int condition) const {
        asm volatile("{\n.reg .pred q;\nsetp.ne.b32 q, %3, 0;\n@q st.global.v2.b32 [%0], {%1, %2};\n}\n" ::"l"(to),
                     "r"(pair[0]), "r"(pair[1]), "r"(condition)
                     : "memory");
    }
};

// The channels of a thread: of every 8 * TILES, 2 * TILES neighbours, whose sums lie in as many tiles of 8 columns.
template <int OUT>
struct Tiles {
    static constexpr int count = OUT / 8 < 4 ? OUT / 8 : 4, groups = OUT / 8 / count;
};

// What `values` has for the channels of this thread.
template <int OUT, int COUNT>
__device__ __forceinline__ void own(float (&to)[COUNT], const float *values, int quad) {
    constexpr int TILES = Tiles<OUT>::count;
#pragma unroll
    for (int j = 0; j < OUT / 8 && 2 * j + 1 < COUNT; j++) {
        const int c = j / TILES * 8 * TILES + 2 * TILES * quad + 2 * (j % TILES);
        to[2 * j] = values[c];
        to[2 * j + 1] = values[c + 1];
    }
}

// Which channels, which phase of an enlargement, and which of the four threads that share a pixel's channels.
struct Place {
    int channel, phase_y, phase_x, quad;
};

// Do what comes after the sums of row y, `ready`, for pixels x and x + 8, and store the results.
template <int OUT, int EPILOGUE, int SIDE, int SLOPES>
__device__ __forceinline__ void finish(const float (&ready)[OUT / 2], const float (&slopes)[SLOPES], int y, int left,
                                       const Place &place, const half *first, const half *second, void *out,
                                       const Shape &shape) {
    constexpr int TILES = Tiles<OUT>::count;
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const int x = left + 8 * h, inside = x < shape.width, near = min(x, shape.width - 1);
        if constexpr (EPILOGUE == PIXELS) {
            const size_t plane = (size_t)shape.out_pitch;
            float *pixels = (float *)out + (size_t)y * shape.out_row + near;
            store_if(pixels + 2 * place.quad * plane, ready[2 * h], inside && place.quad < 2);
            store_if(pixels + plane, ready[2 * h + 1], inside && place.quad == 0);
        } else {
            const size_t at = SIDE == 2 ? (size_t)(2 * y + place.phase_y) * shape.out_row + 2 * near + place.phase_x
                                        : (size_t)y * shape.out_row + near;
            const size_t at_first = ((size_t)y * shape.first_row + near) * shape.first_pitch;
            const size_t at_second = ((size_t)y * shape.second_row + near) * shape.second_pitch;
    #pragma unroll
            for (int q = 0; q < Tiles<OUT>::groups; q++) {
                const int c = place.channel + q * 8 * TILES + 2 * TILES * place.quad;
                Pairs<TILES> result, add, more;
                if (EPILOGUE == RESIDUAL) {
                    add.clear();
                    if (first) add.load(first + at_first + c);
                    if (second) more.load(second + at_second + c);
                }
    #pragma unroll
                for (int j = 0; j < TILES; j++) {
                    const int tile = q * TILES + j;
                    float a = ready[tile * 4 + 2 * h], b = ready[tile * 4 + 2 * h + 1];
                    if (EPILOGUE == LEAKY || EPILOGUE == ENLARGED) {
                        a = a > 0.f ? a : 0.2f * a;
                        b = b > 0.f ? b : 0.2f * b;
                    }
                    if (EPILOGUE == RESIDUAL) {
                        const float2 f = unpaired(add.pair[j]);
                        a = a * shape.first_scale + f.x;
                        b = b * shape.first_scale + f.y;
                        if (second) {
                            const float2 g = unpaired(more.pair[j]);
                            a = a * shape.second_scale + g.x;
                            b = b * shape.second_scale + g.y;
                        }
                    }
                    if (EPILOGUE == PRELU) {
                        a = a > 0.f ? a : slopes[2 * tile] * a;
                        b = b > 0.f ? b : slopes[2 * tile + 1] * b;
                    }
                    result.pair[j] = paired(a, b);
                }
                result.store_if((half *)out + at * shape.out_pitch + c, inside);
            }
        }
    }
}
