// Means of bytes over small squares: sums of up to 15 × 15 bytes fit the 16 bits of a lane.
// Macros: SIZE; MULTIPLIER, with which the nearest integer is (sum · MULTIPLIER + 2²³) >> 24.

constexpr int HALF = SIZE / 2;
constexpr int SIDE_WORDS = (HALF * CHANNELS + EACH - 1) / EACH;
constexpr int LINE_WORDS = SIDE_WORDS + WORDS + SIDE_WORDS;
constexpr int LINE_LANES = LINE_WORDS * 2;

constexpr int PAIRS = LINE_LANES - CHANNELS / 2;

// Sums along a row. Two neighbouring pixels are added once for all squares that have both.
DEVICE void row_sums(u32 (&sums)[GROUPS], const T* at) {
    u32 words[LINE_WORDS], line[LINE_LANES + 1], pairs[PAIRS];
    load_words<-SIDE_WORDS, LINE_WORDS>(words, (const u32*)at);
    to_lanes<LINE_WORDS>(line, words, false);
    line[LINE_LANES] = 0;
    UNROLL for (int l = 0; l < PAIRS; l++) pairs[l] = line[l] + lanes_from(line, 2 * l + CHANNELS);
    UNROLL for (int g = 0; g < GROUPS; g++) {
        const int centre = SIDE_WORDS * EACH + g * LANES;
        // Even steps from an even place, so that pairs begin at whole lanes; one pixel is left over.
        constexpr int START = HALF & 1 ? 1 - HALF : -HALF;
        u32 sum = lanes_from(line, centre + (START == -HALF ? HALF : -HALF) * CHANNELS);
        UNROLL for (int x = START; x + 1 <= HALF; x += 2) sum += pairs[(centre + x * CHANNELS) / 2];
        sums[g] = sum;
    }
}

// Every row is added when it comes in and taken away when it leaves; ``ring`` holds those in between.
KERNEL box8(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, int chunk, const T* lut,
            const T* table) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES;
    const int start = blockIdx.y * chunk;
    if (first >= values) return;
    const int count = least(chunk, rows - start), needed = count + SIZE - 1;
    in = row_of(in, in_pitch, start) + first;
    out = row_of(out, out_pitch, start) + first;
    u32 ring[SIZE][GROUPS], total[GROUPS];
    UNROLL for (int g = 0; g < GROUPS; g++) total[g] = 0;
    UNROLL for (int k = 0; k < SIZE; k++) UNROLL for (int g = 0; g < GROUPS; g++) ring[k][g] = 0;
    for (int t = 0; t < needed; t += SIZE) {
        UNROLL for (int k = 0; k < SIZE; k++) {
            if (t + k >= needed) return;
            u32 sums[GROUPS], means[VALUES];
            row_sums(sums, row_of(in, in_pitch, t + k - HALF));
            UNROLL for (int g = 0; g < GROUPS; g++) {
                total[g] += sums[g] - ring[k][g];
                ring[k][g] = sums[g];
            }
            const int result = t + k - (SIZE - 1);
            if (result < 0) continue;
            UNROLL for (int v = 0; v < VALUES; v++) {
                const u32 sum = v & 1 ? total[v / 2] >> 16 : total[v / 2] & 0xffffu;
                means[v] = (sum * MULTIPLIER + (1u << 23)) >> 24;
            }
            finish_means(means, row_of(in, in_pitch, result), row_of(out, out_pitch, result), lut, table);
        }
    }
}
