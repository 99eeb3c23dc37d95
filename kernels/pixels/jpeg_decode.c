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
// `allocate` (jpeg_header.c) took the rows for.

#include "jpeg_decode.h"

#include <stdlib.h>
#include <string.h>

#include "jpeg_inverse.h"
#include "jpeg_state.h"
#include "vector.h"

// Zigzag order to rows and columns; a run may lead past the last coefficient, to which it then counts.
static const uint8_t NATURAL[128] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63};

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
  if (decoder->place < IN_SCAN) status = jpeg_read_header(decoder, data, end);
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
