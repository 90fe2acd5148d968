// Weighted means with kernels of any length, in two launches: rows into sums, sums into means.
// Macros: LINE_SIZE, the kernel's length; RESULTS, rows that a thread makes of the sums. The weights, RowSum, lie
// in memory, between RESULTS - 1 zeros and more of them than are read.
//
// Along rows a window moves by as many pixels as a strip has values, so that every shift in it is known to the
// compiler and loads are as wide as strips. Of bytes two sums are made at once, and two rows of sums go into a result by products of pairs.

constexpr bool NARROW = IS_U8 && MEAN == MEAN_FIXED;  // sums over a row fit 16 bits
typedef typename If<NARROW, u16, RowSum>::type LineSum;
constexpr int SIDE = LINE_SIZE / 2 * CHANNELS;
constexpr int SIDE_WORDS = (SIDE + VALUES - 1) / VALUES * WORDS;
constexpr int SHIFT = SIDE_WORDS * EACH - SIDE;
constexpr int MOVE = WORDS * CHANNELS;  // words that come in at once
constexpr int BESIDE = SHIFT + VALUES - CHANNELS;  // values of a window beyond those
constexpr int WINDOW = MOVE + (BESIDE > 0 ? (BESIDE + VALUES - 1) / VALUES * WORDS : 0);
constexpr int SUM_WORDS = NARROW ? VALUES / 2 : VALUES;
constexpr int ZEROS = RESULTS - 1;

DEVICE RowSum in_sum(const u32* words, int value) {
    if constexpr (IS_F32) return float_at(words, value);
    else return (RowSum)bits_at(words, value);
}

DEVICE u32 one_more(u32 sum, u32 weight, u32 value) { return sum + weight * value; }
DEVICE f32 one_more(f32 sum, f32 weight, f32 value) { return fmaf(weight, value, sum); }

DEVICE u32 as_word(u32 sum) { return sum; }
DEVICE u32 as_word(f32 sum) { return __float_as_uint(sum); }

KERNEL long_rows(const T* in, i64 in_pitch, LineSum* sums, i64 sums_pitch, int rows, int values,
                 const RowSum* weights) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES, row = blockIdx.y;
    if (first >= values) return;
    const u32* at = (const u32*)(row_of(in, in_pitch, row) + first) - SIDE_WORDS;
    u32 window[WINDOW], packed[SUM_WORDS];
    load_words<0, WINDOW - MOVE>(window + MOVE, at);
    at += WINDOW - MOVE;
    RowSum sums_of[NARROW ? SUM_WORDS : VALUES];
    UNROLL for (int i = 0; i < (NARROW ? SUM_WORDS : VALUES); i++) sums_of[i] = 0;
    for (int x = 0; x < LINE_SIZE; x += VALUES) {
        UNROLL for (int i = 0; i < WINDOW - MOVE; i++) window[i] = window[i + MOVE];
        load_words<0, MOVE>(window + WINDOW - MOVE, at);
        at += MOVE;
        u32 lanes[2 * WINDOW + 1];
        if constexpr (NARROW) to_lanes<WINDOW>(lanes, window, false);
        lanes[2 * WINDOW] = 0;
        UNROLL for (int tap = 0; tap < VALUES; tap++) {
            const RowSum weight = __ldg(weights + ZEROS + x + tap);
            if constexpr (NARROW) {
                UNROLL for (int g = 0; g < GROUPS; g++)
                    sums_of[g] += weight * (RowSum)lanes_from(lanes, SHIFT + tap * CHANNELS + g * LANES);
            } else {
                UNROLL for (int v = 0; v < VALUES; v++)
                    sums_of[v] = one_more(sums_of[v], weight, in_sum(window, SHIFT + tap * CHANNELS + v));
            }
        }
    }
    UNROLL for (int i = 0; i < SUM_WORDS; i++) packed[i] = as_word(sums_of[i]);
    store_words<SUM_WORDS>((u32*)(row_of(sums, sums_pitch, row) + first), packed);
}

DEVICE RowSum line_sum(const u32* words, int value) {
    if constexpr (IS_F32) return __uint_as_float(words[value]);
    else return words[value];
}

// Add RESULTS rows of sums, as far as they are part of them, to RESULTS results.
template <typename S> DEVICE void add_rows(S (&total)[RESULTS][VALUES], const u32 (&lines)[RESULTS][SUM_WORDS],
                                           const RowSum* weights) {
    RowSum window[2 * RESULTS];
    UNROLL for (int i = 0; i < 2 * RESULTS; i++) window[i] = __ldg(weights + i);
    if constexpr (NARROW) {
        UNROLL for (int i = 0; i < RESULTS; i += 2) UNROLL for (int r = 0; r < RESULTS; r++) {
            const int place = i - r + ZEROS;
            const u32 pair = (u32)window[place] | (u32)window[place + 1] << 8;
            UNROLL for (int v = 0; v < VALUES; v++) {
                const u32 both = __byte_perm(lines[i][v / 2], lines[i + 1][v / 2], v & 1 ? 0x7632 : 0x5410);
                total[r][v] = __dp2a_lo(both, pair, total[r][v]);
            }
        }
    } else {
        UNROLL for (int i = 0; i < RESULTS; i++) UNROLL for (int r = 0; r < RESULTS; r++)
            UNROLL for (int v = 0; v < VALUES; v++)
                total[r][v] = added(total[r][v], window[i - r + ZEROS], line_sum(lines[i], v));
    }
}

KERNEL long_columns(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, const T* lut,
                    const T* table, const LineSum* sums, i64 sums_pitch, const RowSum* weights) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES, start = blockIdx.y * RESULTS;
    if (first >= values) return;
    const int last = rows + LINE_SIZE - 2 - start;
    sums = row_of(sums, sums_pitch, start) + first;
    Sum total[RESULTS][VALUES];
    UNROLL for (int r = 0; r < RESULTS; r++) UNROLL for (int v = 0; v < VALUES; v++) total[r][v] = Sum{};
    for (int t = 0; t < LINE_SIZE + ZEROS; t += RESULTS) {
        u32 lines[RESULTS][SUM_WORDS];
        UNROLL for (int i = 0; i < RESULTS; i++)  // rows beyond the last one have weights of 0
            load_words<0, SUM_WORDS>(lines[i], (const u32*)row_of(sums, sums_pitch, least(t + i, last)));
        add_rows(total, lines, weights + t);
    }
    UNROLL for (int r = 0; r < RESULTS; r++) {
        if (start + r >= rows) return;
        u32 means[VALUES];
        UNROLL for (int v = 0; v < VALUES; v++)
            means[v] = mean_of(total[r][v], is_leftover(first + v, values, GROUP));
        finish_means(means, row_of(in, in_pitch, start + r) + first, row_of(out, out_pitch, start + r) + first,
                     lut, table);
    }
}
