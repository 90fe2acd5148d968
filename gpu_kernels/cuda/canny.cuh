// Thinning of gradients to lines: 0 no edge, 1 weak, 2 strong, for each pair of derivatives, with the sectors
// and ties of cv2.Canny. Macros: LOW, HIGH, in units of the strength; EUCLIDEAN; Gradient, i16 or f32.

constexpr double TAN_22 = 13573.0, ONE = 32768.0, TAN_67 = TAN_22 + 2 * ONE;

DEVICE double part(const T* at, int which) {
    if constexpr (IS_F32) return (double)__ldg(at + which);
    return (double)(short)__ldg(at + which);
}

DEVICE double strength(const T* at) {
    const double x = part(at, 0), y = part(at, 1);
    return EUCLIDEAN ? x * x + y * y : fabs(x) + fabs(y);
}

KERNEL canny(const T* in, i64 in_pitch, u8* out, i64 out_pitch, int rows, int pixels) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (column >= pixels) return;
    const T* at = row_of(in, in_pitch, row) + 2 * column;
    const T* above = row_of(in, in_pitch, row - 1) + 2 * column;
    const T* below = row_of(in, in_pitch, row + 1) + 2 * column;
    const double here = strength(at), x = part(at, 0), y = part(at, 1);
    const double across = fabs(x), down = fabs(y) * ONE;
    bool ridge;
    if (down < across * TAN_22)
        ridge = here > strength(at - 2) && here >= strength(at + 2);
    else if (down > across * TAN_67)
        ridge = here > strength(above) && here >= strength(below);
    else if ((x < 0) == (y < 0))
        ridge = here > strength(above - 2) && here > strength(below + 2);
    else
        ridge = here > strength(above + 2) && here > strength(below - 2);
    const bool weak = ridge && here > LOW;
    row_of(out, out_pitch, row)[column] = (u8)(weak + (weak && here > HIGH));
}
