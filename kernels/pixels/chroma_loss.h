// How much a picture's colours would lose if its chroma were halved; chroma_loss.c says how it is measured.

#ifndef VFA_CHROMA_LOSS_H
#define VFA_CHROMA_LOSS_H

#include <stdint.h>

// Of two planes of width × height samples each, in levels; negative: no memory.
double chroma_loss(const uint8_t *cb, const uint8_t *cr, int width, int height);

#endif
