// The middle value of 3 × 3 or 5 × 5 neighbours, by comparisons alone. Macro: SIZE.
//
// 3 × 3: columns are sorted; of the three sorted columns around a pixel the greatest of the least, the middle
// of the middle and the least of the greatest are left, and the middle of these is the median.
// 5 × 5: columns are sorted, then pairs of them joined, then two pairs and a column as far as it bears on the
// middle. Merging: K. E. Batcher, "Sorting networks and their applications", AFIPS 1968; runs shared between
// squares: A. Adams, "Fast median filters using separable sorting networks", ACM TOG 40 (2021).
// Source of the former: J. L. Smith, "Implementing Median Filters in XC4000E FPGAs", XCELL 23 (1996).

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

// Join two sorted runs by Batcher's odd-even merge. What is not used of the result costs nothing.
template <int ONE, int OTHER> DEVICE void merge(const u32* one, const u32* other, u32* joined) {
    if constexpr (ONE == 0) {
        UNROLL for (int i = 0; i < OTHER; i++) joined[i] = other[i];
    } else if constexpr (OTHER == 0) {
        UNROLL for (int i = 0; i < ONE; i++) joined[i] = one[i];
    } else if constexpr (ONE == 1 && OTHER == 1) {
        joined[0] = lower(one[0], other[0]);
        joined[1] = upper(one[0], other[0]);
    } else {
        constexpr int EVEN_ONE = (ONE + 1) / 2, EVEN_OTHER = (OTHER + 1) / 2, EVEN = EVEN_ONE + EVEN_OTHER;
        constexpr int ODD_ONE = ONE / 2, ODD_OTHER = OTHER / 2, ODD = ODD_ONE + ODD_OTHER;
        constexpr int PAIRS = EVEN - 1 < ODD ? EVEN - 1 : ODD;
        u32 parts[4][EVEN], even[EVEN], odd[ODD + 1];
        UNROLL for (int i = 0; i < EVEN_ONE; i++) parts[0][i] = one[2 * i];
        UNROLL for (int i = 0; i < EVEN_OTHER; i++) parts[1][i] = other[2 * i];
        UNROLL for (int i = 0; i < ODD_ONE; i++) parts[2][i] = one[2 * i + 1];
        UNROLL for (int i = 0; i < ODD_OTHER; i++) parts[3][i] = other[2 * i + 1];
        merge<EVEN_ONE, EVEN_OTHER>(parts[0], parts[1], even);
        merge<ODD_ONE, ODD_OTHER>(parts[2], parts[3], odd);
        joined[0] = even[0];
        UNROLL for (int i = 0; i < PAIRS; i++) {
            joined[2 * i + 1] = lower(even[i + 1], odd[i]);
            joined[2 * i + 2] = upper(even[i + 1], odd[i]);
        }
        UNROLL for (int i = PAIRS + 1; i < EVEN; i++) joined[PAIRS + i] = even[i];
        UNROLL for (int i = PAIRS; i < ODD; i++) joined[PAIRS + 1 + i] = odd[i];
    }
}

// The value of rank 12 of sorted runs of 20 and 5: the least, over all ways to take 13 values from their lower
// ends, of the greatest taken.
DEVICE u32 twelfth(const u32* one, const u32* other) {
    u32 least_of = one[12];
    UNROLL for (int taken = 1; taken <= 5; taken++)
        least_of = lower(least_of, upper(one[12 - taken], other[taken - 1]));
    return least_of;
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

// Sorted columns from one value on.
DEVICE void column_at(u32 (&column)[5], const u32 (&sorted)[5][LINE_LANES + 1], int at) {
    UNROLL for (int i = 0; i < 5; i++) column[i] = lanes_from(sorted[i], at);
}

// The columns at a value and at the next pixel, sorted together. The compiler makes each pair once.
DEVICE void pair_at(u32 (&pair)[10], const u32 (&sorted)[5][LINE_LANES + 1], int at) {
    u32 one[5], other[5];
    column_at(one, sorted, at);
    column_at(other, sorted, at + CHANNELS);
    merge<5, 5>(one, other, pair);
}

DEVICE void emit25(const u32 (&sorted)[5][LINE_LANES + 1], const T* in, T* out, const T* lut) {
    u32 medians[GROUPS], words[WORDS];
    UNROLL for (int g = 0; g < GROUPS; g++) {
        const int at = ORIGIN + g * LANES;
        u32 left[10], right[10], four[20], last[5];
        pair_at(left, sorted, at - 2 * CHANNELS);
        pair_at(right, sorted, at);
        column_at(last, sorted, at + 2 * CHANNELS);
        merge<10, 10>(left, right, four);
        medians[g] = twelfth(four, last);
    }
    from_lanes(words, medians);
    finish(words, in, out, lut);
}

// Sort the columns of four sorted rows and one more.
DEVICE void sort_columns(u32 (&sorted)[5][LINE_LANES + 1], const u32 (&four)[4][LINE_LANES],
                         const u32 (&row)[LINE_LANES + 1]) {
    UNROLL for (int l = 0; l < LINE_LANES; l++) {
        const u32 column[4] = {four[0][l], four[1][l], four[2][l], four[3][l]};
        u32 joined[5];
        merge<4, 1>(column, &row[l], joined);
        UNROLL for (int i = 0; i < 5; i++) sorted[i][l] = joined[i];
    }
    UNROLL for (int i = 0; i < 5; i++) sorted[i][LINE_LANES] = 0;
}

// Two rows at a time: the four middle ones of the six rows that they need are sorted once for both.
DEVICE void rows_of_5(const T* in, i64 in_pitch, T* out, i64 out_pitch, int count, const T* lut) {
    u32 lines[6][LINE_LANES + 1];
    UNROLL for (int r = 0; r < 4; r++) load_line(lines[r], row_of(in, in_pitch, r - HALF));
    for (int y = 0; y < count; y += 2) {
        u32 four[4][LINE_LANES], sorted[5][LINE_LANES + 1];
        load_line(lines[4], row_of(in, in_pitch, y + HALF));
        load_line(lines[5], row_of(in, in_pitch, least(y + 1, count - 1) + HALF));
        UNROLL for (int l = 0; l < LINE_LANES; l++) {
            u32 pairs[2][2] = {{lines[1][l], lines[2][l]}, {lines[3][l], lines[4][l]}}, joined[4];
            sort2(pairs[0][0], pairs[0][1]);
            sort2(pairs[1][0], pairs[1][1]);
            merge<2, 2>(pairs[0], pairs[1], joined);
            UNROLL for (int i = 0; i < 4; i++) four[i][l] = joined[i];
        }
        sort_columns(sorted, four, lines[0]);
        emit25(sorted, row_of(in, in_pitch, y), row_of(out, out_pitch, y), lut);
        if (y + 1 == count) return;
        sort_columns(sorted, four, lines[5]);
        emit25(sorted, row_of(in, in_pitch, y + 1), row_of(out, out_pitch, y + 1), lut);
        UNROLL for (int r = 0; r < 4; r++) UNROLL for (int l = 0; l <= LINE_LANES; l++)
            lines[r][l] = lines[r + 2][l];
    }
}

KERNEL median(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, int chunk, const T* lut) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES;
    const int start = blockIdx.y * chunk;
    if (first >= values) return;
    const int count = least(chunk, rows - start);
    in = row_of(in, in_pitch, start) + first;
    out = row_of(out, out_pitch, start) + first;
    if constexpr (SIZE == 3)
        rows_of_3(in, in_pitch, out, out_pitch, count, lut);
    else
        rows_of_5(in, in_pitch, out, out_pitch, count, lut);
}
