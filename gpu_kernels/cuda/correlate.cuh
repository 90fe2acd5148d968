// Weighted sums of neighbours with any small kernel, as cv2.filter2D rounds them: starting from the offset,
// one fused multiplication and addition for each weight that is not 0, row by row.
// Macros: ROWS, COLUMNS of the kernel; WEIGHTS; START, the offset.

CONSTANT f32 W[ROWS][COLUMNS] = {WEIGHTS};
constexpr int LEFT_WORDS = (COLUMNS / 2 * CHANNELS + EACH - 1) / EACH;
constexpr int RIGHT_WORDS = ((COLUMNS - 1 - COLUMNS / 2) * CHANNELS + EACH - 1) / EACH;
constexpr int LINE_WORDS = LEFT_WORDS + WORDS + RIGHT_WORDS;

DEVICE u32 in_type(f32 sum) { return IS_F32 ? one_nan(sum) : rounded(sum); }

KERNEL correlate(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, int chunk, const T* lut) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES;
    const int start = blockIdx.y * chunk;
    if (first >= values) return;
    const int count = least(chunk, rows - start);
    in = row_of(in, in_pitch, start) + first;
    out = row_of(out, out_pitch, start) + first;
    f32 pending[ROWS][VALUES];
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int v = 0; v < VALUES; v++) pending[r][v] = 0;
    for (int t = 0; t < count + ROWS - 1; t++) {
        u32 words[LINE_WORDS];
        f32 line[LINE_WORDS * EACH];
        load_words<-LEFT_WORDS, LINE_WORDS>(words, (const u32*)row_of(in, in_pitch, t - ROWS / 2));
        UNROLL for (int i = 0; i < LINE_WORDS * EACH; i++) line[i] = float_at(words, i);
        UNROLL for (int r = ROWS - 1; r >= 0; r--) UNROLL for (int v = 0; v < VALUES; v++) {
            f32 sum = r ? pending[r ? r - 1 : 0][v] : (f32)START;
            UNROLL for (int x = 0; x < COLUMNS; x++)
                if (W[r][x] != 0.0f)
                    sum = fmaf(line[LEFT_WORDS * EACH + v + (x - COLUMNS / 2) * CHANNELS], W[r][x], sum);
            pending[r][v] = sum;
        }
        const int result = t - (ROWS - 1);
        if (result < 0) continue;
        u32 bits[VALUES], packed[WORDS];
        UNROLL for (int v = 0; v < VALUES; v++) bits[v] = in_type(pending[ROWS - 1][v]);
        pack(packed, bits);
        finish(packed, row_of(in, in_pitch, result), row_of(out, out_pitch, result), lut);
    }
}

// The values at the end of each row that OpenCV takes one by one, where it rounds every product and sum.
KERNEL row_ends(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, int chunk, const T* lut) {
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows) return;
    for (int value = most(0, values - 2 * GROUP); value < values; value++) {
        if (!is_leftover(value, values, GROUP) || (ALPHA && value % 4 == 3)) continue;
        f32 sum = (f32)START;
        for (int r = 0; r < ROWS; r++) for (int x = 0; x < COLUMNS; x++)
            if (W[r][x] != 0.0f) {
                const T* at = row_of(in, in_pitch, row + r - ROWS / 2) + value;
                sum = __fadd_rn(sum, __fmul_rn((f32)at[(x - COLUMNS / 2) * CHANNELS], W[r][x]));
            }
        const T result = (T)in_type(sum);
        row_of(out, out_pitch, row)[value] = lut && !IS_F32 ? lut[(int)result] : result;
    }
}
