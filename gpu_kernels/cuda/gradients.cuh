// Both derivatives of floats side by side, with the sums of cv2.Sobel to the last bit: a map of edges would tip over
// by less. Macros: SIZE; SMOOTH and DIFFERENCE, whole weights; GRADIENT_SCALE, a power of two; GROUP, values
// that OpenCV's vectors take at once in single precision, which it uses for a SIZE of 3.

CONSTANT double SMOOTHING[SIZE] = {SMOOTH}, DIFFERING[SIZE] = {DIFFERENCE};
constexpr int HALF = SIZE / 2;

// Values left over at the end of a row, its halo included, are added up in order.
DEVICE f32 smoothed(f32 first, f32 middle, f32 last, bool alone) {
    return alone ? first + 2.0f * middle + last : first + last + 2.0f * middle;
}

DEVICE void single_gradients(const T* in, i64 in_pitch, int row, int column, int pixels, f32* out) {
    const int columns = pixels + 2;
    const bool alone = column + 1 >= columns - columns % GROUP;
    f32 across[3], along[3];
    UNROLL for (int r = 0; r < 3; r++) {
        const T* at = row_of(in, in_pitch, row + r - 1) + column;
        const f32 left = __ldg(at - 1), right = __ldg(at + 1);
        across[r] = right - left, along[r] = smoothed(left, __ldg(at), right, alone);
    }
    out[0] = smoothed(across[0], across[1], across[2], alone), out[1] = along[2] - along[0];
}

DEVICE void double_gradients(const T* in, i64 in_pitch, int row, int column, f32* out) {
    double across[SIZE], along[SIZE];
    UNROLL for (int r = 0; r < SIZE; r++) {
        const T* at = row_of(in, in_pitch, row + r - HALF) + column - HALF;
        across[r] = along[r] = 0;
        UNROLL for (int k = 0; k < SIZE; k++) {
            const double value = __ldg(at + k);
            across[r] += DIFFERING[k] * value, along[r] += SMOOTHING[k] * value;
        }
    }
    double x = SMOOTHING[HALF] * across[HALF], y = 0;
    UNROLL for (int k = 1; k <= HALF; k++) {
        x += SMOOTHING[HALF + k] * (across[HALF + k] + across[HALF - k]);
        y += DIFFERING[HALF + k] * (along[HALF + k] - along[HALF - k]);
    }
    out[0] = (f32)(x * GRADIENT_SCALE), out[1] = (f32)(y * GRADIENT_SCALE);
}

KERNEL float_gradients(const T* in, i64 in_pitch, f32* out, i64 out_pitch, int rows, int pixels) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (column >= pixels) return;
    f32* place = row_of(out, out_pitch, row) + 2 * column;
    if constexpr (SIZE == 3) single_gradients(in, in_pitch, row, column, pixels, place);
    else double_gradients(in, in_pitch, row, column, place);
}
