/* The sums over neighbours of radial.py, edge by edge: nothing is written for the edges but
   gradients of their weights.

   S_p[n, o, c] = sum over edges e of n, i:  G_p[i, o](e) w_p[e, c] f[source e, i, c],
   G_p = C_p Y(e).

   Rows of an edge: Y (harmonics), w (weights). Of a source: f (width). Of the targets from `begin`
   on, an array for each output irrep: S and its gradient T. `path` holds for every path where its f
   begins, m_i, m_o, where its S begins, the steps of S from component to component and from target
   to target, where its w begins, its copies, where its G begins; `place` for every number C of
   `value` its harmonic and its product. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t I;
#define INLINE static inline __attribute__((always_inline))
#define FIELDS 9
#define BLOCK 32 /* copies that are worked on together */

typedef struct {
    I threads, paths, nonzeros, products, harmonics, width, weights;
    const I *path, *place;
    const REAL *value;
    const I *first, *source; /* where the edges of every target begin; the sources of the edges */
} Shape;

/* Do something for all copies of a path, with a count of copies that the compiler knows where that
   is possible. */
#define FOR_BLOCKS(copies, ...)                                                \
    for (I c0 = 0; c0 < (copies); c0 += BLOCK) {                               \
        const int left = (int)((copies) - c0 < BLOCK ? (copies) - c0 : BLOCK); \
        if (left == BLOCK) {                                                   \
            enum { C = BLOCK };                                                \
            __VA_ARGS__;                                                       \
        } else if (left == 16) {                                               \
            enum { C = 16 };                                                   \
            __VA_ARGS__;                                                       \
        } else {                                                               \
            const int C = left;                                                \
            __VA_ARGS__;                                                       \
        }                                                                      \
    }

static void couple(const Shape *a, const REAL *restrict y, REAL *restrict g)
{
    memset(g, 0, a->products * sizeof(REAL));
    for (I q = 0; q < a->nonzeros; q++) g[a->place[2 * q + 1]] += a->value[q] * y[a->place[2 * q]];
}

static void uncouple(const Shape *a, const REAL *restrict to_g, REAL *restrict to_y)
{
    for (I q = 0; q < a->nonzeros; q++)
        to_y[a->place[2 * q]] += a->value[q] * to_g[a->place[2 * q + 1]];
}

INLINE void add(int C, REAL g, const REAL *restrict v, REAL *restrict s)
{
    for (int c = 0; c < C; c++) s[c] += g * v[c];
}

INLINE void add_product(int C, const REAL *restrict a, const REAL *restrict b, REAL *restrict s)
{
    for (int c = 0; c < C; c++) s[c] += a[c] * b[c];
}

INLINE REAL dot(int C, const REAL *restrict a, const REAL *restrict b)
{
    REAL total = 0;
    for (int c = 0; c < C; c++) total += a[c] * b[c];
    return total;
}

INLINE void sum_path(int C, I m_i, I m_o, I copies, I step, const REAL *restrict g,
                     const REAL *restrict w, const REAL *restrict f, REAL *restrict s)
{
    for (I i = 0; i < m_i; i++) {
        REAL v[BLOCK];
        for (int c = 0; c < C; c++) v[c] = w[c] * f[i * copies + c];
        for (I o = 0; o < m_o; o++) add(C, g[i * m_o + o], v, s + o * step);
    }
}

/* S of the targets begin to end; s is zero before. */
void sums(const Shape *a, I begin, I end, const REAL *y, const REAL *w, const REAL *f, REAL *s)
{
#pragma omp parallel for num_threads(a->threads)
    for (I n = begin; n < end; n++) {
        REAL *g = malloc(a->products * sizeof(REAL));
        for (I e = a->first[n]; e < a->first[n + 1]; e++) {
            couple(a, y + e * a->harmonics, g);
            for (const I *p = a->path; p < a->path + FIELDS * a->paths; p += FIELDS) {
                const REAL *we = w + e * a->weights + p[6],
                           *fe = f + a->source[e] * a->width + p[0];
                REAL *sn = s + (n - begin) * p[5] + p[3];
                FOR_BLOCKS(p[7],
                           sum_path(C, p[1], p[2], p[7], p[4], g + p[8], we + c0, fe + c0, sn + c0))
            }
        }
        free(g);
    }
}

INLINE void pull_path(int C, I m_i, I m_o, I copies, I step, const REAL *restrict g,
                      const REAL *restrict w, const REAL *restrict f, const REAL *restrict t,
                      REAL *restrict s, REAL *restrict to_w, REAL *restrict to_f,
                      REAL *restrict to_g)
{
    REAL total[BLOCK] = {0};
    for (I i = 0; i < m_i; i++) {
        REAL v[BLOCK], to_v[BLOCK] = {0};
        for (int c = 0; c < C; c++) v[c] = w[c] * f[i * copies + c];
        for (I o = 0; o < m_o; o++) {
            add(C, g[i * m_o + o], v, s + o * step);
            add(C, g[i * m_o + o], t + o * step, to_v);
            if (to_g) to_g[i * m_o + o] += dot(C, v, t + o * step);
        }
        add_product(C, to_v, f + i * copies, total);
        add_product(C, to_v, w, to_f + i * copies);
    }
    for (int c = 0; c < C; c++) to_w[c] = total[c];
}

/* S again, and the gradients of <T, S>: of w; of f, added into the rows `row` of to_f; of Y, unless
   to_y is NULL. */
void pull(const Shape *a, I begin, I end, const REAL *y, const REAL *w, const REAL *f,
          const REAL *t, REAL *s, REAL *to_y, REAL *to_w, REAL *to_f, const I *row)
{
#pragma omp parallel for num_threads(a->threads)
    for (I n = begin; n < end; n++) {
        REAL *g = malloc(2 * a->products * sizeof(REAL)), *to_g = to_y ? g + a->products : NULL;
        for (I e = a->first[n]; e < a->first[n + 1]; e++) {
            couple(a, y + e * a->harmonics, g);
            if (to_g) memset(to_g, 0, a->products * sizeof(REAL));
            for (const I *p = a->path; p < a->path + FIELDS * a->paths; p += FIELDS) {
                const REAL *we = w + e * a->weights + p[6],
                           *fe = f + a->source[e] * a->width + p[0];
                const REAL *tn = t + (n - begin) * p[5] + p[3];
                REAL *sn = s + (n - begin) * p[5] + p[3], *tw = to_w + e * a->weights + p[6];
                REAL *tf = to_f + row[e] * a->width + p[0], *tg = to_g ? to_g + p[8] : NULL;
                FOR_BLOCKS(p[7], pull_path(C, p[1], p[2], p[7], p[4], g + p[8], we + c0, fe + c0,
                                           tn + c0, sn + c0, tw + c0, tf + c0, tg))
            }
            if (to_g) uncouple(a, to_g, to_y + e * a->harmonics);
        }
        free(g);
    }
}

INLINE void pull_twice_path(int C, I m_i, I m_o, I copies, I step, const REAL *restrict g,
                            const REAL *restrict dg, const REAL *restrict w,
                            const REAL *restrict dw, const REAL *restrict f,
                            const REAL *restrict df, const REAL *restrict t, REAL *restrict ds,
                            REAL *restrict to_w, REAL *restrict to_dw, REAL *restrict to_f,
                            REAL *restrict to_g)
{
    REAL total[BLOCK] = {0}, d_total[BLOCK] = {0};
    for (I i = 0; i < m_i; i++) {
        const REAL *restrict fi = f + i * copies, *restrict dfi = df + i * copies;
        REAL v[BLOCK], dv[BLOCK], to_v[BLOCK] = {0}, to_dv[BLOCK] = {0};
        for (int c = 0; c < C; c++) v[c] = w[c] * fi[c], dv[c] = dw[c] * fi[c] + w[c] * dfi[c];
        for (I o = 0; o < m_o; o++) {
            const I q = i * m_o + o;
            add(C, g[q], dv, ds + o * step);
            add(C, dg[q], v, ds + o * step);
            add(C, dg[q], t + o * step, to_v);
            add(C, g[q], t + o * step, to_dv);
            to_g[q] += dot(C, dv, t + o * step);
        }
        add_product(C, to_dv, fi, d_total);
        add_product(C, to_dv, dfi, total);
        add_product(C, to_v, fi, total);
        add_product(C, to_dv, dw, to_f + i * copies);
        add_product(C, to_v, w, to_f + i * copies);
    }
    for (int c = 0; c < C; c++) to_w[c] = total[c], to_dw[c] = d_total[c];
}

/* dS, the derivative of S along dY, dw, df, and the gradients of <T, dS>: of w, dw, f and Y. */
void pull_twice(const Shape *a, I begin, I end, const REAL *y, const REAL *dy, const REAL *w,
                const REAL *dw, const REAL *f, const REAL *df, const REAL *t, REAL *ds, REAL *to_y,
                REAL *to_w, REAL *to_dw, REAL *to_f, const I *row)
{
    const I products = a->products;
#pragma omp parallel for num_threads(a->threads)
    for (I n = begin; n < end; n++) {
        REAL *g = malloc(3 * products * sizeof(REAL)), *dg = g + products, *to_g = dg + products;
        for (I e = a->first[n]; e < a->first[n + 1]; e++) {
            couple(a, y + e * a->harmonics, g);
            couple(a, dy + e * a->harmonics, dg);
            memset(to_g, 0, products * sizeof(REAL));
            for (const I *p = a->path; p < a->path + FIELDS * a->paths; p += FIELDS) {
                const I at = e * a->weights + p[6], from = a->source[e] * a->width + p[0];
                const I to = (n - begin) * p[5] + p[3];
                REAL *tf = to_f + row[e] * a->width + p[0];
                FOR_BLOCKS(p[7],
                           pull_twice_path(C, p[1], p[2], p[7], p[4], g + p[8], dg + p[8],
                                           w + at + c0, dw + at + c0, f + from + c0, df + from + c0,
                                           t + to + c0, ds + to + c0, to_w + at + c0,
                                           to_dw + at + c0, tf + c0, to_g + p[8]))
            }
            uncouple(a, to_g, to_y + e * a->harmonics);
        }
        free(g);
    }
}

/* What `convolve` needs besides: channels of the filter, columns of x and of the results, numbers
   of S of a target, output irreps; for each of these m_o, copies of all paths, copies of the
   result; the columns of x in the order of f, and those of the results among (irrep, component,
   copy), behind which a zero lies. `edge` holds the numbers of the edges in the order of their
   targets, or is NULL where they are in that order. */
typedef struct {
    I channels, sources, columns, sums, outputs;
    const I *sizes, *order, *joined, *edge;
} Ends;

/* The whole sum over neighbours of a small graph, from features as they lie to results as they lie:
   w = phi V at every edge, S of every target, and S L. Returns 1, or 0 where memory ends. */
int convolve(const Shape *a, const Ends *b, I size, const REAL *phi, const REAL *y, const REAL *x,
             const REAL *v, const REAL *const *mix, REAL *result)
{
    const I parts = b->sums > b->columns ? b->sums : b->columns;
    REAL *f = malloc((b->sources * a->width + a->products + a->weights + b->sums + parts + 1) *
                     sizeof(REAL));
    if (!f) return 0;
    REAL *g = f + b->sources * a->width, *w = g + a->products, *s = w + a->weights,
         *z = s + b->sums;
    for (I j = 0; j < b->sources; j++)
        for (I q = 0; q < a->width; q++) f[j * a->width + q] = x[j * a->width + b->order[q]];
    for (I n = 0; n < size; n++) {
        memset(s, 0, b->sums * sizeof(REAL));
        for (I e = a->first[n]; e < a->first[n + 1]; e++) {
            const I row = b->edge ? b->edge[e] : e;
            memset(w, 0, a->weights * sizeof(REAL));
            for (I k = 0; k < b->channels; k++) {
                const REAL *restrict vk = v + k * a->weights, p = phi[row * b->channels + k];
                for (I c = 0; c < a->weights; c++) w[c] += p * vk[c];
            }
            couple(a, y + row * a->harmonics, g);
            for (const I *p = a->path; p < a->path + FIELDS * a->paths; p += FIELDS) {
                const REAL *we = w + p[6], *fe = f + a->source[e] * a->width + p[0];
                REAL *sn = s + p[3];
                FOR_BLOCKS(p[7],
                           sum_path(C, p[1], p[2], p[7], p[4], g + p[8], we + c0, fe + c0, sn + c0))
            }
        }
        const REAL *from = s;
        REAL *to = z;
        for (I o = 0; o < b->outputs; o++) {
            const I m_o = b->sizes[3 * o], copies = b->sizes[3 * o + 1], out = b->sizes[3 * o + 2];
            for (I m = 0; m < m_o; m++, from += copies, to += out) {
                memset(to, 0, out * sizeof(REAL));
                for (I c = 0; c < copies; c++)
                    for (I d = 0; d < out; d++) to[d] += from[c] * mix[o][c * out + d];
            }
        }
        *to = 0;
        for (I q = 0; q < b->columns; q++) result[n * b->columns + q] = z[b->joined[q]];
    }
    free(f);
    return 1;
}
