// Minima or maxima over a shape, given by the columns that each of its rows covers.
//
// Macros: ROWS of the shape; ABOVE, how many of them lie above the centre; SPANS, how many different spans
// there are, from the narrowest, each inside the next; SPAN, their first and last columns from the centre;
// SPAN_OF, the span of each row; GREATEST, 1 for maxima.

CONSTANT int SPAN_ENDS[SPANS][2] = {SPAN};
CONSTANT int ROW_SPAN[ROWS] = {SPAN_OF};
constexpr int LEFT_WORDS = (-SPAN_ENDS[SPANS - 1][0] * CHANNELS + EACH - 1) / EACH;
constexpr int RIGHT_WORDS = (SPAN_ENDS[SPANS - 1][1] * CHANNELS + EACH - 1) / EACH;
constexpr int LINE_WORDS = LEFT_WORDS + WORDS + RIGHT_WORDS;
constexpr int ORIGIN = LEFT_WORDS * EACH;

DEVICE u32 pick(u32 a, u32 b) { return GREATEST ? upper(a, b) : lower(a, b); }

KERNEL extrema(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, int chunk, const T* lut) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES;
    const int start = blockIdx.y * chunk;
    if (first >= values) return;
    const int count = least(chunk, rows - start);
    u32 pending[ROWS][GROUPS];  // the result's rows that still wait for rows below
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int g = 0; g < GROUPS; g++) pending[r][g] = 0;
    for (int y = 0; y < count + ROWS - 1; y++) {
        u32 words[LINE_WORDS], line[LINE_WORDS * EACH / LANES + 1], spans[SPANS][GROUPS];
        load_words<-LEFT_WORDS, LINE_WORDS>(
            words, (const u32*)(row_of(in, in_pitch, start + y - ABOVE) + first));
        to_lanes<LINE_WORDS>(line, words, !GREATEST);
        line[LINE_WORDS * EACH / LANES] = 0;
        UNROLL for (int g = 0; g < GROUPS; g++) {
            const int at = ORIGIN + g * LANES;
            u32 best = lanes_from(line, at + SPAN_ENDS[0][0] * CHANNELS);
            UNROLL for (int s = 0; s < SPANS; s++) {
                const int known_first = s ? SPAN_ENDS[s ? s - 1 : 0][0] : SPAN_ENDS[0][0];
                const int known_last = s ? SPAN_ENDS[s ? s - 1 : 0][1] : SPAN_ENDS[0][0];
                UNROLL for (int x = SPAN_ENDS[s][0]; x <= SPAN_ENDS[s][1]; x++)
                    if (x < known_first || x > known_last)
                        best = pick(best, lanes_from(line, at + x * CHANNELS));
                spans[s][g] = best;
            }
        }
        UNROLL for (int r = ROWS - 1; r >= 0; r--) UNROLL for (int g = 0; g < GROUPS; g++)
            pending[r][g] = r ? pick(pending[r ? r - 1 : 0][g], spans[ROW_SPAN[r]][g]) : spans[ROW_SPAN[0]][g];
        if (y < ROWS - 1) continue;
        const int result = start + y - (ROWS - 1);
        u32 words_out[WORDS];
        from_lanes(words_out, pending[ROWS - 1]);
        finish(words_out, row_of(in, in_pitch, result) + first, row_of(out, out_pitch, result) + first, lut);
    }
}
