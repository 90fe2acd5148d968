// Means of bytes over small squares: sums of up to 15 × 15 bytes fit the 16 bits of a lane.
// Macros: SIZE; MULTIPLIER, with which the nearest integer is (sum · MULTIPLIER + 2²³) >> 24.

constexpr int HALF = SIZE / 2;
constexpr int SIDE_WORDS = (HALF * CHANNELS + EACH - 1) / EACH;
constexpr int LINE_WORDS = SIDE_WORDS + WORDS + SIDE_WORDS;
constexpr int LINE_LANES = LINE_WORDS * 2;

KERNEL box8(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, const T* lut,
            const T* table) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES;
    const int start = blockIdx.y * CHUNK;
    if (first >= values) return;
    const int count = least(CHUNK, rows - start);
    in = row_of(in, in_pitch, start) + first;
    out = row_of(out, out_pitch, start) + first;
    u32 pending[SIZE][GROUPS];
    UNROLL for (int k = 0; k < SIZE; k++) UNROLL for (int g = 0; g < GROUPS; g++) pending[k][g] = 0;
    for (int t = 0; t < count + SIZE - 1; t++) {
        u32 words[LINE_WORDS], line[LINE_LANES + 1];
        load_words<-SIDE_WORDS, LINE_WORDS>(words, (const u32*)row_of(in, in_pitch, t - HALF));
        to_lanes<LINE_WORDS>(line, words, false);
        line[LINE_LANES] = 0;
        UNROLL for (int g = 0; g < GROUPS; g++) {
            u32 sum = 0;
            UNROLL for (int x = -HALF; x <= HALF; x++)
                sum += lanes_from(line, SIDE_WORDS * EACH + g * LANES + x * CHANNELS);
            UNROLL for (int k = SIZE - 1; k >= 0; k--) pending[k][g] = (k ? pending[k ? k - 1 : 0][g] : 0u) + sum;
        }
        const int result = t - (SIZE - 1);
        if (result < 0) continue;
        u32 means[VALUES];
        UNROLL for (int v = 0; v < VALUES; v++) {
            const u32 sum = v & 1 ? pending[SIZE - 1][v / 2] >> 16 : pending[SIZE - 1][v / 2] & 0xffffu;
            means[v] = (sum * MULTIPLIER + (1u << 23)) >> 24;
        }
        finish_means(means, row_of(in, in_pitch, result), row_of(out, out_pitch, result), lut, table);
    }
}
