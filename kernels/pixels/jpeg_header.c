// A baseline JPEG's headers (ITU-T T.81, annex B), read byte by byte as they come.
//
// Each number that later indexes something is checked here, once: places of tables, lengths of codes and segments, counts
// and sampling of components, the sizes of planes. What stands in the file is kept only where it is needed.

#include <stdlib.h>
#include <string.h>

#include "jpeg_state.h"

static int word_of(const uint8_t *at) { return at[0] << 8 | at[1]; }

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

JpegStatus jpeg_read_header(JpegDecoder *decoder, const uint8_t **data, const uint8_t *end) {
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
