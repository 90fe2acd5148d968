// Means of the values that are not nodata, in two launches: rows into sums, sums into means. Each place has two sums,
// of the values and of their weights; a value that is nodata counts as 0 in both, and stays what it is.
//
// Macros: SIZE; WEIGHTED, whether weights count or all are 1; IS_NODATA(v); Sum, double or, where all weights
// are 1 and values whole numbers, u32; LONE_FROM, the first channel that OpenCV takes by itself.

constexpr int HALF = SIZE / 2;
struct Sums { Sum values, weights; };

DEVICE bool is_valid(T v) { return !(IS_NODATA(v)); }
DEVICE bool is_alpha(int value) { return ALPHA && value % CHANNELS == CHANNELS - 1; }

// Along a row OpenCV fuses products and sums, but for the last places of the row, halo included, that are no four.
DEVICE bool is_rounded_twice(int value, int values) {
    const int columns = values / CHANNELS + 2 * HALF;
    return value % CHANNELS >= LONE_FROM && value / CHANNELS + HALF >= columns - columns % 4;
}

KERNEL masked_rows(const T* in, i64 in_pitch, Sums* sums, i64 sums_pitch, int rows, int values,
                   const double* weights) {
    const int value = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (value >= values || is_alpha(value)) return;
    const T* at = row_of(in, in_pitch, row) + value - HALF * CHANNELS;
    Sums sum = {0, 0};
    for (int k = 0; k < SIZE; k++, at += CHANNELS) {
        const T v = __ldg(at);
        const bool valid = is_valid(v);
        const Sum part = valid ? (Sum)v : (Sum)0, one = valid ? (Sum)1 : (Sum)0;
        if constexpr (!WEIGHTED) {
            sum.values += part, sum.weights += one;
        } else {
            const double weight = __ldg(weights + k);
            if (k == 0 || is_rounded_twice(value, values)) {
                sum.values = (Sum)(sum.values + weight * part), sum.weights = (Sum)(sum.weights + weight * one);
            } else {
                sum.values = (Sum)fma(weight, (double)part, (double)sum.values);
                sum.weights = (Sum)fma(weight, (double)one, (double)sum.weights);
            }
        }
    }
    row_of(sums, sums_pitch, row)[value] = sum;
}

DEVICE u32 mean_of(Sums sum) {
    const double mean = (double)sum.values / (double)sum.weights;
    if constexpr (IS_F32) return one_nan((f32)mean);
    return mean > 0 ? (u32)fmin(rint(mean), (double)WHITE) : 0u;
}

KERNEL masked_columns(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, const T* lut,
                      const Sums* sums, i64 sums_pitch, const double* weights) {
    const int value = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (value >= values) return;
    const T centre = row_of(in, in_pitch, row)[value];
    T result = centre;
    if (!is_alpha(value)) {
        if (is_valid(centre)) {
            Sums sum = {0, 0};
            if constexpr (WEIGHTED) {
                const double weight = __ldg(weights + HALF);
                const Sums middle = row_of(sums, sums_pitch, row + HALF)[value];
                sum = {(Sum)(weight * middle.values), (Sum)(weight * middle.weights)};
                for (int k = 1; k <= HALF; k++) {
                    const Sums above = row_of(sums, sums_pitch, row + HALF - k)[value];
                    const Sums below = row_of(sums, sums_pitch, row + HALF + k)[value];
                    const double side = __ldg(weights + HALF + k);
                    sum.values = (Sum)(sum.values + side * (below.values + above.values));
                    sum.weights = (Sum)(sum.weights + side * (below.weights + above.weights));
                }
            } else {
                for (int k = 0; k < SIZE; k++) {
                    const Sums line = row_of(sums, sums_pitch, row + k)[value];
                    sum.values += line.values, sum.weights += line.weights;
                }
            }
            const u32 bits = mean_of(sum);
            if constexpr (IS_F32) result = (T)__uint_as_float(bits);
            else result = (T)bits;
        }
        if constexpr (!IS_F32)
            if (lut) result = __ldg(lut + (int)result);
    }
    row_of(out, out_pitch, row)[value] = result;
}
