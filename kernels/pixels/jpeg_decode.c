// Baseline JPEG to planes (ITU-T T.81: frames SOF0 and SOF1 with 8 bits, one scan that holds all components).
//
// What it computes. Each component becomes a plane of its own samples, neither brought to the size of the others nor
// converted to other colours. A block of 8 × 8 becomes 8 × 8, 4 × 4, 2 × 2 samples or one, as the caller says for luma
// and for chroma: the picture at 1/1, 1/2, 1/4, 1/8.
//
//   headers        T.81 annex B. Each number that later indexes something is checked once, where it is read.
//   Huffman codes  annexes C and F.2.2. Ten bits of look-ahead find a code of at most ten bits and, where it fits, the
//                  coefficient behind it; longer codes are searched by length (figure F.16).
//   restarts       annex E.2.4. A marker that is missing or out of order is dealt with as libjpeg's
//                  jpeg_resync_to_restart does.
//   dequantising   A.3.4, to 16 bits, wrapping around. No encoder's picture comes near that.
//   8 × 8          libjpeg's accurate integer transform (jidctint.c, "ISLOW", after Loeffler, Ligtenberg and
//                  Moschytz): columns, then rows; constants with 13 bits after the point, 2 bits kept between the
//                  passes, sums in 32 bits. Bit for bit what IJG's libjpeg and libjpeg-turbo give.
//   4 × 4, 2 × 2   the transforms of those sizes on the lowest frequencies, with the same constants: what IJG's libjpeg
//                  gives since release 7. libjpeg-turbo has others, from release 6b, and differs by a few levels.
//   1 × 1          the mean, (DC + 4) >> 3 above 128: the same in both.
//   damage         is passed over as both libraries do: a code that does not exist counts as 0 and takes 17 bits, and
//                  where a segment's bits run out before a marker, one unit reads zeros, and those behind it are grey
//                  up to the next restart. jpeg_damage() tells the row. Where instead the file ends without a marker,
//                  nothing is made up: JPEG_CUT_SHORT.
//
// How it streams. Bytes are taken in as they come: escapes (FF 00) are undone, fill bytes dropped, and four bytes
// turned into a word, 16 at a time, into a window of 64 KiB. A unit (MCU) of at most ten blocks takes at most MOST_UNIT
// bytes: 64 symbols a block, each 17 bits of code and 15 of value. A unit is decoded when so many are there, or when
// its segment is known to have ended, and then zeros stand behind it. So a unit never has to be undone. The window, the
// tables and one row of units are all the state there is; it is bounded by MOST_MEMORY, and jpeg_memory() tells it.
//
// Bounds. The hot loops index three kinds of memory. Arrays of fixed size: by values whose range the compiler sees (a
// shift of 64 bits by 54, `& 63`); with the bounds sanitizer, which this file is compiled with, what it does not see
// traps. The window: by the paragraph above. The rows of the planes: the unit's place, below the counts that
// `allocate` took the rows for.

#include "jpeg_decode.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "vector.h"

enum {
  LOOKAHEAD = 10,
  MOST_BLOCKS = 10,           // of a unit: T.81 B.2.3
  MOST_UNIT = 64 * 4 * MOST_BLOCKS + 8,
  WINDOW = 1 << 16,
  PADDING = MOST_UNIT + 64,
  MOST_SEGMENT = 4096,        // four tables of each kind are 2.7 KB, and none may be given twice in a segment
  MOST_MEMORY = 3 << 20,
  BAD_CODE = 17,              // bits that are lost by a code that does not exist
};

enum { SOF0 = 0xC0, SOF1 = 0xC1, DHT = 0xC4, DAC = 0xCC, RST0 = 0xD0, RST7 = 0xD7, SOI = 0xD8, EOI = 0xD9, SOS = 0xDA };
enum { DQT = 0xDB, DRI = 0xDD, APP0 = 0xE0, APP15 = 0xEF, COM = 0xFE };

typedef enum { AT_START, AT_MARKER, AT_LENGTH, IN_SEGMENT, IN_SKIPPED, IN_SCAN, AT_END } Place;

// An entry of `fast` is 0 for a longer code. Else bits 0–5 are how many bits it takes, 6–9 the run, 10–13 how many bits
// of value follow; with bit 15 they are among those it takes, and the value is in bits 16–31.
typedef struct {
  uint32_t fast[1 << LOOKAHEAD];
  int32_t last[17], offset[17];  // by length: the last code, -1 for none; from a code to its symbol's place
  uint8_t symbols[256];
  bool given;
} Huffman;

typedef struct {
  int name, across, down, quantisation, direct, alternating;
  int size;            // samples that a block becomes
  uint32_t predicted;  // DC, before it is dequantised; wraps around
  uint8_t *rows;
  int stride, width, height;
} Component;

typedef struct {
  uint64_t held;  // the next bits, from the top
  int count;
  uint32_t position;  // the next word
} Bits;

struct JpegDecoder {
  Place place;
  JpegStatus failure;
  int sizes[2];
  int marker, length;
  uint8_t segment[MOST_SEGMENT];
  int collected;

  int width, height, count, interval;
  int most_across, most_down, units_across, units_down;
  uint16_t quantisation[4][64];
  bool quantised[4];
  Huffman direct[4], alternating[4];
  Component components[JPEG_MOST_COMPONENTS];
  int order[JPEG_MOST_COMPONENTS];  // of the components in the scan
  uint8_t *rows;
  size_t rows_length;

  int column, row;      // the next unit
  int until_restart, next_restart;
  bool ended;           // no more bytes
  bool escaped;         // the last byte was FF
  int found;            // the marker that ends the segment, 0 for none yet
  bool sealed;          // zeros stand behind what is left of the segment
  bool starved;         // bits of the segment have run out
  int damage;
  Bits bits;
  uint32_t filled, swapped;  // bytes in the window; those of them that are words
  _Alignas(16) int16_t block[64];
  _Alignas(16) uint32_t words[(WINDOW + PADDING) / 4];
};

// Zigzag order to rows and columns; a run may lead past the last coefficient, to which it then counts.
static const uint8_t NATURAL[128] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63};

// ---- Headers ----

static int word_of(const uint8_t *at) { return at[0] << 8 | at[1]; }

static int extended(uint32_t bits, int size) {
  return bits < 1u << (size - 1) ? (int)bits + 1 - (1 << size) : (int)bits;
}

// T.81 annex C. `symbols` follow the 16 counts, and were counted.
static bool read_codes(Huffman *table, const uint8_t *counts, const uint8_t *symbols, int count, bool direct) {
  memset(table, 0, sizeof(*table));
  memcpy(table->symbols, symbols, (size_t)count);
  uint32_t code = 0;
  int place = 0;
  for (int length = 1; length <= 16; length++) {
    const int many = counts[length - 1];
    table->offset[length] = place - (int)code;
    for (int each = 0; each < many; each++, code++, place++) {
      const int symbol = table->symbols[place & 255], run = direct ? 0 : symbol >> 4, size = direct ? symbol : symbol & 15;
      if (size > 15) return false;
      if (length > LOOKAHEAD || code >> length) continue;
      const int spare = LOOKAHEAD - length;
      for (uint32_t rest = 0; rest < 1u << spare; rest++) {
        uint32_t entry = (uint32_t)(size << 10 | run << 6 | length);
        if (size && size <= spare) {
          const int value = extended(rest >> (spare - size), size);
          entry = (uint32_t)value << 16 | 0x8000u | (uint32_t)(run << 6 | (length + size));
        }
        table->fast[(code << spare | rest) & ((1 << LOOKAHEAD) - 1)] = entry;
      }
    }
    table->last[length] = many ? (int)code - 1 : -1;
    if (many && code >= 1u << length) return false;  // a code of all ones is none
    code <<= 1;
  }
  table->given = true;
  return true;
}

static JpegStatus read_huffman(JpegDecoder *decoder, const uint8_t *at, int left) {
  while (left > 0) {
    if (left < 17) return JPEG_BROKEN;
    const int kind = at[0] >> 4, place = at[0] & 15;
    int count = 0;
    for (int length = 1; length <= 16; length++) count += at[length];
    if (kind > 1 || place > 3 || count > 256 || left < 17 + count) return JPEG_BROKEN;
    Huffman *const table = kind ? &decoder->alternating[place] : &decoder->direct[place];
    if (!read_codes(table, at + 1, at + 17, count, !kind)) return JPEG_BROKEN;
    at += 17 + count, left -= 17 + count;
  }
  return JPEG_MORE;
}

static JpegStatus read_quantisation(JpegDecoder *decoder, const uint8_t *at, int left) {
  while (left > 0) {
    const int wide = at[0] >> 4, place = at[0] & 15, length = 1 + (64 << wide);
    if (wide > 1 || place > 3 || left < length) return JPEG_BROKEN;
    for (int k = 0; k < 64; k++)
      decoder->quantisation[place][k] = wide ? (uint16_t)word_of(at + 1 + 2 * k) : at[1 + k];
    decoder->quantised[place] = true;
    at += length, left -= length;
  }
  return JPEG_MORE;
}

static JpegStatus read_frame(JpegDecoder *decoder, const uint8_t *at, int length) {
  if (decoder->count || length < 6 || length != 6 + 3 * at[5]) return JPEG_BROKEN;
  if (at[0] != 8 || (at[5] != 1 && at[5] != 3)) return JPEG_UNSUPPORTED;
  decoder->height = word_of(at + 1), decoder->width = word_of(at + 3);
  if (!decoder->width || !decoder->height) return JPEG_BROKEN;
  const int count = at[5];
  int blocks = 0;
  for (int part = 0; part < count; part++) {
    const uint8_t *const from = at + 6 + 3 * part;
    Component *const component = &decoder->components[part];
    component->name = from[0], component->across = from[1] >> 4, component->down = from[1] & 15;
    component->quantisation = from[2];
    if (component->across < 1 || component->across > 4 || component->down < 1 || component->down > 4) return JPEG_BROKEN;
    if (component->quantisation > 3) return JPEG_BROKEN;
    if (count == 1) component->across = component->down = 1;  // alone, a component is not interleaved: A.2.2
    if (component->across > decoder->most_across) decoder->most_across = component->across;
    if (component->down > decoder->most_down) decoder->most_down = component->down;
    blocks += component->across * component->down;
    component->size = decoder->sizes[part > 0];
  }
  if (blocks > MOST_BLOCKS) return JPEG_BROKEN;
  decoder->count = count;
  decoder->units_across = (decoder->width + 8 * decoder->most_across - 1) / (8 * decoder->most_across);
  decoder->units_down = (decoder->height + 8 * decoder->most_down - 1) / (8 * decoder->most_down);
  return JPEG_MORE;
}

// One row of units of each wanted component; up to 16 samples behind it may be written and read.
static JpegStatus allocate(JpegDecoder *decoder) {
  size_t lengths[JPEG_MOST_COMPONENTS] = {0}, length = 0;
  for (int part = 0; part < decoder->count; part++) {
    Component *const component = &decoder->components[part];
    const int64_t across = (int64_t)component->across * component->size, down = (int64_t)component->down * component->size;
    const int64_t of = 8 * decoder->most_across, below = 8 * decoder->most_down;
    component->width = (int)((decoder->width * across + of - 1) / of);
    component->height = (int)((decoder->height * down + below - 1) / below);
    component->stride = (int)(decoder->units_across * across);
    lengths[part] = component->size ? (size_t)component->stride * (size_t)down + 16 : 0;
    length += lengths[part];
  }
  if (length + sizeof(*decoder) > MOST_MEMORY) return JPEG_UNSUPPORTED;
  decoder->rows = calloc(1, length + 1);
  if (!decoder->rows) return JPEG_NO_MEMORY;
  decoder->rows_length = length;
  length = 0;
  for (int part = 0; part < decoder->count; part++) {
    decoder->components[part].rows = decoder->rows + length;
    length += lengths[part];
  }
  return JPEG_MORE;
}

static JpegStatus read_scan(JpegDecoder *decoder, const uint8_t *at, int length) {
  const int count = decoder->count;
  if (!count || length < 1 || length != 4 + 2 * at[0] || at[0] < 1 || at[0] > count) return JPEG_BROKEN;
  if (at[0] != count) return JPEG_UNSUPPORTED;
  bool seen[JPEG_MOST_COMPONENTS] = {false};
  for (int each = 0; each < count; each++) {
    int part = 0;
    while (part < count && (seen[part] || decoder->components[part].name != at[1 + 2 * each])) part++;
    if (part == count) return JPEG_BROKEN;
    Component *const component = &decoder->components[part];
    seen[part] = true;
    decoder->order[each] = part;
    component->direct = at[2 + 2 * each] >> 4, component->alternating = at[2 + 2 * each] & 15;
    if (component->direct > 3 || component->alternating > 3) return JPEG_BROKEN;
    if (!decoder->direct[component->direct].given || !decoder->alternating[component->alternating].given)
      return JPEG_BROKEN;
    if (!decoder->quantised[component->quantisation]) return JPEG_BROKEN;
  }
  const uint8_t *const spectrum = at + 1 + 2 * count;
  if (spectrum[0] != 0 || spectrum[1] != 63 || spectrum[2] != 0) return JPEG_BROKEN;
  decoder->until_restart = decoder->interval;
  return allocate(decoder);
}

static JpegStatus read_segment(JpegDecoder *decoder) {
  const uint8_t *const at = decoder->segment;
  const int length = decoder->collected;
  decoder->place = AT_MARKER;
  switch (decoder->marker) {
    case DHT: return read_huffman(decoder, at, length);
    case DQT: return read_quantisation(decoder, at, length);
    case SOF0:
    case SOF1: return read_frame(decoder, at, length);
    case DRI:
      if (length != 2) return JPEG_BROKEN;
      decoder->interval = word_of(at);
      return JPEG_MORE;
    default:
      decoder->place = IN_SCAN;
      return read_scan(decoder, at, length);
  }
}

static JpegStatus read_marker(JpegDecoder *decoder, int marker) {
  decoder->marker = marker;
  decoder->place = AT_LENGTH;
  decoder->length = -1;
  if (marker == DHT || marker == DQT || marker == DRI || marker == SOS || marker == SOF0 || marker == SOF1)
    return JPEG_MORE;
  if ((marker >= APP0 && marker <= APP15) || marker == COM) return JPEG_MORE;
  return marker > SOF1 && marker < RST0 ? JPEG_UNSUPPORTED : JPEG_BROKEN;
}

// Everything before the scan's data.
static JpegStatus read_header(JpegDecoder *decoder, const uint8_t **data, const uint8_t *end) {
  JpegStatus status = JPEG_MORE;
  while (*data < end && status == JPEG_MORE && decoder->place != IN_SCAN) {
    const int byte = **data;
    switch (decoder->place) {
      case AT_START:
        ++*data;
        if (byte != (decoder->escaped ? SOI : 0xFF)) return JPEG_BROKEN;
        if (decoder->escaped) decoder->place = AT_MARKER;
        decoder->escaped = !decoder->escaped;
        break;
      case AT_MARKER:
        ++*data;
        if (byte == 0xFF) {
          decoder->escaped = true;
        } else if (decoder->escaped) {
          decoder->escaped = false;
          status = read_marker(decoder, byte);
        } else {
          return JPEG_BROKEN;
        }
        break;
      case AT_LENGTH:
        ++*data;
        if (decoder->length < 0) {
          decoder->length = byte;
          break;
        }
        decoder->length = (decoder->length << 8 | byte) - 2;
        decoder->collected = 0;
        if (decoder->length < 0) return JPEG_BROKEN;
        decoder->place = decoder->marker >= APP0 ? IN_SKIPPED : IN_SEGMENT;
        if (decoder->place == IN_SEGMENT && decoder->length > MOST_SEGMENT) return JPEG_BROKEN;
        if (!decoder->length) {
          if (decoder->place == IN_SEGMENT) return JPEG_BROKEN;
          decoder->place = AT_MARKER;
        }
        break;
      default: {
        const int wanted = decoder->length - decoder->collected;
        const int taken = end - *data < wanted ? (int)(end - *data) : wanted;
        if (decoder->place == IN_SEGMENT) memcpy(decoder->segment + decoder->collected, *data, (size_t)taken);
        decoder->collected += taken;
        *data += taken;
        if (decoder->collected < decoder->length) break;
        if (decoder->place == IN_SKIPPED)
          decoder->place = AT_MARKER;
        else
          status = read_segment(decoder);
      }
    }
  }
  return status;
}

// ---- The window ----

static void swap_words(JpegDecoder *decoder, uint32_t end) {
  uint8_t *const bytes = (uint8_t *)decoder->words;
  for (; decoder->swapped + 16 <= end; decoder->swapped += 16) {
    uint8_t *const at = bytes + decoder->swapped;
    const u8x16 group = LOAD(u8x16, at);
    STORE(at, __builtin_shufflevector(group, group, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
  }
}

static void clear_window(JpegDecoder *decoder) {
  decoder->bits = (Bits){0};
  decoder->filled = decoder->swapped = 0;
  decoder->sealed = false;
}

// Drop the words that were read, in groups of four, for those swapped are groups of four.
static void compact(JpegDecoder *decoder) {
  const uint32_t read = decoder->bits.position * 4 & ~15u;
  if (!read) return;
  uint8_t *const bytes = (uint8_t *)decoder->words;
  memmove(bytes, bytes + read, decoder->filled - read);
  decoder->filled -= read, decoder->swapped -= read, decoder->bits.position -= read / 4;
}

// Take in bytes up to a marker, or as many as there is room for.
static void fill(JpegDecoder *decoder, const uint8_t **data, const uint8_t *end) {
  compact(decoder);
  const uint8_t *from = *data;
  uint8_t *to = (uint8_t *)decoder->words + decoder->filled;
  const uint8_t *const limit = (uint8_t *)decoder->words + WINDOW;  // PADDING has room for a group more
  while (from < end && to < limit && !decoder->found) {
    if (decoder->escaped) {
      const int byte = *from++;
      if (byte == 0xFF) continue;
      decoder->escaped = false;
      if (byte)
        decoder->found = byte;
      else
        *to++ = 0xFF;
    } else if (end - from >= 16) {
      const u8x16 group = LOAD(u8x16, from);
      const i8x16 marks = (i8x16)(group == all_u8(0xFF));
      STORE(to, group);
      if (((u64x2)marks)[0] | ((u64x2)marks)[1]) {
        const int before = first_set(marks);
        to += before, from += before + 1;
        decoder->escaped = true;
      } else {
        to += 16, from += 16;
      }
    } else if (*from == 0xFF) {
      decoder->escaped = true;
      from++;
    } else {
      *to++ = *from++;
    }
  }
  *data = from;
  decoder->filled = (uint32_t)(to - (uint8_t *)decoder->words);
  if (decoder->found || (decoder->ended && from == end)) {
    memset(to, 0, PADDING - 16);
    swap_words(decoder, decoder->filled + PADDING - 16);
    decoder->sealed = true;
  } else {
    swap_words(decoder, decoder->filled);
  }
}

static bool has_unit(const JpegDecoder *decoder) {
  const Bits *const bits = &decoder->bits;
  return decoder->sealed || decoder->swapped + (uint32_t)bits->count / 8 >= bits->position * 4 + MOST_UNIT;
}

// ---- Blocks ----

VECTOR void refill(Bits *bits, const uint32_t *words) {
  if (bits->count > 32) return;
  bits->held |= (uint64_t)words[bits->position++] << (32 - bits->count);
  bits->count += 32;
}

VECTOR uint32_t peek(const Bits *bits, int count) { return (uint32_t)(bits->held >> (64 - count)); }

VECTOR void skip(Bits *bits, int count) {
  bits->held <<= count;
  bits->count -= count;
}

// A code longer than LOOKAHEAD: its symbol, or 256 and 0 in the low byte for one that does not exist.
static inline int long_code(Bits *bits, const Huffman *table) {
  const uint32_t next = peek(bits, 16);
  for (int length = LOOKAHEAD + 1; length <= 16; length++) {
    const int code = (int)(next >> (16 - length));
    if (code > table->last[length]) continue;
    skip(bits, length);
    return table->symbols[(code + table->offset[length]) & 255];
  }
  skip(bits, BAD_CODE);
  return 256;
}

VECTOR int value_of(Bits *bits, int size) {
  const int value = extended(peek(bits, size), size);
  skip(bits, size);
  return value;
}

// T.81 F.2.2. Coefficients below `limit` in zigzag order go, dequantised, into `block`, which is all zeros.
// Returns the last one's place; adds 256 where a code did not exist.
VECTOR int read_block(Bits *from, const uint32_t *words, Component *component, const Huffman *direct,
                      const Huffman *alternating, const uint16_t quantisation[64], int limit, int16_t block[64]) {
  Bits bits = *from;
  int damage = 0;
  refill(&bits, words);
  uint32_t entry = direct->fast[peek(&bits, LOOKAHEAD)];
  if (entry & 0x8000) {
    skip(&bits, entry & 63);
    component->predicted += (uint32_t)((int32_t)entry >> 16);
  } else {
    int size = (int)(entry >> 10 & 15);
    if (entry) {
      skip(&bits, entry & 63);
    } else {
      const int symbol = long_code(&bits, direct);
      damage |= symbol & 256;
      size = symbol & 15;
    }
    if (size) component->predicted += (uint32_t)value_of(&bits, size);
  }
  block[0] = (int16_t)(component->predicted * quantisation[0]);
  int last = 0;
  for (int k = 1; k < 64; k++) {
    refill(&bits, words);
    entry = alternating->fast[peek(&bits, LOOKAHEAD)];
    int value;
    if (entry & 0x8000) {
      k += (int)(entry >> 6 & 15);
      skip(&bits, entry & 63);
      value = (int32_t)entry >> 16;
    } else {
      int run = (int)(entry >> 6 & 15), size = (int)(entry >> 10 & 15);
      if (entry) {
        skip(&bits, entry & 63);
      } else {
        const int symbol = long_code(&bits, alternating);
        damage |= symbol & 256;
        run = symbol >> 4 & 15, size = symbol & 15;
      }
      k += run;
      if (!size) {
        if (run != 15) break;
        continue;
      }
      value = value_of(&bits, size);
    }
    if (k < limit) {
      const int scaled = value * quantisation[k & 63];
      block[NATURAL[k & 127] & 63] = (int16_t)scaled;
      last = k;
    } else if (limit == 64) {  // past the last coefficient, to which it then counts
      block[63] = (int16_t)(value * quantisation[63]);
      last = 63;
    }
  }
  *from = bits;
  return last | damage;
}

#define FIXED(x) ((int)((x)*8192 + ((x) < 0 ? -0.5 : 0.5)))

typedef struct {
  i32x4 low, high;
} Wide;

// a · by_a + b · by_b
VECTOR Wide rotated(i16x8 a, i16x8 b, int by_a, int by_b) {
  const i16x8 factors = pairs_of(by_a, by_b);
  return (Wide){dot(low16(a, b), factors), dot(high16(a, b), factors)};
}

VECTOR Wide plus(Wide a, Wide b) { return (Wide){add32(a.low, b.low), add32(a.high, b.high)}; }
VECTOR Wide minus(Wide a, Wide b) { return (Wide){sub32(a.low, b.low), sub32(a.high, b.high)}; }
VECTOR Wide scaled_up(i16x8 a, int rounding) {
  return (Wide){add32((i32x4)((u32x4)widened_low(a) << 13), all_i32(rounding)),
                add32((i32x4)((u32x4)widened_high(a) << 13), all_i32(rounding))};
}
VECTOR i16x8 descaled(Wide a, int shift) { return narrowed_i16(a.low >> shift, a.high >> shift); }

// Eight transforms of eight values side by side: figures of jidctint.c. The constants' sums fit into 16 bits.
VECTOR void transform8(i16x8 r[8], int shift) {
  const Wide t2 = rotated(r[2], r[6], FIXED(0.541196100), FIXED(0.541196100) - FIXED(1.847759065));
  const Wide t3 = rotated(r[2], r[6], FIXED(0.541196100) + FIXED(0.765366865), FIXED(0.541196100));
  const Wide t0 = scaled_up(add16(r[0], r[4]), 1 << (shift - 1)), t1 = scaled_up(sub16(r[0], r[4]), 1 << (shift - 1));
  const Wide e0 = plus(t0, t3), e3 = minus(t0, t3), e1 = plus(t1, t2), e2 = minus(t1, t2);

  const i16x8 z3 = add16(r[7], r[3]), z4 = add16(r[5], r[1]);
  const Wide y3 = rotated(z3, z4, FIXED(1.175875602) - FIXED(1.961570560), FIXED(1.175875602));
  const Wide y4 = rotated(z3, z4, FIXED(1.175875602), FIXED(1.175875602) - FIXED(0.390180644));
  const Wide o0 = plus(y3, rotated(r[7], r[1], FIXED(0.298631336) - FIXED(0.899976223), -FIXED(0.899976223)));
  const Wide o1 = plus(y4, rotated(r[5], r[3], FIXED(2.053119869) - FIXED(2.562915447), -FIXED(2.562915447)));
  const Wide o2 = plus(y3, rotated(r[5], r[3], -FIXED(2.562915447), FIXED(3.072711026) - FIXED(2.562915447)));
  const Wide o3 = plus(y4, rotated(r[7], r[1], -FIXED(0.899976223), FIXED(1.501321110) - FIXED(0.899976223)));

  r[0] = descaled(plus(e0, o3), shift), r[7] = descaled(minus(e0, o3), shift);
  r[1] = descaled(plus(e1, o2), shift), r[6] = descaled(minus(e1, o2), shift);
  r[2] = descaled(plus(e2, o1), shift), r[5] = descaled(minus(e2, o1), shift);
  r[3] = descaled(plus(e3, o0), shift), r[4] = descaled(minus(e3, o0), shift);
}

static void put8(const int16_t block[64], uint8_t *out, int stride) {
  i16x8 r[8];
  for (int row = 0; row < 8; row++) r[row] = LOAD(i16x8, block + 8 * row);
  transform8(r, 13 - 2);
  transpose(r);
  transform8(r, 13 + 2 + 3);
  transpose(r);
  for (int row = 0; row < 8; row += 2) {
    const u64x2 two = (u64x2)narrowed_u8(add16(r[row], all_i16(128)), add16(r[row + 1], all_i16(128)));
    STORE(out + row * stride, (uint64_t)two[0]);
    STORE(out + (row + 1) * stride, (uint64_t)two[1]);
  }
}

VECTOR i32x4 times(i32x4 a, int factor) { return (i32x4)((u32x4)a * (u32x4)all_i32(factor)); }

// Four transforms of four values, in 32 bits that wrap around; `before` is what the even part is scaled up by.
VECTOR void transform4(i32x4 r[4], int before, int rounding, int shift) {
  const i32x4 e0 = times(add32(r[0], r[2]), 1 << before), e1 = times(sub32(r[0], r[2]), 1 << before);
  const i32x4 z = add32(times(add32(r[1], r[3]), FIXED(0.541196100)), all_i32(rounding));
  const i32x4 o0 = add32(z, times(r[1], FIXED(0.765366865))), o1 = sub32(z, times(r[3], FIXED(1.847759065)));
  if (shift == 13 - 2) {  // the even part has its 2 bits already
    const i32x4 p0 = o0 >> shift, p1 = o1 >> shift;
    r[0] = add32(e0, p0), r[3] = sub32(e0, p0), r[1] = add32(e1, p1), r[2] = sub32(e1, p1);
  } else {
    r[0] = add32(e0, o0) >> shift, r[3] = sub32(e0, o0) >> shift;
    r[1] = add32(e1, o1) >> shift, r[2] = sub32(e1, o1) >> shift;
  }
}

VECTOR void transpose4(i32x4 r[4]) {
  const i32x4 a0 = low32(r[0], r[1]), a1 = high32(r[0], r[1]), a2 = low32(r[2], r[3]), a3 = high32(r[2], r[3]);
  r[0] = lows64(a0, a2), r[1] = highs64(a0, a2), r[2] = lows64(a1, a3), r[3] = highs64(a1, a3);
}

static void put4(const int16_t block[64], uint8_t *out, int stride) {
  i32x4 r[4];
  for (int row = 0; row < 4; row++) r[row] = widened_low(LOAD(i16x8, block + 8 * row));
  transform4(r, 2, 1 << (13 - 2 - 1), 13 - 2);
  transpose4(r);
  r[0] = add32(r[0], all_i32((128 << 5) + 16));
  transform4(r, 13, 0, 13 + 2 + 3);
  transpose4(r);
  const u32x4 rows = (u32x4)narrowed_u8(narrowed_i16(r[0], r[1]), narrowed_i16(r[2], r[3]));
  for (int row = 0; row < 4; row++) STORE(out + row * stride, (uint32_t)rows[row]);
}

static uint8_t clamped(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

static void put2(const int16_t block[64], uint8_t *out, int stride) {
  const int mean = block[0] + (128 << 3) + 4, left = mean + block[8], lower = mean - block[8];
  const int right = block[1] + block[9], lower_right = block[1] - block[9];
  out[0] = clamped((left + right) >> 3), out[1] = clamped((left - right) >> 3);
  out[stride] = clamped((lower + lower_right) >> 3), out[stride + 1] = clamped((lower - lower_right) >> 3);
}

static void put_level(int direct, uint8_t *out, int stride, int size) {
  const uint8_t level = clamped(((direct + 4) >> 3) + 128);
  for (int row = 0; row < size; row++, out += stride) {
    if (size == 8)
      STORE(out, level * (uint64_t)0x0101010101010101);
    else
      memset(out, level, (size_t)size);
  }
}

static void clear_block(int16_t block[64]) {
  for (int row = 0; row < 8; row++) STORE(block + 8 * row, (i16x8){0});
}

// One block of a component, at its place in the row. Returns what read_block does.
VECTOR int decode_block(JpegDecoder *decoder, Bits *bits, Component *component, uint8_t *out) {
  const uint32_t *const words = decoder->words;
  const Huffman *const direct = &decoder->direct[component->direct & 3];
  const Huffman *const alternating = &decoder->alternating[component->alternating & 3];
  const uint16_t *const quantisation = decoder->quantisation[component->quantisation & 3];
  int16_t *const block = decoder->block;
  // How many coefficients in zigzag order hold all that the smaller transforms look at.
  enum { ALL = 64, OF_FOUR = 25, OF_TWO = 5 };
  int last;
  switch (component->size) {
    case 8:
      last = read_block(bits, words, component, direct, alternating, quantisation, ALL, block);
      if (last & 63) {
        put8(block, out, component->stride);
        clear_block(block);
        return last;
      }
      break;
    case 4:
      last = read_block(bits, words, component, direct, alternating, quantisation, OF_FOUR, block);
      if (last & 63) {
        put4(block, out, component->stride);
        clear_block(block);
        return last;
      }
      break;
    case 2:
      last = read_block(bits, words, component, direct, alternating, quantisation, OF_TWO, block);
      if (last & 63) {
        put2(block, out, component->stride);
        clear_block(block);
        return last;
      }
      break;
    default: last = read_block(bits, words, component, direct, alternating, quantisation, 1, block);
  }
  put_level(block[0], out, component->stride, component->size);
  block[0] = 0;
  return last;
}

// ---- Units, rows, restarts ----

static void note_damage(JpegDecoder *decoder) {
  if (decoder->damage < 0) decoder->damage = decoder->row * 8 * decoder->most_down;
}

// A unit of the scan, or of grey where its bits have run out.
static void decode_unit(JpegDecoder *decoder) {
  int damage = 0;
  for (int each = 0; each < decoder->count; each++) {
    Component *const component = &decoder->components[decoder->order[each] % JPEG_MOST_COMPONENTS];
    const int size = component->size, step = component->stride * size;
    uint8_t *const unit = component->rows + decoder->column * component->across * size;
    for (int down = 0; down < component->down; down++) {
      for (int across = 0; across < component->across; across++) {
        uint8_t *const out = unit + down * step + across * size;
        if (decoder->starved)
          put_level(0, out, component->stride, size);
        else
          damage |= decode_block(decoder, &decoder->bits, component, out);
      }
    }
  }
  if (damage & 256) note_damage(decoder);
  if (decoder->sealed && (int64_t)decoder->bits.position * 32 - decoder->bits.count > (int64_t)decoder->filled * 8) {
    decoder->starved = true;
    note_damage(decoder);
  }
}

// libjpeg's jpeg_resync_to_restart: whether a marker that is not the wanted one is passed over (1), takes the place of
// the wanted one (0), or stays, so that the segment before it is empty (-1).
static int judged(int marker, int wanted) {
  if (marker < SOF0) return 1;
  if (marker < RST0 || marker > RST7) return -1;
  const int ahead = (marker - RST0 - wanted) & 7;
  return ahead == 1 || ahead == 2 ? -1 : ahead >= 6 ? 1 : 0;
}

// Find the marker between two segments. JPEG_MORE: it is not there yet.
static JpegStatus restart(JpegDecoder *decoder, const uint8_t **data, const uint8_t *end) {
  for (;;) {
    while (!decoder->found) {
      clear_window(decoder);
      fill(decoder, data, end);
      if (!decoder->found && *data == end) return decoder->ended ? JPEG_CUT_SHORT : JPEG_MORE;
    }
    const int verdict = decoder->found == RST0 + decoder->next_restart ? 0 : judged(decoder->found, decoder->next_restart);
    if (decoder->found != RST0 + decoder->next_restart) note_damage(decoder);
    clear_window(decoder);
    if (verdict >= 0) decoder->found = 0;
    if (verdict <= 0) break;
  }
  if (!decoder->found) decoder->starved = false;
  decoder->next_restart = (decoder->next_restart + 1) & 7;
  decoder->until_restart = decoder->interval;
  for (int part = 0; part < decoder->count; part++) decoder->components[part].predicted = 0;
  return JPEG_ROW;
}

// The rest of a row of units.
static JpegStatus decode_row(JpegDecoder *decoder, const uint8_t **data, const uint8_t *end) {
  while (decoder->column < decoder->units_across) {
    if (decoder->interval && !decoder->until_restart) {
      const JpegStatus status = restart(decoder, data, end);
      if (status != JPEG_ROW) return status;
    }
    while (!has_unit(decoder)) {
      fill(decoder, data, end);
      if (!has_unit(decoder) && *data == end) return JPEG_MORE;
    }
    decode_unit(decoder);
    if (decoder->starved && !decoder->found) return JPEG_CUT_SHORT;
    decoder->column++;
    decoder->until_restart--;
  }
  decoder->column = 0;
  decoder->row++;
  return JPEG_ROW;
}

// ---- What the outside calls ----

JpegDecoder *jpeg_open(int luma_size, int chroma_size) {
  JpegDecoder *const decoder = calloc(1, sizeof(JpegDecoder));
  if (!decoder) return NULL;
  decoder->sizes[0] = luma_size, decoder->sizes[1] = chroma_size;
  decoder->damage = -1;
  decoder->failure = JPEG_MORE;
  return decoder;
}

void jpeg_close(JpegDecoder *decoder) {
  free(decoder->rows);
  free(decoder);
}

void jpeg_end(JpegDecoder *decoder) { decoder->ended = true; }

JpegStatus jpeg_read(JpegDecoder *decoder, const uint8_t **data, const uint8_t *end) {
  if (decoder->failure != JPEG_MORE) return decoder->failure;
  JpegStatus status = JPEG_MORE;
  if (decoder->place < IN_SCAN) status = read_header(decoder, data, end);
  if (decoder->place == IN_SCAN && status == JPEG_MORE) {
    status = decoder->row < decoder->units_down ? decode_row(decoder, data, end) : JPEG_DONE;
  }
  if (status == JPEG_DONE) *data = end;
  if (status == JPEG_MORE && decoder->ended) status = JPEG_CUT_SHORT;
  if (status != JPEG_MORE && status != JPEG_ROW) decoder->failure = status;
  return status;
}

int jpeg_components(const JpegDecoder *decoder) { return decoder->rows ? decoder->count : 0; }

JpegPlane jpeg_plane(const JpegDecoder *decoder, int part) {
  const Component *const component = &decoder->components[part];
  const int each = component->down * component->size, below = decoder->row * each;
  JpegPlane plane = {component->width, component->height, below - each, each, component->stride, component->rows};
  if (!decoder->row) plane.top = plane.count = 0;
  if (plane.top + plane.count > plane.height) plane.count = plane.height > plane.top ? plane.height - plane.top : 0;
  return plane;
}

int jpeg_row(const JpegDecoder *decoder) {
  const int row = decoder->row * 8 * decoder->most_down;
  return row < decoder->height ? row : decoder->height;
}

int jpeg_damage(const JpegDecoder *decoder) { return decoder->damage; }

size_t jpeg_memory(const JpegDecoder *decoder) { return sizeof(*decoder) + decoder->rows_length; }
