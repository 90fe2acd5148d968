// Means of a disc, weighted by nearness in place and in colour; one pixel for each thread.
//
// Macros: PLACES of the disc; SINGLE, 1 for OpenCV's way in single precision; Weight, of the tables: double or f32;
// FACTOR, for floats, of the squared distance of colours. ``places`` holds rows and columns, in the order in which
// they are added, ``near`` their weights, ``alike`` those of all distances of colours there are.

constexpr int COLOURS = ALPHA ? 3 : CHANNELS;

DEVICE bool finite(f32 v) { return fabsf(v) <= 3.402823466e38f; }

// In double precision, as the CPU does it for all but bytes of one or three colours; floats are weighed as such.
DEVICE void in_double(const T* at, i64 pitch, u32* means, const int* places, const Weight* near, const Weight* alike) {
    double total = 0.0, sums[COLOURS];
    UNROLL for (int c = 0; c < COLOURS; c++) sums[c] = 0.0;
    for (int k = 0; k < PLACES; k++) {
        const T* there = row_of(at, pitch, __ldg(places + 2 * k)) + __ldg(places + 2 * k + 1) * CHANNELS;
        if constexpr (IS_F32) {
            f32 distance = 0.0f;
            UNROLL for (int c = 0; c < COLOURS; c++) distance += fabsf(__ldg(there + c) - __ldg(at + c));
            f32 weight = expf(distance * distance * (f32)FACTOR) * (f32)__ldg(near + k);
            if (weight != weight) weight = 0.0f;
            total += weight;
            UNROLL for (int c = 0; c < COLOURS; c++) {
                const f32 v = __ldg(there + c);
                sums[c] += weight * (finite(v) ? v : 0.0f);
            }
        } else {
            int distance = 0;
            UNROLL for (int c = 0; c < COLOURS; c++) {
                const int difference = (int)__ldg(there + c) - (int)__ldg(at + c);
                distance += difference < 0 ? -difference : difference;
            }
            const double weight = __ldg(alike + distance) * __ldg(near + k);
            total += weight;
            UNROLL for (int c = 0; c < COLOURS; c++) sums[c] += weight * (double)__ldg(there + c);
        }
    }
    UNROLL for (int c = 0; c < COLOURS; c++) {
        if constexpr (IS_F32) means[c] = __float_as_uint(total > 0.0 ? (f32)(sums[c] / total) : __ldg(at + c));
        else means[c] = (u32)rint(sums[c] / total);
    }
}

// As OpenCV does it for bytes of one or three colours: a fused product and sum for each value.
DEVICE void in_single(const T* at, i64 pitch, u32* means, const int* places, const Weight* near, const Weight* alike) {
    f32 total = 0.0f, sums[COLOURS];
    UNROLL for (int c = 0; c < COLOURS; c++) sums[c] = 0.0f;
    for (int k = 0; k < PLACES; k++) {
        const T* there = row_of(at, pitch, __ldg(places + 2 * k)) + __ldg(places + 2 * k + 1) * CHANNELS;
        int distance = 0;
        UNROLL for (int c = 0; c < COLOURS; c++) {
            const int difference = (int)__ldg(there + c) - (int)__ldg(at + c);
            distance += difference < 0 ? -difference : difference;
        }
        const f32 weight = __ldg(near + k) * __ldg(alike + distance);
        total += weight;
        UNROLL for (int c = 0; c < COLOURS; c++) sums[c] = fmaf((f32)__ldg(there + c), weight, sums[c]);
    }
    UNROLL for (int c = 0; c < COLOURS; c++)
        means[c] = rounded(COLOURS == 1 ? sums[c] / total : sums[c] * (1.0f / total));
}

KERNEL bilateral(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int pixels, const T* lut,
                 const int* places, const Weight* near, const Weight* alike) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (column >= pixels) return;
    const T* at = row_of(in, in_pitch, row) + column * CHANNELS;
    u32 means[COLOURS];
    if constexpr (SINGLE) in_single(at, in_pitch, means, places, near, alike);
    else in_double(at, in_pitch, means, places, near, alike);
    store_pixel(means, at, row_of(out, out_pitch, row) + column * CHANNELS, lut);
}
