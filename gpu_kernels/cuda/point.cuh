// Steps that look at one pixel at a time, one after the other in registers. Before this file stand the
// functions of the steps and PIXEL(v, tables, at), which calls them. Macros: IN, OUT, channels; WIDEST, the most channels in between; PIXELS of a thread; Value, u32 for integers.

constexpr int OUT_WORDS = PIXELS * OUT / EACH;

DEVICE Value loaded(const u32* words, int value) {
    if constexpr (IS_F32) return __uint_as_float(words[value]);
    return bits_at(words, value);
}

KERNEL point(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int pixels, int first_row,
             int image_rows, const T* tables) {
    const int index = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (index * PIXELS >= pixels) return;
    u32 words[WORDS], bits[PIXELS * OUT], packed[OUT_WORDS];
    load_words<0, WORDS>(words, (const u32*)row_of(in, in_pitch, row) + index * WORDS);
    UNROLL for (int p = 0; p < PIXELS; p++) {
        Value v[WIDEST];
        UNROLL for (int c = 0; c < IN; c++) v[c] = loaded(words, p * IN + c);
        PIXEL(v, tables, (Spot{index * PIXELS + p, pixels, (first_row + row) % image_rows}));
        UNROLL for (int c = 0; c < OUT; c++) {
            if constexpr (IS_F32)
                bits[p * OUT + c] = __float_as_uint(v[c]);
            else
                bits[p * OUT + c] = v[c];
        }
    }
    UNROLL for (int w = 0; w < OUT_WORDS; w++) {
        if constexpr (IS_U8)
            packed[w] = packed4(bits[4 * w], bits[4 * w + 1], bits[4 * w + 2], bits[4 * w + 3]);
        else if constexpr (IS_U16)
            packed[w] = packed2(bits[2 * w], bits[2 * w + 1]);
        else
            packed[w] = bits[w];
    }
    store_words<OUT_WORDS>((u32*)row_of(out, out_pitch, row) + index * OUT_WORDS, packed);
}
