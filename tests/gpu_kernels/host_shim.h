// Lets g++ compile the CUDA kernels, so that a CPU can run them thread by thread: they share nothing.

#include <stddef.h>
#include <string.h>

// All that kernels use of the library; its header in C++ takes longer to compile than most kernels.
extern "C" {
double copysign(double, double), fabs(double), fma(double, double, double), fmin(double, double), pow(double, double), rint(double), sqrt(double);
float expf(float), fabsf(float), floorf(float), fmaf(float, float, float), fmaxf(float, float), fminf(float, float), rintf(float),
    sqrtf(float), truncf(float);
}

#define HALOROW_HOST 1
#define DEVICE static inline
#define KERNEL extern "C" void
#define CONSTANT static constexpr
#define __ldg(p) (*(p))

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;
typedef float f32;

struct uint2 { u32 x, y; };
struct alignas(16) uint4 { u32 x, y, z, w; };
struct Index { int x, y; };
static Index threadIdx, blockIdx, blockDim;

static inline uint2 make_uint2(u32 x, u32 y) { return {x, y}; }
static inline uint4 make_uint4(u32 x, u32 y, u32 z, u32 w) { return {x, y, z, w}; }

static inline u32 __byte_perm(u32 a, u32 b, u32 selector) {
    const u64 both = (u64)b << 32 | a;
    u32 result = 0;
    for (int i = 0; i < 4; i++) result |= (u32)(both >> (selector >> 4 * i & 7) * 8 & 255) << 8 * i;
    return result;
}
static inline u32 __funnelshift_r(u32 low, u32 high, u32 shift) { return (u32)(((u64)high << 32 | low) >> (shift & 31)); }
static inline u32 __vminu2(u32 a, u32 b) {
    const u32 low = (a & 0xffff) < (b & 0xffff) ? a & 0xffff : b & 0xffff;
    return low | ((a >> 16) < (b >> 16) ? a >> 16 : b >> 16) << 16;
}
static inline u32 __vmaxu2(u32 a, u32 b) {
    const u32 low = (a & 0xffff) > (b & 0xffff) ? a & 0xffff : b & 0xffff;
    return low | ((a >> 16) > (b >> 16) ? a >> 16 : b >> 16) << 16;
}
static inline u32 __dp2a_lo(u32 pair, u32 bytes, u32 sum) {
    return sum + (pair & 0xffff) * (bytes & 255) + (pair >> 16) * (bytes >> 8 & 255);
}
static inline f32 __uint_as_float(u32 bits) { f32 v; memcpy(&v, &bits, 4); return v; }
static inline u32 __float_as_uint(f32 v) { u32 bits; memcpy(&bits, &v, 4); return bits; }
static inline double __longlong_as_double(i64 bits) { double v; memcpy(&v, &bits, 8); return v; }
static inline f32 __fadd_rn(f32 a, f32 b) { return a + b; }
static inline f32 __fmul_rn(f32 a, f32 b) { return a * b; }

// Calling a kernel with the addresses of its arguments, as a launch does.
template <size_t... I> struct Indices {};
template <size_t N, size_t... I> struct Counted { typedef typename Counted<N - 1, N - 1, I...>::type type; };
template <size_t... I> struct Counted<0, I...> { typedef Indices<I...> type; };
