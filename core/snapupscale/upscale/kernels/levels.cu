// The means of blocks; the shift of the levels fitted to them (levels.py says what that is); and the last step of a
// picture: that shift taken off, clipped, and rounded to its samples, in one pass over what the network made.

// A plane of float32, three of them `plane` apart; `row` and `column` lie between neighbours.
struct Planes {
    const float *first;
    long long plane, row;
    int column, width, height;
};

// Where between four neighbours a place lies, as bilinear interpolation without aligned corners has it.
struct Between {
    long long corners[4];
    float right, down;

    __device__ __forceinline__ Between(const Planes &planes, int x, int y, float step) {
        const float at_x = fmaxf(0.f, (x + 0.5f) * step - 0.5f), at_y = fmaxf(0.f, (y + 0.5f) * step - 0.5f);
        const int left = min((int)at_x, planes.width - 1), top = min((int)at_y, planes.height - 1);
        const int next = min(left + 1, planes.width - 1), below = min(top + 1, planes.height - 1);
        right = at_x - left;
        down = at_y - top;
        corners[0] = top * planes.row + (long long)left * planes.column;
        corners[1] = top * planes.row + (long long)next * planes.column;
        corners[2] = below * planes.row + (long long)left * planes.column;
        corners[3] = below * planes.row + (long long)next * planes.column;
    }

    __device__ __forceinline__ float of(const float *values) const {
        const float upper = values[corners[0]] * (1.f - right) + values[corners[1]] * right;
        const float lower = values[corners[2]] * (1.f - right) + values[corners[3]] * right;
        return upper * (1.f - down) + lower * down;
    }
};

// Not a number stays what it is, to be seen as such.
__device__ __forceinline__ float clipped(float value) { return value < 0.f ? 0.f : value > 1.f ? 1.f : value; }

// The means of the blocks of `edge` x `edge` samples, cut off at the right and bottom; a block of threads for
// each. clip: to 0 and 1 before.
extern "C" __global__ void means(const Planes values, float *result, int edge, int columns, int rows, int clip) {
    __shared__ float of_warps[32];
    const float *plane = values.first + blockIdx.z * values.plane;
    for (int row = blockIdx.y; row < rows; row += gridDim.y) {
        const int left = blockIdx.x * edge, top = row * edge;
        const int width = min(edge, values.width - left), height = min(edge, values.height - top);
        float sum = 0.f;
        for (int i = threadIdx.x; i < edge * height; i += blockDim.x) {
            const int x = i % edge, y = i / edge;
            if (x < width) {
                const float value = plane[(top + y) * values.row + (long long)(left + x) * values.column];
                sum += clip ? clipped(value) : value;
            }
        }
        for (int away = 16; away; away >>= 1) sum += __shfl_down_sync(0xffffffffu, sum, away);
        if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = sum;
        __syncthreads();
        if (threadIdx.x == 0) {
            float all = 0.f;
            for (int warp = 0; warp < blockDim.x / 32; warp++) all += of_warps[warp];
            result[((long long)blockIdx.z * rows + row) * columns + blockIdx.x] = all / (width * height);
        }
        __syncthreads();
    }
}

// How the squares' means change, as slope * mean + offset fitted to the squares at most `radius` away: three planes each.
extern "C" __global__ void fit(const float *before, const float *after, float *slope, float *offset, int columns,
                               int rows, int radius, float smoothing) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    if (x >= columns) return;
    const long long plane = (long long)blockIdx.z * rows * columns;
    for (int y = blockIdx.y; y < rows; y += gridDim.y) {
        float sum = 0.f, change = 0.f, products = 0.f, squares = 0.f;
        int count = 0;
        for (int down = max(0, y - radius); down <= min(rows - 1, y + radius); down++) {
            for (int right = max(0, x - radius); right <= min(columns - 1, x + radius); right++, count++) {
                const long long at = plane + (long long)down * columns + right;
                const float mean = before[at], changed = after[at] - mean;
                sum += mean;
                change += changed;
                products += mean * changed;
                squares += mean * mean;
            }
        }
        sum /= count, change /= count;
        const float steep = (products / count - sum * change) / (squares / count - sum * sum + smoothing);
        slope[plane + (long long)y * columns + x] = steep;
        offset[plane + (long long)y * columns + x] = change - steep * sum;
    }
}

// The mean of the values at most `radius` away: three planes.
extern "C" __global__ void around(const float *values, float *result, int columns, int rows, int radius) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    if (x >= columns) return;
    const long long plane = (long long)blockIdx.z * rows * columns;
    for (int y = blockIdx.y; y < rows; y += gridDim.y) {
        float sum = 0.f;
        int count = 0;
        for (int down = max(0, y - radius); down <= min(rows - 1, y + radius); down++)
            for (int right = max(0, x - radius); right <= min(columns - 1, x + radius); right++, count++)
                sum += values[plane + (long long)down * columns + right];
        result[plane + (long long)y * columns + x] = sum / count;
    }
}

// left, top: of the box that is made, in pixels of `output`. levels: the sample of white, 0 for float32.
struct Box {
    int left, top, width, height;
    long long row, column, plane;  // between neighbours in the result
    float levels, picture_step, square_step;
    int grey;
};

template <typename Sample>
__device__ __forceinline__ Sample sample(float value, float levels) {
    return (Sample)rintf(value * levels);
}

template <>
__device__ __forceinline__ float sample<float>(float value, float) {
    return value;
}

template <typename Sample>
__device__ __forceinline__ void level(const Planes &output, const Planes &picture, const Planes &squares,
                                      const float *slope, const float *offset, Sample *result, const Box &box, int x,
                                      int y) {
    const int from_x = box.left + x, from_y = box.top + y;
    const Between around(picture, from_x, from_y, box.picture_step), mean(squares, from_x, from_y, box.square_step);
    Sample *to = result + y * box.row + x * box.column;
    const float luma[3] = {0.299f, 0.587f, 0.114f};
    float grey = 0.f;
#pragma unroll
    for (int c = 0; c < 3; c++) {
        const long long square = c * squares.plane;
        const float steep = mean.of(slope + square);
        const float shift = mean.of(offset + square) + fmaxf(steep, 0.f) * around.of(picture.first + c * picture.plane) +
                            fminf(steep, 0.f) * mean.of(squares.first + square);
        const float made = output.first[c * output.plane + from_y * output.row + (long long)from_x * output.column];
        const float value = clipped(clipped(made) - shift);
        if (box.grey)
            grey += luma[c] * value;
        else
            to[c * box.plane] = sample<Sample>(value, box.levels);
    }
    if (box.grey) *to = sample<Sample>(grey, box.levels);
}

#define LEVEL(name, Sample)                                                                                            \
    extern "C" __global__ void name(const Planes output, const Planes picture, const Planes squares,                   \
                                    const float *slope, const float *offset, Sample *result, const Box box) {          \
        const int x = blockIdx.x * blockDim.x + threadIdx.x;                                                           \
        if (x >= box.width) return;                                                                                    \
        for (int y = blockIdx.y; y < box.height; y += gridDim.y)                                                       \
            level<Sample>(output, picture, squares, slope, offset, result, box, x, y);                                 \
    }

LEVEL(level_uint8, unsigned char)
LEVEL(level_uint16, unsigned short)
LEVEL(level_float32, float)
