// Weighted means of bytes with small separable kernels, in the fixed point of OpenCV: weights of 8 bits that
// add up to 256. Macros: SIZE; WEIGHTS, none above 255.
//
// Sums over a row fit 16 bits, so that one multiplication makes two of them. Two rows at a time then go into
// every result that they are part of, by products of two pairs (dp2a).

CONSTANT u32 W[SIZE] = {WEIGHTS};
constexpr int HALF = SIZE / 2;
constexpr int SIDE_WORDS = (HALF * CHANNELS + EACH - 1) / EACH;
constexpr int LINE_WORDS = SIDE_WORDS + WORDS + SIDE_WORDS;
constexpr int LINE_LANES = LINE_WORDS * 2;

DEVICE void row_sums(u32 (&sums)[GROUPS], const T* at) {
    u32 words[LINE_WORDS], line[LINE_LANES + 1];
    load_words<-SIDE_WORDS, LINE_WORDS>(words, (const u32*)at);
    to_lanes<LINE_WORDS>(line, words, false);
    line[LINE_LANES] = 0;
    UNROLL for (int g = 0; g < GROUPS; g++) {
        const int centre = SIDE_WORDS * EACH + g * LANES;
        sums[g] = W[HALF] * line[centre >> 1];
        UNROLL for (int i = 1; i <= HALF; i++)
            sums[g] += W[HALF - i] * (lanes_from(line, centre - i * CHANNELS) +
                                      lanes_from(line, centre + i * CHANNELS));
    }
}

DEVICE void emit_row(const u32 (&sums)[VALUES], const T* in, T* out, const T* lut, const T* table) {
    if constexpr (AFTER == 0) {
        u32 words[WORDS];
        UNROLL for (int w = 0; w < WORDS; w++) {  // the means are the third bytes
            const u32 low = __byte_perm(sums[4 * w], sums[4 * w + 1], 0x0062);
            const u32 high = __byte_perm(sums[4 * w + 2], sums[4 * w + 3], 0x0062);
            words[w] = __byte_perm(low, high, 0x5410);
        }
        finish(words, in, out, lut);
    } else {
        u32 means[VALUES];
        UNROLL for (int v = 0; v < VALUES; v++) means[v] = sums[v] >> 16;
        finish_means(means, in, out, lut, table);
    }
}

KERNEL gaussian8(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, int chunk, const T* lut,
                 const T* table) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES;
    const int start = blockIdx.y * chunk;
    if (first >= values) return;
    const int count = least(chunk, rows - start), needed = count + SIZE - 1;
    in = row_of(in, in_pitch, start) + first;
    out = row_of(out, out_pitch, start) + first;
    u32 pending[SIZE + 1][VALUES];
    UNROLL for (int k = 0; k <= SIZE; k++) UNROLL for (int v = 0; v < VALUES; v++) pending[k][v] = 0;
    for (int t = 0; t < needed; t += 2) {
        u32 one[GROUPS], other[GROUPS];
        row_sums(one, row_of(in, in_pitch, t - HALF));
        row_sums(other, row_of(in, in_pitch, least(t + 1, needed - 1) - HALF));
        UNROLL for (int g = 0; g < GROUPS; g++) {
            const u32 pairs[2] = {__byte_perm(one[g], other[g], 0x5410), __byte_perm(one[g], other[g], 0x7632)};
            UNROLL for (int k = SIZE; k >= 0; k--) {
                // Row t + 1 - k of the result gets row t with weight k - 1 and row t + 1 with weight k.
                const u32 weights = (k ? W[k ? k - 1 : 0] : 0u) | (k < SIZE ? W[k < SIZE ? k : 0] << 8 : 0u);
                UNROLL for (int lane = 0; lane < 2; lane++) {
                    const int v = 2 * g + lane;
                    const u32 before = k >= 2 ? pending[k >= 2 ? k - 2 : 0][v] : 1u << 15;
                    pending[k][v] = __dp2a_lo(pairs[lane], weights, before);
                }
            }
        }
        const int result = t - (SIZE - 1);
        if (result < 0) continue;
        emit_row(pending[SIZE], row_of(in, in_pitch, result), row_of(out, out_pitch, result), lut, table);
        if (result + 1 < count)
            emit_row(pending[SIZE - 1], row_of(in, in_pitch, result + 1), row_of(out, out_pitch, result + 1),
                     lut, table);
    }
}
