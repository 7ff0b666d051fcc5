// 3x3 convolutions of half-precision planes on NVIDIA cards since Ampere (sm_80): cp.async brings rows in, mma.sync
// multiplies, float32 sums.
//
// The march is that of hopper.cu: a warp takes 32 neighbouring pixels of a row and goes down the rows of a strip, the
// rows of the kernel are stacked along N, weights stay in shared memory. Rows come in chunks of 32 channels. Within
// 128 bytes of shared memory, units of 16 bytes are exchanged so that the 8 rows of a matrix lie in different banks.
#include "common.h"

// Planes of 64 channels, or one of 32, by their strides in halves and pixels.
struct Source {
    const half *pixels;
    long long plane;
    int row, pitch, rows;
};

constexpr int CHUNK = 32, PIXELS_OF_WARP = 32;

__device__ __forceinline__ u32 shared_address(const void *pointer) { return (u32)__cvta_generic_to_shared(pointer); }

// 16 bytes; zeros unless `there`.
__device__ __forceinline__ void load_unit(u32 to, const void *from, bool there) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(there ? 16 : 0) : "memory");
}

__device__ __forceinline__ void loads_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

template <int PENDING>
__device__ __forceinline__ void loads_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}

__device__ __forceinline__ void load_matrices(u32 (&to)[4], u32 from) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(from));
}

__device__ __forceinline__ void multiply(float *sums, const u32 (&pixels)[4], u32 low, u32 high) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(pixels[0]), "r"(pixels[1]), "r"(pixels[2]), "r"(pixels[3]), "r"(low), "r"(high));
}

// The place of a unit in rows of 64 bytes.
__device__ __forceinline__ u32 place_of(int row, int unit) { return row * 64 + ((unit ^ ((row >> 1) & 3)) << 4); }

// IN: channels, a multiple of 32. OUT: output channels of one block. STAGES: chunks of a row that are under way. SIDE:
// of the kernel; 2 for the phases of an enlargement.
template <int IN, int OUT, int WARPS, int STAGES, int EPILOGUE, int SIDE>
__device__ __forceinline__ void convolve(const Source &source, const half *weights, const float *bias,
                                         const float *slope, const half *first, const half *second, void *out,
                                         const Shape &shape) {
    constexpr int CHUNKS = IN / CHUNK, N = SIDE * OUT, SUMS = OUT / 2, THREADS = 32 * WARPS;
    constexpr int WIDTH = PIXELS_OF_WARP * WARPS, COLUMNS = WIDTH + 2, STAGE = (COLUMNS * 64 + 127) / 128 * 128;
    constexpr int WEIGHTS = SIDE * N * IN * 2, TILES_OF_ALL = N / 8;
    extern __shared__ __align__(128) unsigned char memory[];
    const u32 weights_at = shared_address(memory), stages_at = weights_at + WEIGHTS;
    const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, quad = lane & 3;
    const int split = blockIdx.x % shape.splits, block = blockIdx.x / shape.splits, blocks = gridDim.x / shape.splits;
    // Phases first, then the parts of each one's channels.
    const int parts = SIDE == 2 ? shape.splits / 4 : shape.splits, phase = split / parts;
    const Place place = {split % parts * OUT, SIDE == 2 ? phase >> 1 : 0, SIDE == 2 ? phase & 1 : 0, quad};

    const char *own_weights = (const char *)weights + (size_t)split * WEIGHTS;
    for (int at = threadIdx.x * 16; at < WEIGHTS; at += THREADS * 16) load_unit(weights_at + at, own_weights + at, true);
    loads_commit();
    float biases[SUMS / 2], slopes[EPILOGUE == PRELU ? SUMS / 2 : 1];
    own<OUT>(biases, bias + place.channel, quad);
    if (EPILOGUE == PRELU) own<OUT>(slopes, slope + place.channel, quad);

    const int total = shape.strips * shape.height;
    int unit = (int)((long long)block * total / blocks);
    const int end = (int)((long long)(block + 1) * total / blocks);
    const int factor_row = (lane & 7) + ((lane >> 4) << 3);
    float sums[2][SIDE * SUMS];

    while (unit < end) {
        const int strip = unit / shape.height, top = unit - strip * shape.height;
        const int rows = min(shape.height - top, end - unit), left = strip * WIDTH;
        unit += rows;
        const int first_y = top - 1 + place.phase_y, end_y = first_y + rows + SIDE - 1;

        int load_y = first_y, load_chunk = 0, load_stage = 0;
        auto load = [&]() {
            if (load_y < end_y) {
                const int y = load_y + shape.skipped;
                const half *from = source.pixels + (load_chunk >> 1) * source.plane +
                                   (long long)y * source.row * source.pitch + (load_chunk & 1) * CHUNK;
                const bool row_there = y >= 0 && y < source.rows;
#pragma unroll
                for (int i = threadIdx.x; i < COLUMNS * 4; i += THREADS) {
                    const int column = i >> 2, part = i & 3, x = left - 1 + column;
                    const bool there = row_there && x >= 0 && x < shape.width;
                    const half *at = there ? from + (long long)x * source.pitch + part * 8 : source.pixels;
                    load_unit(stages_at + load_stage * STAGE + place_of(column, part), at, there);
                }
                if (++load_chunk == CHUNKS) load_chunk = 0, load_y++;
                if (++load_stage == STAGES) load_stage = 0;
            }
            // An empty group keeps the count of those that are under way.
            loads_commit();
        };

        __syncthreads();
#pragma unroll
        for (int i = 0; i < STAGES - 1; i++) load();
#pragma unroll
        for (int m = 0; m < 2; m++)
#pragma unroll
            for (int k = 0; k < SIDE; k++)
#pragma unroll
                for (int j = 0; j < OUT / 8; j++) {
                    float *tile = sums[m] + k * SUMS + 4 * j;
                    tile[0] = tile[2] = biases[2 * j];
                    tile[1] = tile[3] = biases[2 * j + 1];
                }
        int stage = 0;
        for (int y = first_y; y < end_y; y++) {
            for (int chunk = 0; chunk < CHUNKS; chunk++) {
                loads_wait<STAGES - 2>();
                __syncthreads();
                load();
                const u32 pixels_at = stages_at + stage * STAGE;
                const u32 factors_at = weights_at + chunk * SIDE * N * 64;
                if (++stage == STAGES) stage = 0;
#pragma unroll
                for (int kx = 0; kx < SIDE; kx++)
#pragma unroll
                    for (int k = 0; k < 2; k++) {
                        u32 pixels[2][4];
#pragma unroll
                        for (int m = 0; m < 2; m++) {
                            const int column = warp * PIXELS_OF_WARP + m * 16 + (lane & 15) + kx + place.phase_x;
                            load_matrices(pixels[m], pixels_at + place_of(column, 2 * k + (lane >> 4)));
                        }
                        const u32 row_at = factors_at + kx * N * 64 + place_of(factor_row, 2 * k + ((lane >> 3) & 1));
#pragma unroll
                        for (int pair = 0; pair < (TILES_OF_ALL + 1) / 2; pair++) {
                            u32 factors[4];
                            load_matrices(factors, row_at + pair * 16 * 64);
#pragma unroll
                            for (int m = 0; m < 2; m++) {
                                multiply(sums[m] + 8 * pair, pixels[m], factors[0], factors[1]);
                                if (2 * pair + 1 < TILES_OF_ALL)
                                    multiply(sums[m] + 8 * pair + 4, pixels[m], factors[2], factors[3]);
                            }
                        }
                    }
            }
            const int done = SIDE == 3 ? y - 1 : y - place.phase_y;
#pragma unroll
            for (int m = 0; m < 2; m++) {
                float ready[SUMS];
#pragma unroll
                for (int j = 0; j < SUMS; j++) {
                    ready[j] = sums[m][j];
                    sums[m][j] = sums[m][SUMS + j];
                    if (SIDE == 3) sums[m][SUMS + j] = sums[m][2 * SUMS + j];
                }
#pragma unroll
                for (int j = 0; j < OUT / 8; j++) {
                    float *tile = sums[m] + (SIDE - 1) * SUMS + 4 * j;
                    tile[0] = tile[2] = biases[2 * j];
                    tile[1] = tile[3] = biases[2 * j + 1];
                }
                if (done >= top)
                    finish<OUT, EPILOGUE, SIDE>(ready, slopes, done, left + warp * PIXELS_OF_WARP + m * 16 + (lane >> 2),
                                                place, first, second, out, shape);
            }
        }
        loads_wait<0>();
    }
}

#define KERNEL(name, IN, OUT, WARPS, STAGES, EPILOGUE, SIDE)                                                           \
    extern "C" __global__ void __launch_bounds__(WARPS * 32)                                                           \
        name(const Source source, const half *weights, const float *bias, const float *slope, const half *first,       \
             const half *second, void *out, const Shape shape) {                                                       \
        convolve<IN, OUT, WARPS, STAGES, EPILOGUE, SIDE>(source, weights, bias, slope, first, second, out, shape);     \
    }
