// What all kernels share: rows as 32-bit words, values in words, and how results are stored.
//
// Every kernel lets a thread go down a chunk of rows of a strip of WORDS 32-bit words. Threads need nothing of one
// another: what lies beside a strip comes from the first-level cache, what lies above it stays in registers.
// There is no shared memory and no barrier, so that the same source also runs on a CPU, thread by thread.
// Before it stand the macros of the step: T (u8, u16 or f32), CHANNELS, ALPHA (1 if the last channel passes
// unchanged), WORDS.
//
// Pointers are to the first value of the first row of the result and of the row that lies over it; around the
// latter the halo is filled in. Rows begin at multiples of 128 bytes and end with room for a whole strip.
// Pitches are in bytes.

#ifndef HALOROW_HOST
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;
typedef float f32;
#define DEVICE __device__ __forceinline__
#define KERNEL extern "C" __global__ void
#define CONSTANT static __device__ constexpr
#endif

#define UNROLL _Pragma("unroll")

constexpr int EACH = 4 / sizeof(T);      // values in a word
constexpr int VALUES = WORDS * EACH;     // values in a strip

template <bool, typename A, typename B> struct If { typedef A type; };
template <typename A, typename B> struct If<false, A, B> { typedef B type; };
template <typename A, typename B> struct Same { static constexpr bool value = false; };
template <typename A> struct Same<A, A> { static constexpr bool value = true; };
constexpr bool IS_U8 = Same<T, u8>::value, IS_U16 = Same<T, u16>::value, IS_F32 = Same<T, f32>::value;
constexpr u32 WHITE = IS_U8 ? 255u : 65535u;

DEVICE int least(int a, int b) { return a < b ? a : b; }
DEVICE int most(int a, int b) { return a > b ? a : b; }

template <typename P> struct CharLike { typedef char type; };
template <typename P> struct CharLike<const P> { typedef const char type; };

template <typename P> DEVICE P* row_of(P* base, i64 pitch, i64 row) {
    typedef typename CharLike<P>::type Byte;
    return (P*)((Byte*)base + row * pitch);
}

// Load the words FIRST … FIRST + COUNT - 1 from p, which is aligned to the strip, as widely as that allows.
template <int FIRST, int COUNT, int AT = 0> DEVICE void load_words(u32* words, const u32* p) {
    if constexpr (AT < COUNT) {
        if constexpr (WORDS % 4 == 0 && ((FIRST + AT) & 3) == 0 && AT + 4 <= COUNT) {
            const uint4 v = __ldg((const uint4*)(p + FIRST + AT));
            words[AT] = v.x, words[AT + 1] = v.y, words[AT + 2] = v.z, words[AT + 3] = v.w;
            load_words<FIRST, COUNT, AT + 4>(words, p);
        } else if constexpr (WORDS % 2 == 0 && ((FIRST + AT) & 1) == 0 && AT + 2 <= COUNT) {
            const uint2 v = __ldg((const uint2*)(p + FIRST + AT));
            words[AT] = v.x, words[AT + 1] = v.y;
            load_words<FIRST, COUNT, AT + 2>(words, p);
        } else {
            words[AT] = __ldg(p + FIRST + AT);
            load_words<FIRST, COUNT, AT + 1>(words, p);
        }
    }
}

template <int COUNT, int AT = 0> DEVICE void store_words(u32* p, const u32* words) {
    if constexpr (AT < COUNT) {
        if constexpr (COUNT % 4 == 0) {
            *(uint4*)(p + AT) = make_uint4(words[AT], words[AT + 1], words[AT + 2], words[AT + 3]);
            store_words<COUNT, AT + 4>(p, words);
        } else if constexpr (COUNT % 2 == 0) {
            *(uint2*)(p + AT) = make_uint2(words[AT], words[AT + 1]);
            store_words<COUNT, AT + 2>(p, words);
        } else {
            p[AT] = words[AT];
            store_words<COUNT, AT + 1>(p, words);
        }
    }
}

// One value of a row of words, counted from the first word.
DEVICE u32 bits_at(const u32* words, int value) {
    if constexpr (IS_U8) return __byte_perm(words[value >> 2], 0, 0x4440 | (value & 3));
    if constexpr (IS_U16) return value & 1 ? words[value >> 1] >> 16 : words[value >> 1] & 0xffffu;
    return words[value];
}

DEVICE int int_at(const u32* words, int value) { return (int)bits_at(words, value); }

// The same as a float. A byte becomes the mantissa of 2²³ + value: an exact subtraction is several times
// faster than the conversion.
DEVICE f32 float_at(const u32* words, int value) {
    if constexpr (IS_F32) return __uint_as_float(words[value]);
    if constexpr (IS_U8) {
        const u32 biased = __byte_perm(words[value >> 2], 0x4b000000u, 0x7550 | (value & 3));
        return __uint_as_float(biased) - 8388608.0f;
    }
    return __uint_as_float(bits_at(words, value) | 0x4b000000u) - 8388608.0f;
}

// Round halves to even and clip to the type, as OpenCV's saturate_cast does; NaN becomes 0.
DEVICE u32 rounded(f32 v) {
    const f32 clipped = fminf(fmaxf(v, 0.0f), (f32)WHITE);
    return __float_as_uint(clipped + 8388608.0f) & 0xffffu;
}

// The one NaN that stands for all, so that results do not depend on the order of operands.
DEVICE u32 one_nan(f32 v) { return v != v ? 0x7fc00000u : __float_as_uint(v); }

DEVICE u32 packed4(u32 a, u32 b, u32 c, u32 d) {
    return __byte_perm(__byte_perm(a, b, 0x0040), __byte_perm(c, d, 0x0040), 0x5410);
}
DEVICE u32 packed2(u32 a, u32 b) { return __byte_perm(a, b, 0x5410); }

// Pack the bits of a strip's values into words.
DEVICE void pack(u32 (&words)[WORDS], const u32 (&bits)[VALUES]) {
    UNROLL for (int w = 0; w < WORDS; w++) {
        if constexpr (IS_U8)
            words[w] = packed4(bits[4 * w], bits[4 * w + 1], bits[4 * w + 2], bits[4 * w + 3]);
        else if constexpr (IS_U16)
            words[w] = packed2(bits[2 * w], bits[2 * w + 1]);
        else
            words[w] = bits[w];
    }
}

// Look integers up in the table of the point steps that follow.
DEVICE void look_up(u32 (&words)[WORDS], const T* lut) {
    if constexpr (!IS_F32) {
        u32 bits[VALUES];
        UNROLL for (int v = 0; v < VALUES; v++) bits[v] = (u32)__ldg(lut + bits_at(words, v));
        pack(words, bits);
    }
}

// Let the last of four channels be what it was.
DEVICE void keep_alpha(u32 (&words)[WORDS], const T* centre) {
    u32 before[WORDS];
    load_words<0, WORDS>(before, (const u32*)centre);
    UNROLL for (int w = 0; w < WORDS; w++) {
        if constexpr (IS_U8) words[w] = (words[w] & 0x00ffffffu) | (before[w] & 0xff000000u);
        if constexpr (IS_U16) if (w & 1) words[w] = (words[w] & 0xffffu) | (before[w] & 0xffff0000u);
        if constexpr (IS_F32) if ((w & 3) == 3) words[w] = before[w];
    }
}

// Store a strip of the result. ``in`` is the place over it in the block before.
DEVICE void finish(u32 (&words)[WORDS], const T* in, T* out, const T* lut) {
    if (lut) look_up(words, lut);
    if constexpr (ALPHA) keep_alpha(words, in);
    store_words<WORDS>((u32*)out, words);
}

// Whether OpenCV takes a value by itself, because it is beyond the last whole group of GROUP values of its row.
// It does not see an alpha channel.
DEVICE bool is_leftover(int value, int values, int group) {
    const int place = ALPHA ? value / 4 * 3 + value % 4 : value, seen = ALPHA ? values / 4 * 3 : values;
    return place >= seen - seen % group;
}
