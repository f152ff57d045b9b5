/* The edges of a graph in the order of their targets, by counting. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t I;

/* Where the edges of every target begin (`first`, size + 1); the lowest and the highest source
   (`span`); and, unless they are in order already, the numbers of the edges in the order of their
   targets and their sources.

   Returns 1 if the edges are in order, 0 if they were brought into it, -1 if a target is not below
   `size` or memory ends. */
int rows(I edges, I size, const I *source, const I *target, I *first, I *order, I *ordered, I *span)
{
    int sorted = 1;
    I low = edges ? source[0] : 0, high = edges ? source[0] : -1, last = 0;
    memset(first, 0, (size + 1) * sizeof(I));
    for (I e = 0; e < edges; e++) {
        const I t = target[e], s = source[e];
        if (t < 0 || t >= size) return -1;
        first[t + 1]++;
        sorted &= t >= last, last = t;
        low = s < low ? s : low, high = s > high ? s : high;
    }
    for (I n = 0; n < size; n++) first[n + 1] += first[n];
    span[0] = low, span[1] = high;
    if (sorted) return 1;
    I *place = malloc((size + 1) * sizeof(I));
    if (!place) return -1;
    memcpy(place, first, (size + 1) * sizeof(I));
    for (I e = 0; e < edges; e++) {
        const I q = place[target[e]]++;
        order[q] = e, ordered[q] = source[e];
    }
    free(place);
    return 0;
}
