// Values side by side in one register, for kernels that only compare or count: two of 16 bits, or one float
// in an order in which integers compare like the floats that they stand for.

constexpr int LANES = IS_F32 ? 1 : 2;
constexpr int GROUPS = VALUES / LANES;

// Bits of a float as an integer of the same order; NaN is the greatest, or the least of all.
DEVICE u32 ordered(u32 bits, bool nan_is_least) {
    const f32 v = __uint_as_float(bits);
    if (v != v) return nan_is_least ? 0x80000000u : 0x7fffffffu;
    if (v == 0.0f) return 0u;  // -0 and 0 are the same
    return (int)bits < 0 ? bits ^ 0x7fffffffu : bits;
}

DEVICE u32 from_ordered(u32 lane) {
    const u32 bits = (int)lane < 0 ? lane ^ 0x7fffffffu : lane;
    return one_nan(__uint_as_float(bits));
}

DEVICE u32 lower(u32 a, u32 b) {
    if constexpr (IS_F32) return (int)a < (int)b ? a : b;
    return __vminu2(a, b);
}
DEVICE u32 upper(u32 a, u32 b) {
    if constexpr (IS_F32) return (int)a > (int)b ? a : b;
    return __vmaxu2(a, b);
}

// Spread COUNT words of values over their lanes.
template <int COUNT> DEVICE void to_lanes(u32* lanes, const u32* words, bool nan_is_least) {
    UNROLL for (int w = 0; w < COUNT; w++) {
        if constexpr (IS_U8) {
            lanes[2 * w] = __byte_perm(words[w], 0, 0x4140);
            lanes[2 * w + 1] = __byte_perm(words[w], 0, 0x4342);
        } else {
            lanes[w] = IS_F32 ? ordered(words[w], nan_is_least) : words[w];
        }
    }
}

// The lanes from one value on, counted from the first lane.
DEVICE u32 lanes_from(const u32* lanes, int value) {
    if constexpr (LANES == 1) return lanes[value];
    return value & 1 ? __funnelshift_r(lanes[value >> 1], lanes[(value >> 1) + 1], 16) : lanes[value >> 1];
}

DEVICE void from_lanes(u32 (&words)[WORDS], const u32 (&lanes)[GROUPS]) {
    UNROLL for (int w = 0; w < WORDS; w++) {
        if constexpr (IS_U8)
            words[w] = __byte_perm(lanes[2 * w], lanes[2 * w + 1], 0x6420);
        else
            words[w] = IS_F32 ? from_ordered(lanes[w]) : lanes[w];
    }
}
