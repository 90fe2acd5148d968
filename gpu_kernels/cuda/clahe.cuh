// Values looked up in the tables of the four tiles around a pixel, and mixed by how near these are.

struct Tiles { int corners[4]; f32 right, below; };  // where their tables begin, and shares

// Which two tiles a row, or column, lies between, and the second one's share.
DEVICE f32 share_of(int position, f32 tile_part, int tiles, int& first, int& second) {
    const f32 place = (f32)position * tile_part - 0.5f, before = floorf(place);
    first = most((int)before, 0), second = least((int)before + 1, tiles - 1);
    return place - before;
}

DEVICE Tiles mixed_tiles(const Spot& at, f32 row_part, f32 column_part, int tiles, int bins) {
    int above, below, left, right;
    const f32 down = share_of(at.row, row_part, tiles, above, below);
    const f32 across = share_of(at.column, column_part, tiles, left, right);
    return {{(above * tiles + left) * bins, (above * tiles + right) * bins, (below * tiles + left) * bins,
             (below * tiles + right) * bins}, across, down};
}

DEVICE u32 mixed(const T* tables, const Tiles& tiles, u32 value) {
    f32 looked_up[4];
    UNROLL for (int i = 0; i < 4; i++) looked_up[i] = (f32)__ldg(tables + tiles.corners[i] + value);
    const f32 upper = looked_up[0] * (1.0f - tiles.right) + looked_up[1] * tiles.right;
    const f32 lower = looked_up[2] * (1.0f - tiles.right) + looked_up[3] * tiles.right;
    return rounded(upper * (1.0f - tiles.below) + lower * tiles.below);
}
