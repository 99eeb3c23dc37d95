// Vectors of 16 bytes, by the compiler's extensions: one source for WebAssembly, x86-64 and ARM64.
//
// Three operations have no spelling in the extensions that compilers turn into the one instruction there is:
// `dot` and the narrowing ones. They are spelt out below, and by name for WebAssembly and x86. All additions wrap
// around. Byte order is little-endian, as on every machine that these modules run on.

#ifndef VFA_VECTOR_H
#define VFA_VECTOR_H

#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "words are put together from bytes in little-endian order"
#endif

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int8_t i8x16 __attribute__((vector_size(16)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef int16_t i16x8 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef uint64_t u64x2 __attribute__((vector_size(16)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef uint8_t u8x8 __attribute__((vector_size(8)));
typedef int16_t i16x4 __attribute__((vector_size(8)));

#define VECTOR static inline __attribute__((always_inline))

#define LOAD(type, from)                          \
  ({                                              \
    type loaded_;                                 \
    __builtin_memcpy(&loaded_, from, sizeof(type)); \
    loaded_;                                      \
  })
#define STORE(to, value)                             \
  do {                                               \
    const __typeof__(value) stored_ = (value);       \
    __builtin_memcpy(to, &stored_, sizeof(stored_)); \
  } while (0)

VECTOR u8x16 all_u8(uint8_t value) { return value - (u8x16){0}; }
VECTOR i16x8 all_i16(int16_t value) { return value - (i16x8){0}; }
VECTOR i32x4 all_i32(int32_t value) { return value - (i32x4){0}; }

// The same two values in turn, the factors of `dot`.
VECTOR i16x8 pairs_of(int first, int second) {
  return (i16x8)all_i32((int32_t)((uint32_t)(uint16_t)first | (uint32_t)(uint16_t)second << 16));
}

VECTOR i16x8 add16(i16x8 a, i16x8 b) { return (i16x8)((u16x8)a + (u16x8)b); }
VECTOR i16x8 sub16(i16x8 a, i16x8 b) { return (i16x8)((u16x8)a - (u16x8)b); }
VECTOR i32x4 add32(i32x4 a, i32x4 b) { return (i32x4)((u32x4)a + (u32x4)b); }
VECTOR i32x4 sub32(i32x4 a, i32x4 b) { return (i32x4)((u32x4)a - (u32x4)b); }

// Halves of two vectors, lane by lane in turn.
VECTOR i16x8 low16(i16x8 a, i16x8 b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
VECTOR i16x8 high16(i16x8 a, i16x8 b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
VECTOR i32x4 low32(i32x4 a, i32x4 b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
VECTOR i32x4 high32(i32x4 a, i32x4 b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
VECTOR i32x4 lows64(i32x4 a, i32x4 b) { return __builtin_shufflevector(a, b, 0, 1, 4, 5); }
VECTOR i32x4 highs64(i32x4 a, i32x4 b) { return __builtin_shufflevector(a, b, 2, 3, 6, 7); }

VECTOR i32x4 widened_low(i16x8 a) { return __builtin_convertvector(__builtin_shufflevector(a, a, 0, 1, 2, 3), i32x4); }
VECTOR i32x4 widened_high(i16x8 a) { return __builtin_convertvector(__builtin_shufflevector(a, a, 4, 5, 6, 7), i32x4); }
VECTOR i16x8 widened_u8(u8x8 a) { return __builtin_convertvector(a, i16x8); }

// Products of neighbours, added in pairs.
VECTOR i32x4 dot(i16x8 a, i16x8 b) {
#if defined(__wasm_simd128__)
  return (i32x4)wasm_i32x4_dot_i16x8((v128_t)a, (v128_t)b);
#elif defined(__SSE2__)
  return (i32x4)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
  const i32x4 even = __builtin_convertvector(__builtin_shufflevector(a, a, 0, 2, 4, 6), i32x4) *
                     __builtin_convertvector(__builtin_shufflevector(b, b, 0, 2, 4, 6), i32x4);
  const i32x4 odd = __builtin_convertvector(__builtin_shufflevector(a, a, 1, 3, 5, 7), i32x4) *
                    __builtin_convertvector(__builtin_shufflevector(b, b, 1, 3, 5, 7), i32x4);
  return add32(even, odd);
#endif
}

#define CLAMPED(type, value, least, most)                  \
  ({                                                       \
    type clamped_ = (value);                               \
    const type over_ = (type)(clamped_ > (most));          \
    clamped_ = (clamped_ & ~over_) | ((most) & over_);     \
    const type under_ = (type)(clamped_ < (least));        \
    (clamped_ & ~under_) | ((least) & under_);             \
  })

// Two vectors as one of lanes half as wide; what does not fit becomes the nearest value that does.
VECTOR i16x8 narrowed_i16(i32x4 a, i32x4 b) {
#if defined(__wasm_simd128__)
  return (i16x8)wasm_i16x8_narrow_i32x4((v128_t)a, (v128_t)b);
#elif defined(__SSE2__)
  return (i16x8)_mm_packs_epi32((__m128i)a, (__m128i)b);
#else
  const i32x4 least = all_i32(-32768), most = all_i32(32767);
  return (i16x8)__builtin_shufflevector((i16x8)CLAMPED(i32x4, a, least, most), (i16x8)CLAMPED(i32x4, b, least, most),
                                        0, 2, 4, 6, 8, 10, 12, 14);
#endif
}

VECTOR u8x16 narrowed_u8(i16x8 a, i16x8 b) {
#if defined(__wasm_simd128__)
  return (u8x16)wasm_u8x16_narrow_i16x8((v128_t)a, (v128_t)b);
#elif defined(__SSE2__)
  return (u8x16)_mm_packus_epi16((__m128i)a, (__m128i)b);
#else
  const i16x8 least = all_i16(0), most = all_i16(255);
  return __builtin_shufflevector((u8x16)CLAMPED(i16x8, a, least, most), (u8x16)CLAMPED(i16x8, b, least, most), 0, 2, 4,
                                 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#endif
}

VECTOR i16x8 between16(i16x8 a, int16_t least, int16_t most) {
#if defined(__wasm_simd128__)
  return (i16x8)wasm_i16x8_min(wasm_i16x8_max((v128_t)a, (v128_t)all_i16(least)), (v128_t)all_i16(most));
#elif defined(__SSE2__)
  return (i16x8)_mm_min_epi16(_mm_max_epi16((__m128i)a, (__m128i)all_i16(least)), (__m128i)all_i16(most));
#else
  return CLAMPED(i16x8, a, all_i16(least), all_i16(most));
#endif
}

// 8 × 8 lanes, rows for columns.
VECTOR void transpose(i16x8 r[8]) {
  const i16x8 a0 = low16(r[0], r[4]), a1 = high16(r[0], r[4]), a2 = low16(r[1], r[5]), a3 = high16(r[1], r[5]);
  const i16x8 a4 = low16(r[2], r[6]), a5 = high16(r[2], r[6]), a6 = low16(r[3], r[7]), a7 = high16(r[3], r[7]);
  const i16x8 b0 = low16(a0, a4), b1 = high16(a0, a4), b2 = low16(a1, a5), b3 = high16(a1, a5);
  const i16x8 b4 = low16(a2, a6), b5 = high16(a2, a6), b6 = low16(a3, a7), b7 = high16(a3, a7);
  r[0] = low16(b0, b4), r[1] = high16(b0, b4), r[2] = low16(b1, b5), r[3] = high16(b1, b5);
  r[4] = low16(b2, b6), r[5] = high16(b2, b6), r[6] = low16(b3, b7), r[7] = high16(b3, b7);
}

// The highest bit of each lane.
VECTOR uint32_t sign_bits(i8x16 a) {
#if defined(__wasm_simd128__)
  return wasm_i8x16_bitmask((v128_t)a);
#elif defined(__SSE2__)
  return (uint32_t)_mm_movemask_epi8((__m128i)a);
#else
  uint32_t bits = 0;
  for (int lane = 0; lane < 16; lane++) bits |= (uint32_t)(a[lane] < 0) << lane;
  return bits;
#endif
}

// The first lane that differs from zero, of one that has some.
VECTOR int first_set(i8x16 a) {
  const u64x2 halves = (u64x2)a;
  return halves[0] ? __builtin_ctzll(halves[0]) >> 3 : 8 + (__builtin_ctzll(halves[1]) >> 3);
}

#endif
