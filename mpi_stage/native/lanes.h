/* Pixels as vectors of four floats, and floats as the values of an image. */

#ifndef HALOROW_LANES_H
#define HALOROW_LANES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define HALOROW_INLINE static inline __attribute__((always_inline))

typedef float Four __attribute__((vector_size(16)));
typedef int32_t FourInts __attribute__((vector_size(16)));
typedef uint8_t FourBytes __attribute__((vector_size(4)));
typedef uint16_t FourShorts __attribute__((vector_size(8)));

/* Added to and taken from a float of 0 to 2²², it leaves the nearest whole number, halves to even. */
#define HALOROW_ROUNDING 12582912.0f

HALOROW_INLINE Four four_uint8(const uint8_t *at)
{
    const FourInts places = {0, 8, 16, 24};
    int32_t together;
    memcpy(&together, at, sizeof together);
    FourInts values = (FourInts){together, together, together, together} >> places & 255;
    return __builtin_convertvector(values, Four);
}

HALOROW_INLINE Four four_uint16(const uint16_t *at)
{
    const FourInts places = {0, 16, 0, 16};
    int32_t together[2];
    memcpy(&together, at, sizeof together);
    FourInts values = (FourInts){together[0], together[0], together[1], together[1]} >> places & 65535;
    return __builtin_convertvector(values, Four);
}

HALOROW_INLINE Four four_float32(const float *at)
{
    Four values;
    memcpy(&values, at, sizeof values);
    return values;
}

HALOROW_INLINE float rounded_to(float value, float white)
{
    value = value > 0.0f ? value : 0.0f;
    value = value < white ? value : white;
    return (value + HALOROW_ROUNDING) - HALOROW_ROUNDING;
}

HALOROW_INLINE uint8_t as_uint8(float value)
{
    return (uint8_t)(int32_t)rounded_to(value, 255.0f);
}

HALOROW_INLINE uint16_t as_uint16(float value)
{
    return (uint16_t)(int32_t)rounded_to(value, 65535.0f);
}

/* Not-a-number has one spelling in results. */
HALOROW_INLINE float as_float32(float value)
{
    return value == value ? value : NAN;
}

HALOROW_INLINE FourInts four_rounded(Four values, float white)
{
    Four most = {white, white, white, white};
    values = (Four)((FourInts)values & (values > 0.0f));
    FourInts below = values < most;
    values = (Four)(((FourInts)values & below) | ((FourInts)most & ~below));
    return __builtin_convertvector((values + HALOROW_ROUNDING) - HALOROW_ROUNDING, FourInts);
}

/* Store the first `channels` of four sums as values of an image. */
HALOROW_INLINE void put_uint8(Four sums, uint8_t *to, Py_ssize_t channels)
{
    FourBytes values = __builtin_convertvector(four_rounded(sums, 255.0f), FourBytes);
    memcpy(to, &values, (size_t)channels * sizeof *to);
}

HALOROW_INLINE void put_uint16(Four sums, uint16_t *to, Py_ssize_t channels)
{
    FourShorts values = __builtin_convertvector(four_rounded(sums, 65535.0f), FourShorts);
    memcpy(to, &values, (size_t)channels * sizeof *to);
}

HALOROW_INLINE void put_float32(Four sums, float *to, Py_ssize_t channels)
{
    for (Py_ssize_t c = 0; c < channels; c++)
        to[c] = as_float32(sums[c]);
}

#endif
