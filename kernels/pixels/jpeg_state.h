// The state of a JPEG decoder, which jpeg_header.c fills and jpeg_decode.c works on.

#ifndef VFA_JPEG_STATE_H
#define VFA_JPEG_STATE_H

#include <stdbool.h>

#include "jpeg_decode.h"

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
  int16_t block[64];
  uint32_t words[(WINDOW + PADDING) / 4];
};

// The value of so many bits: T.81 figure F.12.
static inline int extended(uint32_t bits, int size) {
  return bits < 1u << (size - 1) ? (int)bits + 1 - (1 << size) : (int)bits;
}

// Everything before the scan's data.
JpegStatus jpeg_read_header(JpegDecoder *, const uint8_t **data, const uint8_t *end);

#endif
