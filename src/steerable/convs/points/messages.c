/* The sums over neighbours of message_loops.py: nothing is written for the edges.

   M_p[n, o, k, c] = sum over edges e of n:  phi[e, k] m_p[e, o, c],
   m_p[e, o, c] = sum over i:  G_p[i, o](e) f[source e, i, c],  G_p = C_p Y(e),

   which is linear in each of phi, Y and f: its second derivatives are made of its first.

   Rows of an edge: phi (channels), Y (harmonics). Of a source: f (width), where the copies of every
   component begin at a multiple of LANES, behind zeros. Of the targets from `begin` on, an array
   for each output irrep: M and its gradient T. `path` holds for every path where its f begins, m_i,
   m_o, its copies, where its M begins, the steps of M from component to component and from target
   to target, and where its G begins; `place` for every number C of `value` its harmonic and its
   product. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t I;
#define INLINE static inline __attribute__((always_inline))
#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif
#define LANES ((int)(BYTES / sizeof(REAL)))
#define EDGES 16 /* edges of a target that are worked on together */
#define TILE 8   /* channels whose sums stay in registers */

typedef REAL V __attribute__((vector_size(BYTES), aligned(sizeof(REAL)), may_alias));

typedef struct {
    I f, m_i, m_o, copies, m, step, node, g;
} Path;

typedef struct {
    I threads, paths, nonzeros, products, harmonics, width, channels;
    const Path *path;
    const I *place;
    const REAL *value;
    const I *first, *source; /* where the edges of every target begin; the sources of the edges */
} Shape;

/* Do something for a number of channels that the compiler knows where that is possible. */
#define FOR_TILES(channels, ...)                                               \
    for (int k0 = 0; k0 < (channels); k0 += TILE) {                            \
        const int left = (int)(channels) - k0 < TILE ? (int)(channels) - k0 : TILE; \
        if (left == TILE) {                                                    \
            enum { K = TILE };                                                 \
            __VA_ARGS__;                                                       \
        } else if (left == TILE / 2) {                                         \
            enum { K = TILE / 2 };                                             \
            __VA_ARGS__;                                                       \
        } else {                                                               \
            const int K = left;                                                \
            __VA_ARGS__;                                                       \
        }                                                                      \
    }

I lanes(void) { return LANES; }

INLINE I padded(I copies) { return (copies + LANES - 1) / LANES * LANES; }

INLINE REAL total(V v)
{
    REAL sum = 0;
    for (int l = 0; l < LANES; l++) sum += v[l];
    return sum;
}

/* The edges of a block, which are neighbours in the rows of edges and have one target. */
typedef struct {
    const REAL *phi;
    const I *source;
    int count;
} Block;

/* G (product, edge) of a block, from rows of Y. */
static void couple(const Shape *a, const REAL *restrict y, int count, REAL *restrict g)
{
    REAL column[EDGES] = {0};
    I harmonic = -1;
    memset(g, 0, a->products * EDGES * sizeof(REAL));
    for (I q = 0; q < a->nonzeros; q++) {
        if (a->place[2 * q] != harmonic) {
            harmonic = a->place[2 * q];
            for (int e = 0; e < count; e++) column[e] = y[e * a->harmonics + harmonic];
        }
        REAL *restrict row = g + a->place[2 * q + 1] * EDGES;
        for (int e = 0; e < EDGES; e++) row[e] += a->value[q] * column[e];
    }
}

/* Gradients of G added to those of Y. */
static void uncouple(const Shape *a, const REAL *restrict to_g, int count, REAL *restrict to_y)
{
    for (I q = 0; q < a->nonzeros; q++) {
        const REAL *row = to_g + a->place[2 * q + 1] * EDGES;
        REAL *column = to_y + a->place[2 * q];
        for (int e = 0; e < count; e++) column[e * a->harmonics] += a->value[q] * row[e];
    }
}

/* LANES copies of component o of a message. */
INLINE V message(const Path *p, I o, const REAL *g, const REAL *f)
{
    const I step = p->m_o * EDGES, row = padded(p->copies);
    V m = g[o * EDGES] * *(const V *)f;
    for (I i = 1; i < p->m_i; i++) m += g[i * step + o * EDGES] * *(const V *)(f + i * row);
    return m;
}

/* Sums of K channels and LANES copies, of which `left` exist. */
INLINE void sum_tile(int K, const Shape *a, const Path *p, Block b, I o, const REAL *g,
                     const REAL *f, REAL *m, I left, int add)
{
    V sum[TILE] = {{0}};
    for (int e = 0; e < b.count; e++) {
        const V v = message(p, o, g + e, f + b.source[e] * a->width);
        const REAL *phi = b.phi + e * a->channels;
#pragma GCC unroll 8
        for (int k = 0; k < K; k++) sum[k] += phi[k] * v;
    }
    for (int k = 0; k < K; k++, m += p->copies) {
        if (left >= LANES) {
            if (add) sum[k] += *(const V *)m;
            *(V *)m = sum[k];
        } else {
            for (I l = 0; l < left; l++) m[l] = add ? m[l] + sum[k][l] : sum[k][l];
        }
    }
}

/* M of target n, or added to it, in row `row` of m; g is room for G of a block. */
static void sum_target(const Shape *a, I n, I row, const REAL *phi, const REAL *y, const REAL *f,
                       REAL *m, I add, REAL *g)
{
    I e = a->first[n];
    do { /* once without edges as well: their sums are 0 */
        const I last = a->first[n + 1], more = add || e > a->first[n];
        const int count = (int)(last - e < EDGES ? last - e : EDGES);
        const Block b = {phi + e * a->channels, a->source + e, count};
        couple(a, y + e * a->harmonics, count, g);
        for (const Path *p = a->path; p < a->path + a->paths; p++)
            for (I c = 0; c < p->copies; c += LANES)
                for (I o = 0; o < p->m_o; o++) {
                    REAL *to = m + p->m + row * p->node + o * p->step + c;
                    FOR_TILES(a->channels, Block part = {b.phi + k0, b.source, b.count};
                              sum_tile(K, a, p, part, o, g + p->g * EDGES, f + p->f + c,
                                       to + k0 * p->copies, p->copies - c, (int)more))
                }
        e += count;
    } while (e < a->first[n + 1]);
}

/* M of the targets begin to end, or added to it. */
void sums(const Shape *a, I begin, I end, const REAL *phi, const REAL *y, const REAL *f, REAL *m,
          I add)
{
#pragma omp parallel num_threads(a->threads)
    {
        REAL *g = malloc(a->products * EDGES * sizeof(REAL));
#pragma omp for
        for (I n = begin; n < end; n++)
            sum_target(a, n, n - begin, phi, y, f, m, add, g);
        free(g);
    }
}

/* Of K channels and LANES copies at an edge: sums over the components of phi T, added to `to_m`
   unless that is NULL, and of m T, added to `to_phi` unless that is NULL. */
INLINE void pull_tile(int K, const Path *p, const REAL *phi, const REAL *g, const REAL *f,
                      const REAL *t, I channels, V *to_m, V *to_phi)
{
    const I row = padded(p->copies);
    V sum[TILE] = {{0}};
    for (I o = 0; o < p->m_o; o++, t += channels * row) {
        V v = {0}, back = {0};
        if (to_phi) v = message(p, o, g, f);
#pragma GCC unroll 8
        for (int k = 0; k < K; k++) {
            const V tk = *(const V *)(t + k * row);
            if (to_phi) sum[k] += v * tk;
            if (to_m) back += phi[k] * tk;
        }
        if (to_m) to_m[o] += back;
    }
    if (to_phi)
        for (int k = 0; k < K; k++) to_phi[k] += sum[k];
}

/* Gradients of messages to those of f and of G, where these are wanted. */
INLINE void pull_message(const Path *p, const REAL *g, const REAL *f, const V *to_m, REAL *to_f,
                         V *to_g)
{
    const I row = padded(p->copies);
    for (I i = 0; i < p->m_i; i++) {
        const V fi = *(const V *)(f + i * row);
        V sum = {0};
        for (I o = 0; o < p->m_o; o++) {
            if (to_f) sum += g[(i * p->m_o + o) * EDGES] * to_m[o];
            if (to_g) to_g[i * p->m_o + o] += fi * to_m[o];
        }
        if (to_f) *(V *)(to_f + i * row) += sum;
    }
}

/* The gradients of a path at the edges of a block: `to_phi` is (edge, channel), `to_g` (product,
   edge); `row` are the rows of `to_f`, which are those of the edges where it is NULL. */
static void pull_path(const Shape *a, const Path *p, Block b, const REAL *g, const REAL *f,
                      const REAL *t, V *room, V *to_phi, REAL *to_g, REAL *to_f, const I *row)
{
    const I products = p->m_i * p->m_o;
    V *to_m = room, *sum_g = room + p->m_o;
    for (int e = 0; e < b.count; e++) {
        const REAL *phi = b.phi + e * a->channels, *fe = f + b.source[e] * a->width;
        if (to_g) memset(sum_g, 0, products * sizeof(V));
        for (I c = 0; c < p->copies; c += LANES) {
            if (to_g || to_f) memset(to_m, 0, p->m_o * sizeof(V));
            V *phis = to_phi ? to_phi + e * a->channels : NULL;
            if (!phis) {
                FOR_TILES(a->channels, pull_tile(K, p, phi + k0, g + e, fe + c,
                                                 t + k0 * padded(p->copies) + c, a->channels, to_m,
                                                 NULL))
            } else if (to_g || to_f) {
                FOR_TILES(a->channels, pull_tile(K, p, phi + k0, g + e, fe + c,
                                                 t + k0 * padded(p->copies) + c, a->channels, to_m,
                                                 phis + k0))
            } else {
                FOR_TILES(a->channels, pull_tile(K, p, phi + k0, g + e, fe + c,
                                                 t + k0 * padded(p->copies) + c, a->channels, NULL,
                                                 phis + k0))
            }
            REAL *tf = to_f ? to_f + (row ? row[e] : e) * a->width + c : NULL;
            if (to_g || to_f) pull_message(p, g + e, fe + c, to_m, tf, to_g ? sum_g : NULL);
        }
        if (to_g)
            for (I q = 0; q < products; q++) to_g[q * EDGES + e] = total(sum_g[q]);
    }
}

/* T of a path at a target, whose copies are padded by zeros. */
INLINE void pad(const Path *p, I channels, const REAL *t, REAL *to)
{
    const I row = padded(p->copies);
    for (I o = 0; o < p->m_o; o++)
        for (I k = 0; k < channels; k++, to += row) {
            const REAL *restrict from = t + o * p->step + k * p->copies;
            for (I c = 0; c < p->copies; c++) to[c] = from[c];
            for (I c = p->copies; c < row; c++) to[c] = 0;
        }
}

/* The numbers of T of the longest path at a target, padded. */
static I longest(const Shape *a)
{
    I most = 0;
    for (const Path *p = a->path; p < a->path + a->paths; p++) {
        const I numbers = p->m_o * padded(p->copies) * a->channels;
        most = numbers > most ? numbers : most;
    }
    return most;
}

/* The gradients of <T, M>, each unless it is NULL, added to what is there: of phi; of Y; of f, into
   the rows `row` of to_f, or rows of their own in the order of the edges. */
void pull(const Shape *a, I begin, I end, const REAL *phi, const REAL *y, const REAL *f,
          const REAL *t, REAL *to_phi, REAL *to_y, REAL *to_f, const I *row)
{
#pragma omp parallel num_threads(a->threads)
    {
        const I products = a->products * EDGES;
        REAL *g = malloc((2 * products + longest(a)) * sizeof(REAL)), *padded_t = g + 2 * products;
        REAL *to_g = to_y ? g + products : NULL;
        V *phis = malloc((EDGES * a->channels + 2 * a->products) * sizeof(V));
        V *room = phis + EDGES * a->channels;
#pragma omp for
        for (I n = begin; n < end; n++)
            for (I e = a->first[n]; e < a->first[n + 1]; e += EDGES) {
                const I last = a->first[n + 1];
                const int count = (int)(last - e < EDGES ? last - e : EDGES);
                const Block b = {phi + e * a->channels, a->source + e, count};
                couple(a, y + e * a->harmonics, count, g);
                /* Without rows, those of the edges from the first of these targets on. */
                REAL *fs = row ? to_f : to_f + (e - a->first[begin]) * a->width;
                if (to_phi) memset(phis, 0, count * a->channels * sizeof(V));
                for (const Path *p = a->path; p < a->path + a->paths; p++) {
                    pad(p, a->channels, t + p->m + (n - begin) * p->node, padded_t);
                    pull_path(a, p, b, g + p->g * EDGES, f + p->f, padded_t, room,
                              to_phi ? phis : NULL, to_g ? to_g + p->g * EDGES : NULL,
                              to_f ? fs + p->f : NULL, row ? row + e : NULL);
                }
                if (to_phi)
                    for (I q = 0; q < count * a->channels; q++)
                        to_phi[e * a->channels + q] += total(phis[q]);
                if (to_g) uncouple(a, to_g, count, to_y + e * a->harmonics);
            }
        free(phis);
        free(g);
    }
}

/* Features x (source, columns) as f, whose column q is column order[q] of x or, where that is
   negative, 0; and back, gradients of f as those of x. */
void spread(const Shape *a, I sources, I columns, const I *order, const REAL *x, REAL *f)
{
#pragma omp parallel for num_threads(a->threads)
    for (I n = 0; n < sources; n++)
        for (I q = 0; q < a->width; q++)
            f[n * a->width + q] = order[q] < 0 ? 0 : x[n * columns + order[q]];
}

void collect(const Shape *a, I sources, I columns, const I *order, const REAL *f, REAL *x)
{
#pragma omp parallel for num_threads(a->threads)
    for (I n = 0; n < sources; n++)
        for (I q = 0; q < a->width; q++)
            if (order[q] >= 0) x[n * columns + order[q]] = f[n * a->width + q];
}

/* What `convolve` needs besides: columns of the results; numbers of M of a target; output irreps,
   and for each of these m_o, rows and columns of its weights; where the columns of the results lie
   among (irrep, component, copy), behind which a zero lies. */
typedef struct {
    I columns, numbers, outputs;
    const I *sizes, *joined;
} Ends;

/* from (rows) times w (rows, out) added to `to` (out): four rows at a time, for fewer stores. */
static void add_product(I rows, I out, const REAL *restrict from, const REAL *restrict w,
                        REAL *restrict to)
{
    I r = 0;
    for (; r + 4 <= rows; r += 4, w += 4 * out)
        for (I d = 0; d < out; d++)
            to[d] += from[r] * w[d] + from[r + 1] * w[out + d] + from[r + 2] * w[2 * out + d] +
                     from[r + 3] * w[3 * out + d];
    for (; r < rows; r++, w += out)
        for (I d = 0; d < out; d++) to[d] += from[r] * w[d];
}

/* The whole sum over neighbours of a small graph: M of every target, and M W as results lie.
   Returns 1, or 0 where memory ends. */
int convolve(const Shape *a, const Ends *b, I size, const REAL *phi, const REAL *y, const REAL *f,
             const REAL *const *weights, REAL *result)
{
    REAL *g = malloc((a->products * EDGES + b->numbers + b->columns + 1) * sizeof(REAL));
    if (!g) return 0;
    REAL *m = g + a->products * EDGES, *z = m + b->numbers;
    for (I n = 0; n < size; n++) {
        sum_target(a, n, 0, phi, y, f, m, 0, g);
        const REAL *from = m;
        REAL *to = z;
        for (I o = 0; o < b->outputs; o++) {
            const I m_o = b->sizes[3 * o], rows = b->sizes[3 * o + 1], out = b->sizes[3 * o + 2];
            for (I i = 0; i < m_o; i++, from += rows, to += out) {
                memset(to, 0, out * sizeof(REAL));
                add_product(rows, out, from, weights[o], to);
            }
        }
        *to = 0;
        for (I q = 0; q < b->columns; q++) result[n * b->columns + q] = z[b->joined[q]];
    }
    free(g);
    return 1;
}
