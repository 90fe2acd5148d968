// What lies outside an image: columns beside its rows, and whole rows above and below. Macro: none beyond T.
// An index of -1 stands for the fill value.

KERNEL fill_columns(T* rows_base, i64 pitch, int rows, int columns, int halo, const int* index, T fill) {
    const int value = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (value >= 2 * halo * CHANNELS) return;
    const int place = value / CHANNELS, channel = value % CHANNELS;
    const int column = place < halo ? place - halo : columns + place - halo;
    const int source = index[place];
    T* at = row_of(rows_base, pitch, row);
    at[column * CHANNELS + channel] = source < 0 ? fill : at[source * CHANNELS + channel];
}

// Make ``rows`` rows from ``first`` on, counted from ``base``, out of the image's rows ``index``, which lie at
// ``offset`` more from there.
KERNEL fill_rows(T* base, i64 pitch, int first, int rows, int values, int offset, const int* index,
                 T fill) {
    const int value = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (value >= values) return;
    const int source = index[row];
    row_of(base, pitch, first + row)[value] = source < 0 ? fill : row_of(base, pitch, source + offset)[value];
}
