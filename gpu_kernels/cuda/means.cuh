// How a weighted sum becomes a mean of the type, and what a step makes of it.
//
// Macros: MEAN, how sums are scaled (below); SCALE, 1 / size², where that matters; AFTER, what follows:
// 0 nothing, 1 adaptive threshold (white where the centre lies above the mean less OFFSET),
// 2 unsharp mask (the centre plus AMOUNT times its difference from the mean, for integers by a table).

#define MEAN_FIXED 0    // weights add up to 2⁸ (u8) or 2¹⁶ (u16) in either direction, as in OpenCV
#define MEAN_NEAREST 1  // the nearest integer; none is half-way, since size² is odd
#define MEAN_SINGLE 2   // scaled in single precision, row ends in double, as OpenCV does
#define MEAN_DOUBLE 3   // scaled in double precision

typedef typename If<IS_F32, f32, u32>::type RowSum;
typedef typename If<IS_F32, typename If<MEAN == MEAN_FIXED, f32, double>::type,
                    typename If<IS_U16 && MEAN == MEAN_FIXED, u64, u32>::type>::type Sum;

// ``leftover``: whether OpenCV takes the value by itself, at the end of a row.
DEVICE u32 mean_of(Sum sum, bool leftover) {
    if constexpr (IS_F32) {
        return MEAN == MEAN_FIXED ? one_nan((f32)sum) : one_nan((f32)(sum * SCALE) + 0.0f);
    } else if constexpr (MEAN == MEAN_FIXED) {
        return IS_U8 ? ((u32)sum + (1u << 15)) >> 16 : (u32)(((u64)sum + ((u64)1 << 31)) >> 32);
    } else if constexpr (MEAN == MEAN_SINGLE) {
        if (!leftover) return rounded((f32)(int)sum * (f32)SCALE);
        return (u32)rint((double)sum * SCALE);
    } else {
        return (u32)rint((double)sum * SCALE);
    }
}

DEVICE u32 after_mean(u32 mean, u32 centre, const T* table) {
    if constexpr (AFTER == 1) {
        if constexpr (IS_F32) {
            const f32 limit = __uint_as_float(mean) - (f32)OFFSET;
            return __float_as_uint(__uint_as_float(centre) > limit ? 1.0f : 0.0f);
        } else {
            return (int)centre - (int)mean > -(int)OFFSET ? WHITE : 0u;
        }
    } else if constexpr (AFTER == 2) {
        if constexpr (IS_F32) {
            const f32 value = __uint_as_float(centre), difference = value - __uint_as_float(mean);
            return one_nan(fabsf(difference) >= (f32)OFFSET ? value + (f32)AMOUNT * difference : value);
        } else {
            // The table holds how much a difference adds; at most one of the two is not 0.
            const u32 up = centre > mean ? (u32)__ldg(table + (centre - mean)) : 0u;
            const u32 down = mean > centre ? (u32)__ldg(table + (mean - centre)) : 0u;
            const u32 raised = centre + up > WHITE ? WHITE : centre + up;
            return raised > down ? raised - down : 0u;
        }
    } else {
        return mean;
    }
}

// Turn the bits of a strip's means into the step's result and store it.
DEVICE void finish_means(u32 (&means)[VALUES], const T* in, T* out, const T* lut, const T* table) {
    u32 words[WORDS];
    if constexpr (AFTER != 0) {
        u32 centre[WORDS];
        load_words<0, WORDS>(centre, (const u32*)in);
        UNROLL for (int v = 0; v < VALUES; v++)
            means[v] = after_mean(means[v], bits_at(centre, v), table);
    }
    pack(words, means);
    finish(words, in, out, lut);
}
