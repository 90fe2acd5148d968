// Weighted means with small separable kernels, of any type. Macros: SIZE; WEIGHTS, the same on both sides.

CONSTANT RowSum W[SIZE] = {WEIGHTS};
constexpr int HALF = SIZE / 2;
constexpr int SIDE_WORDS = (HALF * CHANNELS + EACH - 1) / EACH;
constexpr int LINE_WORDS = SIDE_WORDS + WORDS + SIDE_WORDS;

DEVICE RowSum number_at(const u32* words, int value) {
    if constexpr (IS_F32) return float_at(words, value);
    else return (RowSum)bits_at(words, value);
}

// The weighted sum along a row; the weights are the same on both sides.
DEVICE RowSum row_sum(const u32* words, int centre) {
    if constexpr (IS_F32 && MEAN != MEAN_FIXED) {  // all weights are 1
        RowSum plain = 0;
        UNROLL for (int x = -HALF; x <= HALF; x++) plain += number_at(words, centre + x * CHANNELS);
        return plain;
    }
    RowSum sum = W[HALF] * number_at(words, centre);
    UNROLL for (int i = 1; i <= HALF; i++) {
        const RowSum both = number_at(words, centre - i * CHANNELS) + number_at(words, centre + i * CHANNELS);
        if constexpr (IS_F32) sum = fmaf(W[HALF - i], both, sum);
        else sum += W[HALF - i] * both;
    }
    return sum;
}

KERNEL separable(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, int chunk, const T* lut,
                 const T* table) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES;
    const int start = blockIdx.y * chunk;
    if (first >= values) return;
    const int count = least(chunk, rows - start);
    in = row_of(in, in_pitch, start) + first;
    out = row_of(out, out_pitch, start) + first;
    Sum pending[SIZE][VALUES];
    UNROLL for (int k = 0; k < SIZE; k++) UNROLL for (int v = 0; v < VALUES; v++) pending[k][v] = Sum{};
    for (int t = 0; t < count + SIZE - 1; t++) {
        u32 words[LINE_WORDS];
        load_words<-SIDE_WORDS, LINE_WORDS>(words, (const u32*)row_of(in, in_pitch, t - HALF));
        UNROLL for (int v = 0; v < VALUES; v++) {
            const RowSum sum = row_sum(words, SIDE_WORDS * EACH + v);
            UNROLL for (int k = SIZE - 1; k >= 0; k--)
                pending[k][v] = added(k ? pending[k ? k - 1 : 0][v] : Sum{}, W[k], sum);
        }
        const int result = t - (SIZE - 1);
        if (result < 0) continue;
        u32 means[VALUES];
        UNROLL for (int v = 0; v < VALUES; v++)
            means[v] = mean_of(pending[SIZE - 1][v], is_leftover(first + v, values, GROUP));
        finish_means(means, row_of(in, in_pitch, result), row_of(out, out_pitch, result), lut, table);
    }
}
