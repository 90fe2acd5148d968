// Means of pixels whose surroundings look alike, one pixel for each thread. Macros: PATCH, SEARCH, the sides of what
// is compared and of what is searched; WHOLE, 1 for OpenCV's way in whole numbers, of gray bytes, else 0 for that in
// double precision; SHIFT, by which a sum of squares becomes a place in ``weights``; SCALE, of sums of squares.

constexpr int COLOURS = ALPHA ? 3 : CHANNELS;
constexpr int SIDE = PATCH / 2, REACH = SEARCH / 2;

DEVICE void in_whole_numbers(const T* at, i64 pitch, u32* means, const int* weights) {
    u32 total = 0, sum = 0;
    for (int y = -REACH; y <= REACH; y++) for (int x = -REACH; x <= REACH; x++) {
        const T* there = row_of(at, pitch, y) + x * CHANNELS;
        int distance = 0;
        for (int r = -SIDE; r <= SIDE; r++) {
            const T *one = row_of(at, pitch, r), *other = row_of(there, pitch, r);
            UNROLL for (int c = -SIDE; c <= SIDE; c++) {
                const int difference = (int)__ldg(one + c * CHANNELS) - (int)__ldg(other + c * CHANNELS);
                distance += difference * difference;
            }
        }
        const u32 weight = (u32)__ldg(weights + (distance >> SHIFT));
        total += weight;
        sum += weight * (u32)__ldg(there);
    }
    means[0] = (sum + total / 2) / total;
}

// How much pixels count for each other: e to the power of the distance of their patches, by the bits of a double;
// of the patches the first row and column are left out. Rows are added first.
DEVICE double alike(const T* one, const T* other, i64 pitch) {
    double distance = 0.0;
    for (int c = 1 - SIDE; c <= SIDE; c++) {
        double column = 0.0;
        for (int r = 1 - SIDE; r <= SIDE; r++) {
            const T *here = row_of(one, pitch, r) + c * CHANNELS, *there = row_of(other, pitch, r) + c * CHANNELS;
            double squares = 0.0;
            UNROLL for (int i = 0; i < COLOURS; i++) {
                const double difference = (double)__ldg(here + i) - (double)__ldg(there + i);
                squares += difference * difference;
            }
            column += squares;
        }
        distance += column;
    }
    distance *= SCALE;
    if (!(distance <= CUT_OFF)) return 0.0;
    return __longlong_as_double(((i64)(distance * -EXP_FACTOR) + EXP_BIAS) << 32);
}

DEVICE double finite_or_0(T value) {
    if constexpr (IS_F32) return fabsf(value) <= 3.402823466e38f ? (double)value : 0.0;
    else return (double)value;
}

DEVICE void add_place(const T* there, double weight, double& total, double (&sums)[COLOURS]) {
    total += weight;
    UNROLL for (int c = 0; c < COLOURS; c++) sums[c] += weight * finite_or_0(__ldg(there + c));
}

// Opposite places one after the other, as the CPU adds them, which uses each distance for both.
DEVICE void in_double(const T* at, i64 pitch, u32* means) {
    double total = 0.0, sums[COLOURS];
    UNROLL for (int c = 0; c < COLOURS; c++) sums[c] = 0.0;
    for (int y = 0; y <= REACH; y++) for (int x = y ? -REACH : 0; x <= REACH; x++) {
        const T* ahead = row_of(at, pitch, y) + x * CHANNELS;
        add_place(ahead, alike(at, ahead, pitch), total, sums);
        if (y == 0 && x == 0) continue;
        const T* behind = row_of(at, pitch, -y) - x * CHANNELS;
        add_place(behind, alike(behind, at, pitch), total, sums);
    }
    UNROLL for (int c = 0; c < COLOURS; c++) {
        const double mean = total > 0.0 ? sums[c] / total : (double)__ldg(at + c);
        if constexpr (IS_F32) means[c] = one_nan((f32)mean);
        else means[c] = (u32)rint(mean);
    }
}

KERNEL patches(const T* in, i64 in_pitch, T* out, i64 out_pitch, int rows, int pixels, const T* lut,
               const int* weights) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (column >= pixels) return;
    const T* at = row_of(in, in_pitch, row) + column * CHANNELS;
    u32 means[COLOURS];
    if constexpr (WHOLE) in_whole_numbers(at, in_pitch, means, weights);
    else in_double(at, in_pitch, means);
    store_pixel(means, at, row_of(out, out_pitch, row) + column * CHANNELS, lut);
}
