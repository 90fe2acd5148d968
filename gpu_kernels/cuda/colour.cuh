// Colours turned into hue, saturation and value, or into luma and two differences, and back, as OpenCV does it: whole
// groups of pixels by vectors, those left over at the end of a row one by one, which rounds in other places.

struct Hsv { f32 hue, saturation, value; };
struct Colour { f32 red, green, blue; };
struct Luma { int luma, red, blue; };

// Whether a pixel is beyond the last whole group of its row.
DEVICE bool is_alone(const Spot& at, int group) { return at.column >= at.columns - at.columns % group; }

DEVICE int clipped_int(int v) { return v < 0 ? 0 : v > (int)WHITE ? (int)WHITE : v; }

// ---- hue (degrees, or pairs of them), saturation and value ----

DEVICE Hsv hsv_of(f32 r, f32 g, f32 b, bool alone) {
    constexpr f32 smallest = 1.1920928955078125e-07f;  // so that nothing is divided by 0
    const f32 value = fmaxf(fmaxf(r, g), b), range = value - fminf(fminf(r, g), b);
    const f32 saturation = range / (fabsf(value) + smallest), turn = 60.0f / (range + smallest);
    if (value == g && value != r) return {fmaf(b - r, turn, 120.0f), saturation, value};
    if (value != r) return {fmaf(r - g, turn, 240.0f), saturation, value};
    if (!alone) return {fmaf(g - b, turn, g < b ? 360.0f : 0.0f), saturation, value};
    const f32 hue = (g - b) * turn;
    return {hue < 0 ? hue + 360.0f : hue, saturation, value};
}

// Where each colour lies between its least and greatest part; ``sectors_each`` of the six a unit of hue is.
DEVICE Colour colour_of(Hsv hsv, f32 sectors_each) {
    const f32 s = hsv.saturation, v = hsv.value, place = hsv.hue * sectors_each, whole = truncf(place);
    const f32 within = place - whole;
    const int sector = (int)(whole - truncf(whole * (1.0f / 6.0f)) * 6.0f);
    const f32 low = v * (1.0f - s), falling = v * fmaf(-s, within, 1.0f);
    const f32 rising = v * fmaf(-s, 1.0f - within, 1.0f);
    if (sector < 1) return {v, rising, low};
    if (sector == 1) return {falling, v, low};
    if (sector == 2) return {low, v, rising};
    if (sector == 3) return {low, falling, v};
    if (sector == 4) return {rising, low, v};
    return {v, low, falling};
}

// Bytes hold hues in pairs of degrees. Divisions by the value and by the range are products with 12 bits.
DEVICE int twelve_bits(int numerator, int denominator) {
    return denominator ? (int)rintf((f32)numerator / (f32)denominator) : 0;
}

DEVICE void hsv_of_bytes(u32* v) {
    const int r = (int)v[0], g = (int)v[1], b = (int)v[2];
    const int value = most(most(r, g), b), range = value - least(least(r, g), b);
    const int place = value == r ? g - b : value == g ? b - r + 2 * range : r - g + 4 * range;
    const int hue = (place * twelve_bits(30 << 12, range) + (1 << 11)) >> 12;
    v[0] = (u32)(hue < 0 ? hue + 180 : hue);
    v[1] = (u32)((range * twelve_bits(255 << 12, value) + (1 << 11)) >> 12);
    v[2] = (u32)value;
}

DEVICE u32 byte_of(f32 part, bool alone) {
    const f32 scaled = part * 255.0f;
    return alone ? rounded(scaled) : (u32)(int)scaled;
}

DEVICE void bytes_of_hsv(u32* v, bool alone) {
    const Hsv hsv = {(f32)v[0], (f32)v[1] * (1.0f / 255.0f), (f32)v[2] * (1.0f / 255.0f)};
    const Colour colour = colour_of(hsv, 6.0f / 180.0f);
    v[0] = byte_of(colour.red, alone), v[1] = byte_of(colour.green, alone), v[2] = byte_of(colour.blue, alone);
}

DEVICE f32 more_saturated(f32 saturation, f32 factor) { return fminf(fmaxf(saturation * factor, 0.0f), 1.0f); }

DEVICE f32 turned_by(f32 hue, f32 degrees) {
    const f32 sum = hue + degrees, positive = sum < 0 ? sum + 360.0f : sum;
    return positive >= 360.0f ? positive - 360.0f : positive;
}

// A pixel of floats, or of 16 bits as floats of 0 to 1, with its hue and saturation changed.
template <typename V> DEVICE void through_hsv(V* v, bool alone, f32 factor, f32 degrees, bool turns) {
    constexpr bool whole = !Same<V, f32>::value;
    constexpr f32 white = whole ? (f32)WHITE : 1.0f;
    Hsv hsv = hsv_of((f32)v[0] / white, (f32)v[1] / white, (f32)v[2] / white, alone);
    if (turns)
        hsv.hue = turned_by(hsv.hue, degrees);
    else
        hsv.saturation = more_saturated(hsv.saturation, factor);
    const Colour colour = colour_of(hsv, 6.0f / 360.0f);
    if constexpr (whole) {
        v[0] = rounded(colour.red * white), v[1] = rounded(colour.green * white);
        v[2] = rounded(colour.blue * white);
    } else {
        v[0] = colour.red, v[1] = colour.green, v[2] = colour.blue;
    }
}

// ---- luma and the differences of red and blue from it, of integers: products with 14 bits ----

constexpr int HALF_WHITE = (int)WHITE / 2 + 1;

DEVICE int descaled(int product) { return (product + (1 << 13)) >> 14; }

DEVICE Luma luma_of(const u32* v) {
    const int r = (int)v[0], g = (int)v[1], b = (int)v[2];
    const int luma = descaled(r * 4899 + g * 9617 + b * 1868);
    const int red = descaled((r - luma) * 11682 + (HALF_WHITE << 14));
    const int blue = descaled((b - luma) * 9241 + (HALF_WHITE << 14));
    return {luma, clipped_int(red), clipped_int(blue)};
}

DEVICE void colour_of_luma(u32* v, Luma from) {
    const int red = from.red - HALF_WHITE, blue = from.blue - HALF_WHITE;
    v[0] = (u32)clipped_int(from.luma + descaled(red * 22987));
    v[1] = (u32)clipped_int(from.luma + descaled(blue * -5636 + red * -11698));
    v[2] = (u32)clipped_int(from.luma + descaled(blue * 29049));
}

// ---- sums of all three colours ----

// Bytes: products with 10 bits, in 32 bits that may overflow as OpenCV's do.
DEVICE u32 mixed_bytes(const u32* was, int red, int green, int blue, int added) {
    const u32 sum = was[0] * (u32)red + was[1] * (u32)green + was[2] * (u32)blue + (u32)added;
    return (u32)clipped_int((int)(sum + (1u << 9)) >> 10);
}

// 16 bits, around the middle of their range, where OpenCV rounds to signed ones.
DEVICE u32 mixed_words(const u32* was, f32 red, f32 green, f32 blue, f32 added) {
    const f32 sum = fmaf((f32)was[0], red, fmaf((f32)was[1], green, fmaf((f32)was[2], blue, added)));
    return (u32)clipped_int((int)rintf(sum) + HALF_WHITE);
}
