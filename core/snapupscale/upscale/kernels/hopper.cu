// 3x3 convolutions of half-precision planes on Hopper (sm_90a): TMA brings rows in, wgmma multiplies, float32 sums.
//
// A picture's channels lie in planes of 64, [plane][row][column][64], so that no layer ever concatenates. A warpgroup
// takes 64 neighbouring pixels of a row as the M of its products and marches down the rows of a strip. The rows of the
// kernel are stacked along N: an input row is read from shared memory once and adds to all the output rows that it
// belongs to, whose sums wait in registers and move on by one place a row. Columns are shifted by moving the start of
// the shared-memory descriptor by one pixel. Weights stay in shared memory for the life of a block.
//
// One warp loads; GROUPS warpgroups multiply. Every block takes a contiguous share of all rows of all strips.
// The order of the output channels in the weights (packing.py) is the one in which a thread's sums are 16 contiguous
// bytes of the result.
#include "common.h"

struct alignas(64) TensorMap {
    unsigned char opaque[128];
};

#include "wgmma.h"

__device__ __forceinline__ u32 shared_address(const void *pointer) { return (u32)__cvta_generic_to_shared(pointer); }

__device__ __forceinline__ void barrier_init(u32 barrier, u32 count) {
    asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(barrier), "r"(count));
}

__device__ __forceinline__ void barrier_expect(u32 barrier, u32 bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

// Predicated in assembly: a branch among wgmma instructions would make the compiler wait for each of them.
__device__ __forceinline__ void barrier_arrive_if(u32 barrier, int condition) {
    asm volatile("{\n.reg .pred q;\nsetp.ne.b32 q, %1, 0;\n@q mbarrier.arrive.shared.b64 _, [%0];\n}\n" ::"r"(barrier),
                 "r"(condition)
                 : "memory");
}

__device__ __forceinline__ void barrier_wait(u32 barrier, u32 parity) {
    asm volatile(
        "{\n.reg .pred P;\nAGAIN:\nmbarrier.try_wait.parity.shared::cta.b64 P, [%0], %1;\n@P bra DONE;\nbra AGAIN;\n"
        "DONE:\n}\n" ::"r"(barrier),
        "r"(parity)
        : "memory");
}

__device__ __forceinline__ void load_row(u32 to, const TensorMap *map, u32 barrier, int x, int y, int plane) {
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, %6}], [%2];"
        ::"r"(to), "l"(map), "r"(barrier), "r"(0), "r"(x), "r"(y), "r"(plane)
        : "memory");
}

__device__ __forceinline__ void load_bytes(u32 to, const void *from, u32 bytes, u32 barrier) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(to),
                 "l"(from), "r"(bytes), "r"(barrier)
                 : "memory");
}

__device__ __forceinline__ void products_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

__device__ __forceinline__ void products_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

template <int PENDING>
__device__ __forceinline__ void products_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}

// swizzle: 1 for rows of 128 bytes, 2 for 64. stride: bytes from a group of 8 rows to the next.
__device__ __forceinline__ u64 descriptor(u32 address, u32 stride, u32 swizzle) {
    return (u64)((address >> 4) & 0x3FFF) | (1ull << 16) | ((u64)(stride >> 4) << 32) | ((u64)swizzle << 62);
}

// Keeps the compiler from moving sums about while products are still adding to them.
template <int COUNT>
__device__ __forceinline__ void pin(float (&values)[COUNT]) {
#pragma unroll
    for (int i = 0; i < COUNT; i++) asm volatile("" : "+f"(values[i])::"memory");
}

// IN: channels, a multiple of 32. OUT: output channels of one block. GROUPS: warpgroups that multiply. STAGES: rows of a
// plane that are under way. TURNS: warpgroups multiply in turns, so that one stores while the other multiplies. SIDE:
// of the kernel; 2 for the phases of an enlargement.
template <int IN, int OUT, int GROUPS, int STAGES, int EPILOGUE, int TURNS, int SIDE>
__device__ __forceinline__ void convolve(const TensorMap *whole_planes, const TensorMap *half_plane,
                                         const half *weights, const float *bias, const float *slope,
                                         const half *first, const half *second, void *out, const Shape &shape) {
    constexpr int WHOLE = IN / 64, HALF = (IN % 64) / 32, PLANES = WHOLE + HALF;
    constexpr int N = SIDE * OUT, SUMS = OUT / 2;  // sums of a thread for one output row
    constexpr int COLUMNS = 64 * GROUPS + 2, STAGE = (COLUMNS * 128 + 1023) / 1024 * 1024;
    constexpr int WEIGHTS = SIDE * N * IN * 2;
    constexpr bool WIDE = OUT == 64;  // then registers move from the loading warpgroup to the others
    extern __shared__ __align__(1024) unsigned char memory[];
    const u32 weights_at = shared_address(memory), stages_at = weights_at + WEIGHTS;
    const u32 full = stages_at + STAGES * STAGE, empty = full + 8 * STAGES, weights_there = full + 16 * STAGES;
    const int warp = __shfl_sync(0xffffffffu, threadIdx.x >> 5, 0), lane = threadIdx.x & 31;
    const int split = blockIdx.x % shape.splits, block = blockIdx.x / shape.splits, blocks = gridDim.x / shape.splits;
    const int phase_y = SIDE == 2 ? split >> 1 : 0, phase_x = SIDE == 2 ? split & 1 : 0;
    const int channel = SIDE == 2 ? 0 : split * OUT;
    if (threadIdx.x == 0) {
        for (int i = 0; i < STAGES; i++) {
            barrier_init(full + 8 * i, 1);
            barrier_init(empty + 8 * i, GROUPS * 4);
        }
        barrier_init(weights_there, 1);
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
        asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    }
    __syncthreads();
    const int total = shape.strips * shape.height;
    int unit = (int)((long long)block * total / blocks);
    const int end = (int)((long long)(block + 1) * total / blocks);

    if (warp >= GROUPS * 4) {
        if (WIDE) asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(GROUPS == 2 ? 24 : 32));
        if (warp == GROUPS * 4 && lane == 0) {
            barrier_expect(weights_there, WEIGHTS);
            const char *source = (const char *)weights + (size_t)split * WEIGHTS;
            for (int at = 0; at < WEIGHTS; at += 8192)
                load_bytes(weights_at + at, source + at, min(8192, WEIGHTS - at), weights_there);
            int stage = 0;
            u32 parity = 1;
            while (unit < end) {
                const int strip = unit / shape.height, top = unit - strip * shape.height;
                const int rows = min(shape.height - top, end - unit), x = strip * 64 * GROUPS - 1;
                unit += rows;
                // Outside the picture TMA fills in zeros, which is the padding.
                for (int y = top - 1 + phase_y, last = y + rows + SIDE - 1; y < last; y++) {
#pragma unroll
                    for (int plane = 0; plane < PLANES; plane++) {
                        barrier_wait(empty + 8 * stage, parity);
                        barrier_expect(full + 8 * stage, COLUMNS * (plane < WHOLE ? 128 : 64));
                        load_row(stages_at + stage * STAGE, plane < WHOLE ? whole_planes : half_plane, full + 8 * stage,
                                 x, y + shape.skipped, plane);
                        if (++stage == STAGES) stage = 0, parity ^= 1;
                    }
                }
            }
        }
        return;
    }

    if (WIDE) asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(GROUPS == 2 ? 240 : 160));
    const int group = warp >> 2, quad = lane & 3;
    const int column = group * 64 + (warp & 3) * 16 + (lane >> 2);
    float biases[SUMS / 2], slopes[EPILOGUE == PRELU ? SUMS / 2 : 1];
    own<OUT>(biases, bias + channel, quad);
    if (EPILOGUE == PRELU) own<OUT>(slopes, slope + channel, quad);
    float sums[SIDE * SUMS], ready[SUMS];
    if (TURNS && group == GROUPS - 1) asm volatile("bar.arrive %0, 256;" ::"r"(1) : "memory");
    barrier_wait(weights_there, 0);
    int stage = 0;
    u32 parity = 0;

    const Place place = {channel, phase_y, phase_x, quad};
    auto store = [&](int y, int left) {
        finish<OUT, EPILOGUE, SIDE>(ready, slopes, y, left + column, place, first, second, out, shape);
    };

    while (unit < end) {
        const int strip = unit / shape.height, top = unit - strip * shape.height;
        const int rows = min(shape.height - top, end - unit), left = strip * 64 * GROUPS;
        unit += rows;
#pragma unroll
        for (int k = 0; k < SIDE; k++)
#pragma unroll
            for (int j = 0; j < OUT / 8; j++) {
                sums[k * SUMS + 4 * j] = sums[k * SUMS + 4 * j + 2] = biases[2 * j];
                sums[k * SUMS + 4 * j + 1] = sums[k * SUMS + 4 * j + 3] = biases[2 * j + 1];
            }
        int waiting = -1;  // the row whose sums are ready and not stored
        for (int y = top - 1 + phase_y, last = y + rows + SIDE - 1; y < last; y++) {
            int previous = 0;
#pragma unroll
            for (int plane = 0; plane < PLANES; plane++) {
                barrier_wait(full + 8 * stage, parity);
                if (TURNS && plane == 0) asm volatile("bar.sync %0, 256;" ::"r"(1 + group) : "memory");
                products_begin();
                if (plane < WHOLE) {
                    const u64 pixels = descriptor(stages_at + stage * STAGE + group * 8192 + phase_x * 128, 1024, 1);
                    const u64 factors = descriptor(weights_at + plane * SIDE * N * 128, 1024, 1);
#pragma unroll
                    for (int kx = 0; kx < SIDE; kx++)
#pragma unroll
                        for (int k = 0; k < 4; k++)
                            Product<N>::add(sums, pixels + kx * 8 + k * 2, factors + kx * (N * 8) + k * 2);
                } else {
                    const u64 pixels = descriptor(stages_at + stage * STAGE + group * 4096 + phase_x * 64, 512, 2);
                    const u64 factors = descriptor(weights_at + WHOLE * SIDE * N * 128, 512, 2);
#pragma unroll
                    for (int kx = 0; kx < SIDE; kx++)
#pragma unroll
                        for (int k = 0; k < 2; k++)
                            Product<N>::add(sums, pixels + kx * 4 + k * 2, factors + kx * (N * 4) + k * 2);
                }
                products_commit();
                if (TURNS && plane == PLANES - 1)
                    asm volatile("bar.arrive %0, 256;" ::"r"(group == GROUPS - 1 ? 1 : 2 + group) : "memory");
                if (plane == 0) {
                    if (waiting >= top) store(waiting, left);
                } else {
                    products_wait<1>();
                    barrier_arrive_if(empty + 8 * previous, lane == 0);
                }
                previous = stage;
                if (++stage == STAGES) stage = 0, parity ^= 1;
            }
            products_wait<0>();
            pin(sums);
            barrier_arrive_if(empty + 8 * previous, lane == 0);
            waiting = SIDE == 3 ? y - 1 : y - phase_y;
#pragma unroll
            for (int j = 0; j < SUMS; j++) {
                ready[j] = sums[j];
                sums[j] = sums[SUMS + j];
                if (SIDE == 3) sums[SUMS + j] = sums[2 * SUMS + j];
            }
#pragma unroll
            for (int j = 0; j < OUT / 8; j++) {
                sums[(SIDE - 1) * SUMS + 4 * j] = sums[(SIDE - 1) * SUMS + 4 * j + 2] = biases[2 * j];
                sums[(SIDE - 1) * SUMS + 4 * j + 1] = sums[(SIDE - 1) * SUMS + 4 * j + 3] = biases[2 * j + 1];
            }
            pin(sums);
            pin(ready);
        }
        store(waiting, left);
    }
}

#define KERNEL(name, IN, OUT, GROUPS, STAGES, EPILOGUE, TURNS, SIDE)                                                   \
    extern "C" __global__ void __launch_bounds__(GROUPS * 128 + (OUT == 64 ? 128 : 32), 1)                             \
        name(const __grid_constant__ TensorMap whole_planes, const __grid_constant__ TensorMap half_plane,             \
             const half *weights, const float *bias, const float *slope, const half *first, const half *second,  \
             void *out, const Shape shape) {                                                                           \
        convolve<IN, OUT, GROUPS, STAGES, EPILOGUE, TURNS, SIDE>(&whole_planes, &half_plane, weights, bias, slope,     \
                                                                 first, second, out, shape);                           \
    }
