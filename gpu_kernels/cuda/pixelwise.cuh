// For kernels with one pixel for each thread: how its new values are stored.

// Store the bits of a pixel's values, looked up in the table of the point steps that follow.
template <int COUNT> DEVICE void store_pixel(const u32 (&bits)[COUNT], const T* in, T* out, const T* lut) {
    UNROLL for (int c = 0; c < COUNT; c++) {
        if constexpr (IS_F32) out[c] = __uint_as_float(bits[c]);
        else out[c] = lut ? __ldg(lut + bits[c]) : (T)bits[c];
    }
    if constexpr (ALPHA) out[COUNT] = __ldg(in + COUNT);
}
