// Half-precision numbers by their bits: NVRTC doesn't bring the header that has them on every system.
typedef unsigned short half;

// Rounded to nearest, even. `low` comes first in memory.
__device__ __forceinline__ unsigned paired(float low, float high) {
    unsigned result;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
    return result;
}

__device__ __forceinline__ float2 unpaired(unsigned pair) {
    float2 result;
    asm("{\n.reg .b16 low, high;\nmov.b32 {low, high}, %2;\ncvt.f32.f16 %0, low;\ncvt.f32.f16 %1, high;\n}\n"
        : "=f"(result.x), "=f"(result.y)
        : "r"(pair));
    return result;
}

__device__ __forceinline__ half narrowed(float value) {
    half result;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result) : "f"(value));
    return result;
}

__device__ __forceinline__ float widened(half value) {
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value));
    return result;
}
