// Weighted means with kernels of any length, in two launches: rows into sums, sums into means.
// Macros: LINE_SIZE, the kernel's length. The weights, RowSum, lie in memory.

KERNEL long_rows(const T* in, i64 in_pitch, RowSum* sums, i64 sums_pitch, int rows, int values,
                 const RowSum* weights) {
    const int value = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (value >= values) return;
    const T* at = row_of(in, in_pitch, row) + value - LINE_SIZE / 2 * CHANNELS;
    RowSum sum = 0;
    for (int x = 0; x < LINE_SIZE; x++) sum += __ldg(weights + x) * (RowSum)__ldg(at + x * CHANNELS);
    row_of(sums, sums_pitch, row)[value] = sum;
}

KERNEL long_columns(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, const T* lut,
                    const T* table, const RowSum* sums, i64 sums_pitch, const RowSum* weights) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES, row = blockIdx.y;
    if (first >= values) return;
    Sum total[VALUES];
    UNROLL for (int v = 0; v < VALUES; v++) total[v] = 0;
    for (int y = 0; y < LINE_SIZE; y++) {
        const RowSum* at = row_of(sums, sums_pitch, row + y) + first;
        const Sum weight = (Sum)__ldg(weights + y);
        UNROLL for (int v = 0; v < VALUES; v++) total[v] += weight * (Sum)__ldg(at + v);
    }
    u32 means[VALUES];
    UNROLL for (int v = 0; v < VALUES; v++) means[v] = mean_of(total[v], is_leftover(first + v, values, GROUP));
    finish_means(means, row_of(in, in_pitch, row) + first, row_of(out, out_pitch, row) + first, lut, table);
}
