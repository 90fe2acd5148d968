// The middle value of 3 × 3 or 5 × 5 neighbours, by comparisons alone. Macro: SIZE.
//
// 3 × 3: columns are sorted; of the three sorted columns around a pixel the greatest of the least, the middle
// of the middle and the least of the greatest are left, and the middle of these is the median.
// 5 × 5: forgetful selection; extremes of a growing set are thrown away in pairs. Source of both:
// J. L. Smith, "Implementing Median Filters in XC4000E FPGAs", XCELL 23 (1996), and M. McGuire, "A Fast,
// Small-Radius GPU Median Filter", ShaderX6 (2008).

constexpr int HALF = SIZE / 2;
constexpr int SIDE_WORDS = (HALF * CHANNELS + EACH - 1) / EACH;
constexpr int LINE_WORDS = SIDE_WORDS + WORDS + SIDE_WORDS;
constexpr int LINE_LANES = LINE_WORDS * EACH / LANES;
constexpr int ORIGIN = SIDE_WORDS * EACH;

DEVICE void sort2(u32& a, u32& b) {
    const u32 low = lower(a, b);
    b = upper(a, b);
    a = low;
}
DEVICE u32 middle(u32 a, u32 b, u32 c) { return upper(lower(a, b), lower(upper(a, b), c)); }

// Move the least of v[0 … COUNT - 1] to the front and the greatest to the end.
template <int COUNT> DEVICE void to_ends(u32* v) {
    UNROLL for (int i = 0; i < COUNT / 2; i++) sort2(v[i], v[COUNT - 1 - i]);
    UNROLL for (int i = 1; i < (COUNT + 1) / 2; i++) sort2(v[0], v[i]);
    UNROLL for (int i = COUNT / 2; i < COUNT - 1; i++) sort2(v[i], v[COUNT - 1]);
}

// The median of TOTAL values: v holds KNOWN of them, without those that cannot be it.
template <int KNOWN, int NEXT, int TOTAL> DEVICE u32 forget(u32* v, const u32* all) {
    if constexpr (NEXT == TOTAL) {
        return middle(v[0], v[1], v[2]);
    } else {
        to_ends<KNOWN>(v);
        v[0] = all[NEXT];
        return forget<KNOWN - 1, NEXT + 1, TOTAL>(v, all);
    }
}

DEVICE void load_line(u32 (&line)[LINE_LANES + 1], const T* at) {
    u32 words[LINE_WORDS];
    load_words<-SIDE_WORDS, LINE_WORDS>(words, (const u32*)at);
    to_lanes<LINE_WORDS>(line, words, false);
    line[LINE_LANES] = 0;
}

DEVICE u32 median9(const u32* least_of, const u32* middle_of, const u32* greatest_of, int at) {
    const u32 low = upper(upper(lanes_from(least_of, at - CHANNELS), lanes_from(least_of, at)),
                          lanes_from(least_of, at + CHANNELS));
    const u32 high = lower(lower(lanes_from(greatest_of, at - CHANNELS), lanes_from(greatest_of, at)),
                           lanes_from(greatest_of, at + CHANNELS));
    const u32 mid = middle(lanes_from(middle_of, at - CHANNELS), lanes_from(middle_of, at),
                           lanes_from(middle_of, at + CHANNELS));
    return middle(low, mid, high);
}

// Put v into its place in the pair low ≤ high, for all lanes of a line.
DEVICE void insert(u32 (&sorted)[3][LINE_LANES + 1], const u32* low, const u32* high, const u32* v) {
    UNROLL for (int l = 0; l < LINE_LANES; l++) {
        sorted[0][l] = lower(low[l], v[l]);
        sorted[1][l] = upper(low[l], lower(high[l], v[l]));
        sorted[2][l] = upper(high[l], v[l]);
    }
    UNROLL for (int i = 0; i < 3; i++) sorted[i][LINE_LANES] = 0;
}

DEVICE void emit9(const u32 (&sorted)[3][LINE_LANES + 1], const T* in, T* out, const T* lut) {
    u32 medians[GROUPS], words[WORDS];
    UNROLL for (int g = 0; g < GROUPS; g++)
        medians[g] = median9(sorted[0], sorted[1], sorted[2], ORIGIN + g * LANES);
    from_lanes(words, medians);
    finish(words, in, out, lut);
}

// Two rows at a time: the two middle ones of the four rows that they need are sorted once for both.
DEVICE void rows_of_3(const T* in, i64 in_pitch, T* out, i64 out_pitch, int count, const T* lut) {
    u32 above[LINE_LANES + 1], here[LINE_LANES + 1];
    load_line(above, row_of(in, in_pitch, -1));
    load_line(here, in);
    for (int y = 0; y < count; y += 2) {
        u32 next[LINE_LANES + 1], after[LINE_LANES + 1], low[LINE_LANES], high[LINE_LANES];
        u32 sorted[3][LINE_LANES + 1];
        load_line(next, row_of(in, in_pitch, y + 1));
        UNROLL for (int l = 0; l < LINE_LANES; l++) {
            low[l] = lower(here[l], next[l]);
            high[l] = upper(here[l], next[l]);
        }
        insert(sorted, low, high, above);
        emit9(sorted, row_of(in, in_pitch, y), row_of(out, out_pitch, y), lut);
        if (y + 1 == count) return;
        load_line(after, row_of(in, in_pitch, y + 2));
        insert(sorted, low, high, after);
        emit9(sorted, row_of(in, in_pitch, y + 1), row_of(out, out_pitch, y + 1), lut);
        UNROLL for (int l = 0; l <= LINE_LANES; l++) above[l] = next[l], here[l] = after[l];
    }
}

DEVICE void rows_of_5(const T* in, i64 in_pitch, T* out, i64 out_pitch, int count, const T* lut) {
    u32 lines[SIZE][LINE_LANES + 1];
    UNROLL for (int r = 1; r < SIZE; r++) load_line(lines[r], row_of(in, in_pitch, r - 1 - HALF));
    for (int y = 0; y < count; y++) {
        UNROLL for (int r = 1; r < SIZE; r++) UNROLL for (int l = 0; l <= LINE_LANES; l++)
            lines[r - 1][l] = lines[r][l];
        load_line(lines[SIZE - 1], row_of(in, in_pitch, y + HALF));
        u32 medians[GROUPS], words[WORDS];
        UNROLL for (int g = 0; g < GROUPS; g++) {
            constexpr int TOTAL = SIZE * SIZE, KEPT = TOTAL / 2 + 2;
            u32 all[TOTAL], v[KEPT];
            UNROLL for (int i = 0; i < TOTAL; i++)
                all[i] = lanes_from(lines[i / SIZE], ORIGIN + g * LANES + (i % SIZE - HALF) * CHANNELS);
            UNROLL for (int i = 0; i < KEPT; i++) v[i] = all[i];
            medians[g] = forget<KEPT, KEPT, TOTAL>(v, all);
        }
        from_lanes(words, medians);
        finish(words, row_of(in, in_pitch, y), row_of(out, out_pitch, y), lut);
    }
}

KERNEL median(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, const T* lut) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES;
    const int start = blockIdx.y * CHUNK;
    if (first >= values) return;
    const int count = least(CHUNK, rows - start);
    in = row_of(in, in_pitch, start) + first;
    out = row_of(out, out_pitch, start) + first;
    if constexpr (SIZE == 3)
        rows_of_3(in, in_pitch, out, out_pitch, count, lut);
    else
        rows_of_5(in, in_pitch, out, out_pitch, count, lut);
}
