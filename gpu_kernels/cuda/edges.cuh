// One or two derivatives of one channel, and what is made of them.
//
// Both are sums over SIZE rows of two correlations along each row, with LINE_0 and LINE_1: the first with
// the weights X_0 and X_1 of the rows, the second with Y_0 and Y_1. Integers stay exact: every sum of bytes,
// and of 16 bits where Acc is not double, is a whole number of less than 24 bits.
// Macros: Acc; OUTPUT: 0 √(x² + y²), 1 |x|, 2 both as they are, times GRADIENT_SCALE.

CONSTANT int LINES[2][SIZE] = {{LINE_0}, {LINE_1}};
CONSTANT int ROW_WEIGHTS[2][2][SIZE] = {{{X_0}, {X_1}}, {{Y_0}, {Y_1}}};
constexpr int PARTS = OUTPUT == 1 ? 1 : 2;
constexpr int HALF = SIZE / 2;
constexpr int SIDE_WORDS = (HALF + EACH - 1) / EACH;
constexpr int LINE_WORDS = SIDE_WORDS + WORDS + SIDE_WORDS;

DEVICE Acc weighted(Acc sum, int weight, Acc value) {
    if (weight == 0) return sum;
    if (weight == 1) return sum + value;
    if (weight == -1) return sum - value;
    if constexpr (IS_F32) return sum + (Acc)weight * value;
    return fma((Acc)weight, value, sum);  // whole numbers: exact, and one instruction less
}

// For bytes an approximate root is enough: no whole number below 2¹⁶ has a root near enough to a half.
DEVICE f32 quick_root(f32 v) {
#ifdef HALOROW_HOST
    return sqrtf(v);
#else
    f32 root;
    asm("sqrt.approx.f32 %0, %1;" : "=f"(root) : "f"(v));
    return root;
#endif
}

DEVICE u32 steepness(Acc x, Acc y) {
    if constexpr (OUTPUT == 1) {
        const Acc strength = x < 0 ? -x : x;
        if constexpr (IS_F32) return one_nan((f32)strength);
        return rounded((f32)(strength > (Acc)WHITE ? (Acc)WHITE : strength));
    } else if constexpr (IS_U8) {
        const f32 square = fmaf((f32)x, (f32)x, (f32)y * (f32)y);
        const f32 root = fminf(quick_root(square), 255.0f);
        return __float_as_uint(root + 8388608.0f) & 0xffffu;
    } else {
        const double across = (double)(f32)x, down = (double)(f32)y;
        const f32 root = (f32)sqrt(across * across + down * down);
        return IS_F32 ? one_nan(root) : rounded(root);
    }
}

DEVICE f32 scaled(Acc gradient) {
    if constexpr (IS_F32) return (f32)(gradient * (Acc)GRADIENT_SCALE);
    return (f32)rint((double)gradient * GRADIENT_SCALE);
}

// Both derivatives of a pixel side by side: 16 bits each for bytes, else floats.
DEVICE void store_pairs(const Acc (&x)[VALUES], const Acc (&y)[VALUES], void* out) {
    constexpr int EACH_PAIR = IS_U8 ? 1 : 2;
    u32 words[VALUES * EACH_PAIR];
    UNROLL for (int v = 0; v < VALUES; v++) {
        const f32 across = scaled(x[v]), down = scaled(y[v]);
        if constexpr (IS_U8) {
            words[v] = packed2((u32)(int)across, (u32)(int)down);
        } else {
            words[2 * v] = __float_as_uint(across);
            words[2 * v + 1] = __float_as_uint(down);
        }
    }
    store_words<VALUES * EACH_PAIR>((u32*)out, words);
}

KERNEL edges(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int values, int chunk, const T* lut) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * VALUES;
    const int start = blockIdx.y * chunk;
    if (first >= values) return;
    const int count = least(chunk, rows - start);
    in = row_of(in, in_pitch, start) + first;
    Acc pending[PARTS][SIZE][VALUES];
    UNROLL for (int p = 0; p < PARTS; p++) UNROLL for (int k = 0; k < SIZE; k++)
        UNROLL for (int v = 0; v < VALUES; v++) pending[p][k][v] = 0;
    for (int t = 0; t < count + SIZE - 1; t++) {
        u32 words[LINE_WORDS];
        Acc line[LINE_WORDS * EACH];
        load_words<-SIDE_WORDS, LINE_WORDS>(words, (const u32*)row_of(in, in_pitch, t - HALF));
        UNROLL for (int i = 0; i < LINE_WORDS * EACH; i++) line[i] = (Acc)float_at(words, i);
        UNROLL for (int v = 0; v < VALUES; v++) {
            Acc sums[2] = {0, 0};
            UNROLL for (int l = 0; l < 2; l++) UNROLL for (int x = 0; x < SIZE; x++)
                sums[l] = weighted(sums[l], LINES[l][x], line[SIDE_WORDS * EACH + v + x - HALF]);
            UNROLL for (int p = 0; p < PARTS; p++) UNROLL for (int k = SIZE - 1; k >= 0; k--) {
                const Acc before = k ? pending[p][k ? k - 1 : 0][v] : (Acc)0;
                pending[p][k][v] = weighted(weighted(before, ROW_WEIGHTS[p][0][k], sums[0]),
                                            ROW_WEIGHTS[p][1][k], sums[1]);
            }
        }
        const int result = t - (SIZE - 1);
        if (result < 0) continue;
        const Acc(&x)[VALUES] = pending[0][SIZE - 1];
        const Acc(&y)[VALUES] = pending[PARTS - 1][SIZE - 1];
        if constexpr (OUTPUT == 2) {
            char* place = (char*)row_of(out, out_pitch, start + result);
            store_pairs(x, y, place + (i64)first * (IS_U8 ? 4 : 8));
        } else {
            u32 bits[VALUES], packed[WORDS];
            UNROLL for (int v = 0; v < VALUES; v++) bits[v] = steepness(x[v], y[v]);
            pack(packed, bits);
            finish(packed, row_of(in, in_pitch, result), row_of(out, out_pitch, start + result) + first, lut);
        }
    }
}
