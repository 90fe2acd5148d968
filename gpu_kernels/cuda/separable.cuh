// Weighted means with small separable kernels, of any type. Macros: SIZE; WEIGHTS.

CONSTANT RowSum W[SIZE] = {WEIGHTS};
constexpr int HALF = SIZE / 2;
constexpr int SIDE_WORDS = (HALF * CHANNELS + EACH - 1) / EACH;
constexpr int LINE_WORDS = SIDE_WORDS + WORDS + SIDE_WORDS;

DEVICE RowSum term(RowSum weight, const u32* words, int value) {
    if constexpr (IS_F32) return weight * float_at(words, value);
    return weight * (RowSum)bits_at(words, value);
}

KERNEL separable(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, const T* lut,
                 const T* table) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES;
    const int start = blockIdx.y * CHUNK;
    if (first >= values) return;
    const int count = least(CHUNK, rows - start);
    in = row_of(in, in_pitch, start) + first;
    out = row_of(out, out_pitch, start) + first;
    Sum pending[SIZE][VALUES];
    UNROLL for (int k = 0; k < SIZE; k++) UNROLL for (int v = 0; v < VALUES; v++) pending[k][v] = 0;
    for (int t = 0; t < count + SIZE - 1; t++) {
        u32 words[LINE_WORDS];
        load_words<-SIDE_WORDS, LINE_WORDS>(words, (const u32*)row_of(in, in_pitch, t - HALF));
        UNROLL for (int v = 0; v < VALUES; v++) {
            RowSum sum = 0;
            UNROLL for (int x = 0; x < SIZE; x++)
                sum += term(W[x], words, SIDE_WORDS * EACH + v + (x - HALF) * CHANNELS);
            UNROLL for (int k = SIZE - 1; k >= 0; k--)
                pending[k][v] = (k ? pending[k ? k - 1 : 0][v] : (Sum)0) + (Sum)W[k] * (Sum)sum;
        }
        const int result = t - (SIZE - 1);
        if (result < 0) continue;
        u32 means[VALUES];
        UNROLL for (int v = 0; v < VALUES; v++)
            means[v] = mean_of(pending[SIZE - 1][v], is_leftover(first + v, values, GROUP));
        finish_means(means, row_of(in, in_pitch, result), row_of(out, out_pitch, result), lut, table);
    }
}
