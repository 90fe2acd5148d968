// How a weighted sum becomes a mean of the type, and what a step makes of it.
//
// Macros: MEAN, how sums are scaled (below); SCALE, 1 / size², where that matters; AFTER, what follows:
// 0 nothing, 1 adaptive threshold (white where the centre lies above the mean less OFFSET),
// 2 unsharp mask (the centre plus AMOUNT times its difference from the mean, for integers from OFFSET on).

#define MEAN_FIXED 0    // weights add up to 2⁸ (u8) or 2¹⁶ (u16) in either direction, as in OpenCV
#define MEAN_NEAREST 1  // the nearest integer; none is half-way, since size² is odd
#define MEAN_SINGLE 2   // scaled in single precision, row ends in double, as OpenCV does
#define MEAN_DOUBLE 3   // scaled in double precision

typedef typename If<IS_F32, f32, u32>::type RowSum;

// A sum of products of 16 and 32 bits, as those of both halves of the latter: each fits 32 bits, since the
// weights add up to 2¹⁶, and two products and sums of 32 bits are several times faster than one of 64.
struct Split { u32 high, low; };

typedef typename If<IS_F32, typename If<MEAN == MEAN_FIXED, f32, double>::type,
                    typename If<IS_U16 && MEAN == MEAN_FIXED, Split, u32>::type>::type Sum;

DEVICE f32 added(f32 sum, f32 weight, f32 value) { return fmaf(weight, value, sum); }
DEVICE double added(double sum, f32 weight, f32 value) { return sum + (double)weight * (double)value; }
DEVICE u32 added(u32 sum, u32 weight, u32 value) { return sum + weight * value; }
DEVICE Split added(Split sum, u32 weight, u32 value) {
    return {sum.high + weight * (value >> 16), sum.low + weight * (value & 0xffffu)};
}

// ``leftover``: whether OpenCV takes the value by itself, at the end of a row.
template <typename S> DEVICE u32 mean_of(S sum, bool leftover) {
    if constexpr (IS_F32) {
        return MEAN == MEAN_FIXED ? one_nan((f32)sum) : one_nan((f32)(sum * SCALE) + 0.0f);
    } else if constexpr (MEAN == MEAN_FIXED) {
        if constexpr (IS_U16) return (sum.high + (sum.low >> 16) + (1u << 15)) >> 16;
        else return ((u32)sum + (1u << 15)) >> 16;
    } else if constexpr (MEAN == MEAN_SINGLE) {
        if (!leftover) return rounded((f32)(int)sum * (f32)SCALE);
        return (u32)rint((double)sum * SCALE);
    } else {
        return (u32)rint((double)sum * SCALE);
    }
}

// How much a difference from the mean adds to an integer: by single precision where that is exact for all
// differences (EXACT), else by the table.
DEVICE u32 changed(u32 difference, const T* table) {
    if constexpr (EXACT) {
        const f32 value = __uint_as_float(difference | 0x4b000000u) - 8388608.0f;
        return (int)difference < (int)OFFSET ? 0u : rounded(value * (f32)AMOUNT);
    }
    return (u32)__ldg(table + difference);
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
            const u32 difference = centre > mean ? centre - mean : mean - centre;
            const u32 change = changed(difference, table), raised = centre + change;
            if (centre > mean) return raised > WHITE ? WHITE : raised;
            return centre > change ? centre - change : 0u;
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
