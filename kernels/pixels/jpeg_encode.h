// Rows of planes or pixels to a baseline JPEG, as they come; jpeg_encode.c says how.

#ifndef VFA_JPEG_ENCODE_H
#define VFA_JPEG_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  FORM_GREY,           // one plane
  FORM_PLANES,         // Y, Cb and Cr
  FORM_HALVED_PLANES,  // the same, chroma of half the width and height, rounded up
  FORM_RGB,            // pixels of three bytes
  FORM_RGBX,           // pixels of four, the last of which means nothing
} JpegForm;

typedef struct JpegEncoder JpegEncoder;

// Edges are 1 to 65,535, quality is 1 to 100; `halved` is how chroma is stored. NULL: no memory.
JpegEncoder *jpeg_encoder_open(int width, int height, int quality, bool halved, JpegForm form);
void jpeg_encoder_close(JpegEncoder *);

// The next rows: of each plane, or of pixels. No more than are missing; with halved planes an even number, or all that
// are missing, of luma, and half as many, rounded up, of chroma. False: no memory.
bool jpeg_encode(JpegEncoder *, const uint8_t *const rows[3], int count);

int jpeg_encoder_missing(const JpegEncoder *);

// What was written since the last time.
size_t jpeg_encoder_written(const JpegEncoder *);
void jpeg_encoder_take(JpegEncoder *, uint8_t *to);

size_t jpeg_encoder_memory(const JpegEncoder *);

#endif
