// Whether values lie above a weighted mean, of one channel, with the sums in single precision in OpenCV's order:
// along rows from the left, fused (from the middle in pairs, IN_PAIRS, where the kernel is short), then along
// columns from the middle in pairs. Macros: SIZE; IN_PAIRS; OFFSET, how far below the mean counts as above;
// RESULTS, rows that a thread makes at once.

constexpr int HALF = SIZE / 2;

KERNEL line_sums(const T* in, i64 in_pitch, f32* sums, i64 sums_pitch, int rows, int values, const f32* weights) {
    const int first = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (first >= values) return;
    const T* at = row_of(in, in_pitch, row) + first;
    f32 sum;
    if constexpr (IN_PAIRS) {
        sum = __ldg(weights + HALF) * (f32)__ldg(at);
        UNROLL for (int i = 1; i <= HALF; i++)
            sum = fmaf((f32)__ldg(at - i) + (f32)__ldg(at + i), __ldg(weights + HALF - i), sum);
    } else {
        sum = __ldg(weights) * (f32)__ldg(at - HALF);
        for (int i = 1; i < SIZE; i++) sum = fmaf((f32)__ldg(at - HALF + i), __ldg(weights + i), sum);
    }
    row_of(sums, sums_pitch, row)[first] = sum;
}

DEVICE u32 compared(T value, f32 mean) {
    if constexpr (IS_F32) return __float_as_uint(value > mean - (f32)OFFSET ? 1.0f : 0.0f);
    else return (int)value - (int)rounded(mean) > -(int)OFFSET ? WHITE : 0u;
}

KERNEL compare(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, const T* lut, const T* table,
               const f32* sums, i64 sums_pitch, const f32* weights) {
    const int first = blockIdx.x * blockDim.x + threadIdx.x, start = blockIdx.y * RESULTS;
    if (first >= values) return;
    const int last = rows + SIZE - 2 - start;
    sums = row_of(sums, sums_pitch, start) + first;
    f32 above[RESULTS], below[RESULTS], total[RESULTS];  // rows as far from the middle, for each result
    UNROLL for (int r = 0; r < RESULTS; r++) {
        above[r] = below[r] = __ldg(row_of(sums, sums_pitch, least(r + HALF, last)));
        total[r] = __ldg(weights + HALF) * above[r];
    }
    for (int i = 1; i <= HALF; i++) {
        UNROLL for (int r = RESULTS - 1; r > 0; r--) above[r] = above[r - 1];
        UNROLL for (int r = 0; r < RESULTS - 1; r++) below[r] = below[r + 1];
        above[0] = __ldg(row_of(sums, sums_pitch, HALF - i));
        below[RESULTS - 1] = __ldg(row_of(sums, sums_pitch, least(RESULTS - 1 + HALF + i, last)));
        const f32 weight = __ldg(weights + HALF - i);
        UNROLL for (int r = 0; r < RESULTS; r++) total[r] = fmaf(above[r] + below[r], weight, total[r]);
    }
    UNROLL for (int r = 0; r < RESULTS; r++) {
        if (start + r >= rows) return;
        const T* at = row_of(in, in_pitch, start + r) + first;
        const u32 bits[1] = {compared(__ldg(at), total[r])};
        store_pixel(bits, at, row_of(out, out_pitch, start + r) + first, lut);
    }
}
