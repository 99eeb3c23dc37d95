// A baseline JPEG, as its bytes come, to planes, one row of units at a time; jpeg_decode.c says how.

#ifndef VFA_JPEG_DECODE_H
#define VFA_JPEG_DECODE_H

#include <stddef.h>
#include <stdint.h>

enum { JPEG_MOST_COMPONENTS = 3 };

typedef enum {
  JPEG_MORE,         // the bytes are used up, and more are needed
  JPEG_ROW,          // a row of units is there
  JPEG_DONE,         // there are no more rows
  JPEG_BROKEN,       // a header is not one of T.81's
  JPEG_UNSUPPORTED,  // not of the kinds that are decoded here
  JPEG_CUT_SHORT,    // there are no more bytes, and rows are missing
  JPEG_NO_MEMORY,
} JpegStatus;

// The rows of one component that the last unit row has: `count` of `width` samples, `stride` apart, from `top` on.
typedef struct {
  int width, height;  // of the whole plane
  int top, count, stride;
  const uint8_t *rows;
} JpegPlane;

typedef struct JpegDecoder JpegDecoder;

// Sizes are the samples that a block becomes: 8, 4, 2, 1, or 0 where a component is not wanted. NULL: no memory.
JpegDecoder *jpeg_open(int luma_size, int chroma_size);
void jpeg_close(JpegDecoder *);

// Read on from *data to the end of the next row of units. What is not read is needed again.
JpegStatus jpeg_read(JpegDecoder *, const uint8_t **data, const uint8_t *end);

// There are no more bytes than those that were read.
void jpeg_end(JpegDecoder *);

int jpeg_components(const JpegDecoder *);  // 0 before the header was read
JpegPlane jpeg_plane(const JpegDecoder *, int component);
int jpeg_row(const JpegDecoder *);      // of the picture at full scale, down to which it was read
int jpeg_damage(const JpegDecoder *);   // the first such row with damage, or -1
size_t jpeg_memory(const JpegDecoder *);

#endif
