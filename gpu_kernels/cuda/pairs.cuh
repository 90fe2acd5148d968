// Minima and maxima of a picture side by side, and their differences, for operations that compare two versions
// of a picture. A strip is whole pixels.
//
// Shapes are given as in extrema.cuh: ROWS, ABOVE, SPANS, SPAN, SPAN_OF. Macros beside them: SIDES, how many
// extrema there are of each channel; FLIPPED, for each side and channel, 1 for minima: they are the maxima of what is
// turned over. OUT, channels of the result; PLUS and MINUS, for each of them, what it is made of: the number of
// a side times CHANNELS plus a channel, beyond the sides the channel as it is, -1 for nothing.

CONSTANT int SPAN_ENDS[SPANS][2] = {SPAN};
CONSTANT int ROW_SPAN[ROWS] = {SPAN_OF};
CONSTANT int TURNED[SIDES * CHANNELS] = {FLIPPED};
CONSTANT int ADDED[OUT] = {PLUS};
CONSTANT int TAKEN[OUT] = {MINUS};
constexpr int PIXELS = VALUES / CHANNELS;
constexpr int OUT_WORDS = PIXELS * OUT / EACH;
constexpr int LEFT_WORDS = (-SPAN_ENDS[SPANS - 1][0] * CHANNELS + EACH - 1) / EACH;
constexpr int RIGHT_WORDS = (SPAN_ENDS[SPANS - 1][1] * CHANNELS + EACH - 1) / EACH;
constexpr int LINE_WORDS = LEFT_WORDS + WORDS + RIGHT_WORDS;
constexpr int LINE_LANES = LINE_WORDS * EACH / LANES;
constexpr int ORIGIN = LEFT_WORDS * EACH;
constexpr int AS_IT_IS = SIDES * CHANNELS;

// Whether a value is turned over, by its place from the first one of a strip.
DEVICE constexpr bool turned(int side, int value) {
    return TURNED[side * CHANNELS + (value % CHANNELS + CHANNELS) % CHANNELS] != 0;
}

DEVICE constexpr u32 turning(int side, int value) {
    return (turned(side, value) ? 0xffffu : 0u) | (turned(side, value + 1) ? 0xffff0000u : 0u);
}

// The lanes of a line of which all maxima are wanted. NaN is greater than all, turned over or not.
DEVICE void side_lanes(u32 (&lanes)[LINE_LANES + 1], const u32 (&words)[LINE_WORDS], int side) {
    if constexpr (IS_F32) {
        UNROLL for (int w = 0; w < LINE_WORDS; w++) {
            const bool over = turned(side, w - ORIGIN);
            const u32 lane = ordered(words[w], over);
            lanes[w] = over ? ~lane : lane;
        }
    } else {
        to_lanes<LINE_WORDS>(lanes, words, false);
        UNROLL for (int l = 0; l < LINE_LANES; l++) lanes[l] ^= turning(side, l * LANES - ORIGIN);
    }
    lanes[LINE_LANES] = 0;
}

// The bits of one value of a side's maxima, turned back.
DEVICE u32 value_of(const u32 (&lanes)[GROUPS], int side, int value) {
    const bool over = turned(side, value);
    if constexpr (IS_F32) return from_ordered(over ? ~lanes[value] : lanes[value]);
    const u32 lane = value & 1 ? lanes[value / LANES] >> 16 : lanes[value / LANES] & 0xffffu;
    return over ? lane ^ 0xffffu : lane;
}

DEVICE u32 difference(u32 a, u32 b) {
    if constexpr (IS_F32) return one_nan(__uint_as_float(a) - __uint_as_float(b));
    return a > b ? a - b : 0u;
}

DEVICE void finish_pairs(const u32 (&best)[SIDES][GROUPS], const T* in, T* out, const T* lut) {
    u32 centre[WORDS], bits[PIXELS * OUT], packed[OUT_WORDS];
    load_words<0, WORDS>(centre, (const u32*)in);
    UNROLL for (int i = 0; i < PIXELS * OUT; i++) {
        const int pixel = i / OUT * CHANNELS, sources[2] = {ADDED[i % OUT], TAKEN[i % OUT]};
        u32 parts[2] = {0, 0};
        UNROLL for (int k = 0; k < 2; k++) {
            const int source = sources[k];
            if (source >= AS_IT_IS)
                parts[k] = bits_at(centre, pixel + source - AS_IT_IS);
            else if (source >= 0)
                parts[k] = value_of(best[source / CHANNELS], source / CHANNELS, pixel + source % CHANNELS);
        }
        bits[i] = sources[1] < 0 ? parts[0] : difference(parts[0], parts[1]);
        if constexpr (!IS_F32)
            if (lut && (sources[0] < AS_IT_IS || sources[1] >= 0)) bits[i] = (u32)__ldg(lut + bits[i]);
    }
    UNROLL for (int w = 0; w < OUT_WORDS; w++) {
        if constexpr (IS_U8)
            packed[w] = packed4(bits[4 * w], bits[4 * w + 1], bits[4 * w + 2], bits[4 * w + 3]);
        else if constexpr (IS_U16)
            packed[w] = packed2(bits[2 * w], bits[2 * w + 1]);
        else
            packed[w] = bits[w];
    }
    store_words<OUT_WORDS>((u32*)out, packed);
}

KERNEL pairs(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, int chunk, const T* lut) {
    const int index = blockIdx.x * blockDim.x + threadIdx.x, first = index * VALUES;
    const int start = blockIdx.y * chunk;
    if (first >= values) return;
    const int count = least(chunk, rows - start);
    in = row_of(in, in_pitch, start) + first;
    out = row_of(out, out_pitch, start) + index * (PIXELS * OUT);
    u32 pending[ROWS][SIDES][GROUPS];
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int s = 0; s < SIDES; s++)
        UNROLL for (int g = 0; g < GROUPS; g++) pending[r][s][g] = 0;
    for (int y = 0; y < count + ROWS - 1; y++) {
        u32 words[LINE_WORDS];
        load_words<-LEFT_WORDS, LINE_WORDS>(words, (const u32*)row_of(in, in_pitch, y - ABOVE));
        UNROLL for (int s = 0; s < SIDES; s++) {
            u32 line[LINE_LANES + 1], spans[SPANS][GROUPS];
            side_lanes(line, words, s);
            UNROLL for (int g = 0; g < GROUPS; g++) {
                const int at = ORIGIN + g * LANES;
                u32 best = lanes_from(line, at + SPAN_ENDS[0][0] * CHANNELS);
                UNROLL for (int i = 0; i < SPANS; i++) {
                    const int known_first = i ? SPAN_ENDS[i ? i - 1 : 0][0] : SPAN_ENDS[0][0];
                    const int known_last = i ? SPAN_ENDS[i ? i - 1 : 0][1] : SPAN_ENDS[0][0];
                    UNROLL for (int x = SPAN_ENDS[i][0]; x <= SPAN_ENDS[i][1]; x++)
                        if (x < known_first || x > known_last)
                            best = upper(best, lanes_from(line, at + x * CHANNELS));
                    spans[i][g] = best;
                }
            }
            UNROLL for (int r = ROWS - 1; r >= 0; r--) UNROLL for (int g = 0; g < GROUPS; g++) {
                const u32 here = spans[ROW_SPAN[r]][g];
                pending[r][s][g] = r ? upper(pending[r ? r - 1 : 0][s][g], here) : here;
            }
        }
        const int result = y - (ROWS - 1);
        if (result < 0) continue;
        finish_pairs(pending[ROWS - 1], row_of(in, in_pitch, result), row_of(out, out_pitch, result), lut);
    }
}
