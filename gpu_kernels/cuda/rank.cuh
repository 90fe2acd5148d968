// The middle value of any odd square, one value for each thread. Macros: SIZE; BITS of a value.
//
// ``rank`` finds it bit by bit from the top: a bit is set if at most half of the values lie below what it makes.
// ``histogram``, of bytes, counts the values of a square while it goes down: T. S. Huang, G. J. Yang, G. Y. Tang, "A
// fast two-dimensional median filtering algorithm", IEEE Transactions on Acoustics, Speech, and Signal Processing
// 27 (1979).

constexpr int HALF = SIZE / 2, MIDDLE = SIZE * SIZE / 2;

// A value as a number of the same order: of floats NaN is the greatest, and both zeros are the same.
DEVICE u32 key_of(T value) {
    if constexpr (IS_F32) return ordered(__float_as_uint(value), false) ^ 0x80000000u;
    else return value;
}

DEVICE void store_key(u32 key, T* out, const T* lut) {
    if constexpr (IS_F32) *out = __uint_as_float(from_ordered(key ^ 0x80000000u));
    else *out = lut ? __ldg(lut + key) : (T)key;
}

DEVICE bool is_alpha(int value) { return ALPHA && value % CHANNELS == CHANNELS - 1; }

KERNEL rank(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, int chunk, const T* lut) {
    const int value = blockIdx.x * blockDim.x + threadIdx.x;
    const int start = blockIdx.y * chunk;
    if (value >= values) return;
    for (int y = start; y < least(start + chunk, rows); y++) {
        T* to = row_of(out, out_pitch, y) + value;
        if (is_alpha(value)) {
            *to = __ldg(row_of(in, in_pitch, y) + value);
            continue;
        }
        u32 found = 0;
        for (u32 bit = 1u << (BITS - 1); bit; bit >>= 1) {
            const u32 tried = found | bit;
            int below = 0;
            for (int r = -HALF; r <= HALF; r++) {
                const T* at = row_of(in, in_pitch, y + r) + value;
                UNROLL for (int x = -HALF; x <= HALF; x++) below += key_of(__ldg(at + x * CHANNELS)) < tried;
            }
            if (below <= MIDDLE) found = tried;
        }
        store_key(found, to, lut);
    }
}

// How many values of a square there are of each, ``below`` of them less than ``middle``.
struct Counts {
    u16 of[256];
    int below;
    u32 middle;
};

DEVICE void count_row(Counts& counts, const T* at, int change) {
    for (int x = -HALF; x <= HALF; x++) {
        const u32 key = key_of(__ldg(at + x * CHANNELS)) & 255u;
        counts.of[key] = (u16)(counts.of[key] + change);
        if (key < counts.middle) counts.below += change;
    }
}

// Move to the value with at most MIDDLE values below it and more up to it.
DEVICE void find_middle(Counts& counts) {
    while (counts.below > MIDDLE) counts.below -= counts.of[--counts.middle];
    while (counts.below + counts.of[counts.middle] <= MIDDLE) counts.below += counts.of[counts.middle++];
}

KERNEL histogram(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, int chunk, const T* lut) {
    const int value = blockIdx.x * blockDim.x + threadIdx.x;
    const int start = blockIdx.y * chunk;
    if (value >= values) return;
    const int count = least(chunk, rows - start);
    in = row_of(in, in_pitch, start) + value;
    out = row_of(out, out_pitch, start) + value;
    if (is_alpha(value)) {
        for (int y = 0; y < count; y++) *row_of(out, out_pitch, y) = __ldg(row_of(in, in_pitch, y));
        return;
    }
    Counts counts;
    for (int i = 0; i < 256; i++) counts.of[i] = 0;
    counts.below = 0, counts.middle = 0;
    for (int r = -HALF; r < HALF; r++) count_row(counts, row_of(in, in_pitch, r), 1);
    for (int y = 0; y < count; y++) {
        count_row(counts, row_of(in, in_pitch, y + HALF), 1);
        find_middle(counts);
        store_key(counts.middle, row_of(out, out_pitch, y), lut);
        count_row(counts, row_of(in, in_pitch, y - HALF), -1);
    }
}
