/* The sums over neighbours of radial.py, target by target: nothing is written for the edges but
   gradients of their inputs.

   S_p[n, o, c] = sum over edges e of n, i:  G_p[i, o](e) w_p[e, c] f[source e, i, c],
   G_p = C_p Y(e),  w = phi V.

   A slice of the edges of a target and one or two vectors of copies are worked on at a time: their
   weights lie in the nearest cache, and S and its gradient T in registers while the edges pass.

   Rows of an edge: phi (channels), Y (harmonics). Of a source: f (width). Of the targets from
   `begin` on, an array for each output irrep: S and T. The copies of every path in V and of every
   term in f are followed by zeros up to a whole number of vectors. `path` holds for every path
   where its f begins, m_i, m_o, where its S begins, the steps of S from component to component and
   from target to target, where its columns of V begin, its copies, where its G begins; `place` for
   every number C of `value` its harmonic and its product. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int omp_get_thread_num(void); /* some compilers come without omp.h */

typedef int64_t I;
#define INLINE static inline __attribute__((always_inline))
#define FIELDS 9
#define SLICE 16 /* edges that are worked on together */
#define UNROLL _Pragma("GCC unroll 8")
#define ROWS 4   /* rows of a product of matrices that are worked on together */

#ifdef __AVX512F__
#define BYTES 64
#else
#define BYTES 32
#endif
#define LANES ((I)(BYTES / sizeof(REAL)))
typedef REAL V __attribute__((vector_size(BYTES)));
typedef REAL Loose __attribute__((vector_size(BYTES), aligned(sizeof(REAL)), may_alias));

typedef struct {
    I threads, paths, nonzeros, products, harmonics, width, columns, channels, depth;
    const I *path, *place;
    const REAL *value;
    const I *first, *source; /* where the edges of every target begin; the sources of the edges */
    const I *edge;           /* their numbers, or NULL where they are in this order */
} Shape;

/* Numbers in a vector, to which copies are padded. */
int lanes(void) { return (int)LANES; }

INLINE V load(const REAL *p) { return *(const Loose *)p; }

INLINE void store(REAL *p, V v) { *(Loose *)p = v; }

/* The first `count` numbers of a vector, where there are no more. */
INLINE V load_some(const REAL *p, I count)
{
    if (count >= LANES) return load(p);
    V v = {0};
    for (I k = 0; k < count; k++) v[k] = p[k];
    return v;
}

INLINE void store_some(REAL *p, V v, I count)
{
    if (count >= LANES)
        store(p, v);
    else
        for (I k = 0; k < count; k++) p[k] = v[k];
}

INLINE REAL total(V v)
{
    REAL sum = 0;
    for (I k = 0; k < LANES; k++) sum += v[k];
    return sum;
}

/* c (rows, U vectors) = [c +] a (rows, depth) b (depth, U vectors). `row` and `step` are those of a
   from row to row and from column to column; `rows` is a multiple of ROWS. */
INLINE void multiply(int U, int add, I rows, I depth, const REAL *a, I row, I step,
                     const REAL *restrict b, I b_row, REAL *restrict c, I c_row)
{
    for (I r = 0; r < rows; r += ROWS, a += ROWS * row, c += ROWS * c_row) {
        V sum[ROWS][2];
        UNROLL for (int j = 0; j < ROWS; j++)
            UNROLL for (int u = 0; u < U; u++)
                sum[j][u] = add ? load(c + j * c_row + u * LANES) : (V){0};
        for (I k = 0; k < depth; k++)
            UNROLL for (int j = 0; j < ROWS; j++)
                UNROLL for (int u = 0; u < U; u++)
                    sum[j][u] += a[j * row + k * step] * load(b + k * b_row + u * LANES);
        UNROLL for (int j = 0; j < ROWS; j++)
            UNROLL for (int u = 0; u < U; u++) store(c + j * c_row + u * LANES, sum[j][u]);
    }
}

static void couple(const Shape *a, const REAL *restrict y, REAL *restrict g)
{
    memset(g, 0, a->products * sizeof(REAL));
    for (I q = 0; q < a->nonzeros; q++) g[a->place[2 * q + 1]] += a->value[q] * y[a->place[2 * q]];
}

static void uncouple(const Shape *a, const REAL *restrict to_g, REAL *restrict to_y)
{
    memset(to_y, 0, a->harmonics * sizeof(REAL));
    for (I q = 0; q < a->nonzeros; q++)
        to_y[a->place[2 * q]] += a->value[q] * to_g[a->place[2 * q + 1]];
}

/* A path, as in `path`, with its padded copies and whether G is diagonal. */
typedef struct {
    I f, m_i, m_o, s, step, target, w, copies, g, padded, diagonal;
} Path;

/* What belongs to the edges of a slice: phi (edge, depth), G (edge, products), weights of the
   vectors that are worked on and their gradients (edge, 2 LANES), and the rows of f. */
typedef struct {
    REAL *phi, *g, *w, *to_w;
    const REAL *f[SLICE];
} Side;

/* A slice: values and their changes; gradients of phi, of G, and of G of a path lane by lane; rows
   where those of f are added; room for S and T of large irreps. */
typedef struct {
    int edges, rows, first; /* edges; the same in whole ROWS; whether S begins with it */
    I row[SLICE];           /* their numbers as they are given */
    Side values, changes;
    REAL *to_phi, *to_g, *to_f[SLICE];
    V *lanes, *s, *t;
} Slice;

/* All paths and room for a slice, in one piece of memory. */
typedef struct {
    Path *paths;
    Slice slice;
    char *memory;
} Room;

static void describe(const Shape *a, Path *paths, char *used)
{
    memset(used, 0, a->products);
    for (I q = 0; q < a->nonzeros; q++) used[a->place[2 * q + 1]] = 1;
    for (I k = 0; k < a->paths; k++) {
        Path *p = paths + k;
        memcpy(p, a->path + FIELDS * k, FIELDS * sizeof(I));
        p->padded = (p->copies + LANES - 1) / LANES * LANES;
        p->diagonal = p->m_i == p->m_o;
        for (I i = 0; i < p->m_i; i++)
            for (I o = 0; o < p->m_o; o++)
                if (i != o && used[p->g + i * p->m_o + o]) p->diagonal = 0;
    }
}

static Room prepare(const Shape *a)
{
    I most = 1, largest = 1;
    for (I k = 0; k < a->paths; k++) {
        const I m_i = a->path[FIELDS * k + 1], m_o = a->path[FIELDS * k + 2];
        if (m_i * m_o > most) most = m_i * m_o;
        if (m_o > largest) largest = m_o;
    }
    const I tile = SLICE * 2 * LANES * sizeof(REAL), phi = SLICE * a->depth * sizeof(REAL),
            g = (SLICE * a->products * sizeof(REAL) / BYTES + 1) * BYTES,
            lanes = SLICE * most * sizeof(V), sums = 2 * largest * sizeof(V);
    const I size = 4 * tile + 3 * phi + 3 * g + lanes + 2 * sums;
    Room room = {.memory = calloc(1, size + BYTES + a->paths * sizeof(Path) + a->products)};
    if (!room.memory) return room;
    char *at = room.memory + (BYTES - (uintptr_t)room.memory % BYTES); /* where vectors may lie */
    Slice *b = &room.slice;
    Side *sides[] = {&b->values, &b->changes};
    for (int k = 0; k < 2; k++) {
        sides[k]->w = (REAL *)at, sides[k]->to_w = (REAL *)(at + tile), at += 2 * tile;
        sides[k]->phi = (REAL *)at, at += phi;
        sides[k]->g = (REAL *)at, at += g;
    }
    b->to_phi = (REAL *)at, at += phi;
    b->to_g = (REAL *)at, at += g;
    b->lanes = (V *)at, at += lanes;
    b->s = (V *)at, b->t = (V *)(at + sums), at += 2 * sums;
    room.paths = (Path *)at, at += a->paths * sizeof(Path);
    describe(a, room.paths, at);
    return room;
}

/* The slice of the edges of a target, from `first` to `end`, that begins at e. */
static void begin_slice(const Shape *a, Slice *b, I first, I e, I end)
{
    b->first = e == first;
    b->edges = (int)(end - e < SLICE ? end - e : SLICE);
    b->rows = (b->edges + ROWS - 1) / ROWS * ROWS;
    for (int j = 0; j < b->edges; j++) b->row[j] = a->edge ? a->edge[e + j] : e + j;
}

static void fill(const Shape *a, const Slice *b, Side *d, I e, const REAL *phi, const REAL *y,
                 const REAL *f)
{
    const I size = a->channels * sizeof(REAL);
    for (int j = 0; j < b->edges; j++) {
        memcpy(d->phi + j * a->depth, phi + b->row[j] * a->channels, size);
        couple(a, y + b->row[j] * a->harmonics, d->g + j * a->products);
        d->f[j] = f + a->source[e + j] * a->width;
    }
    for (int j = b->edges; j < b->rows; j++) memset(d->phi + j * a->depth, 0, size);
}

/* Where gradients of phi and f go to: those of f to the rows of the sources, or of the edges from
   number `apart` on. */
static void begin_pull(const Shape *a, Slice *b, I e, REAL *to_f, I apart)
{
    memset(b->to_phi, 0, b->rows * a->depth * sizeof(REAL));
    for (int j = 0; j < b->edges; j++)
        b->to_f[j] = to_f + (apart < 0 ? a->source[e + j] : e + j - apart) * a->width;
}

static void end_pull(const Shape *a, const Slice *b, REAL *to_phi, REAL *to_y)
{
    for (int j = 0; j < b->edges; j++) {
        memcpy(to_phi + b->row[j] * a->channels, b->to_phi + j * a->depth,
               a->channels * sizeof(REAL));
        if (to_y) uncouple(a, b->to_g + j * a->products, to_y + b->row[j] * a->harmonics);
    }
}

/* w = phi V, for n vectors of columns. */
static void weigh(const Shape *a, const Slice *b, const Side *d, int n, const REAL *v)
{
    if (n == 2)
        multiply(2, 0, b->rows, a->channels, d->phi, a->depth, 1, v, a->columns, d->w, 2 * LANES);
    else
        multiply(1, 0, b->rows, a->channels, d->phi, a->depth, 1, v, a->columns, d->w, 2 * LANES);
}

/* The gradient of V: phi^T to_w is added. */
static void unweigh_v(const Shape *a, const Slice *b, const Side *d, int n, REAL *to_v)
{
    if (n == 2)
        multiply(2, 1, a->depth, b->edges, d->phi, 1, a->depth, d->to_w, 2 * LANES, to_v,
                 a->columns);
    else
        multiply(1, 1, a->depth, b->edges, d->phi, 1, a->depth, d->to_w, 2 * LANES, to_v,
                 a->columns);
}

/* The gradient of phi: to_w V^T is added. */
static void unweigh_phi(const Shape *a, const Slice *b, int n, const REAL *vt)
{
    const REAL *to_w = b->values.to_w;
    I k = 0;
    for (; k + 2 * LANES <= a->depth; k += 2 * LANES)
        multiply(2, 1, b->rows, n * LANES, to_w, 2 * LANES, 1, vt + k, a->depth, b->to_phi + k,
                 a->depth);
    if (k < a->depth)
        multiply(1, 1, b->rows, n * LANES, to_w, 2 * LANES, 1, vt + k, a->depth, b->to_phi + k,
                 a->depth);
}

/* Do `work` for n vectors of copies of a path, with sizes that the compiler knows where they are
   usual, so that s and t are registers. */
#define KIND(m_i, m_o, diagonal) ((diagonal) ? 64 + (m_i) : 8 * (m_i) + (m_o))
#define SIZED(U, m_i, m_o, diagonal, work, ...)                                        \
    {                                                                                  \
        V s[U * m_o], t[U * m_o];                                                      \
        UNROLL for (int q = 0; q < U * m_o; q++) s[q] = b->s[q], t[q] = b->t[q];       \
        work(U, m_i, m_o, diagonal, s, t, __VA_ARGS__);                                \
        UNROLL for (int q = 0; q < U * m_o; q++) b->s[q] = s[q];                       \
    }
#define LARGE(m_i, m_o, diagonal, ...)                           \
    case KIND(m_i, m_o, diagonal):                               \
        SIZED(1, m_i, m_o, diagonal, __VA_ARGS__)                     \
        break;
#define SMALL(m_i, m_o, diagonal, ...)                           \
    case KIND(m_i, m_o, diagonal):                               \
        if (n == 2)                                              \
            SIZED(2, m_i, m_o, diagonal, __VA_ARGS__)                 \
        else                                                     \
            SIZED(1, m_i, m_o, diagonal, __VA_ARGS__)                 \
        break;
#define FOR_SIZES(...)                                                                   \
    switch (kind(p)) {                                                                   \
        SMALL(1, 1, 0, __VA_ARGS__)                                                      \
        SMALL(1, 2, 0, __VA_ARGS__)                                                      \
        SMALL(2, 1, 0, __VA_ARGS__)                                                      \
        SMALL(2, 2, 0, __VA_ARGS__)                                                      \
        SMALL(2, 2, 1, __VA_ARGS__)                                                      \
        SMALL(1, 3, 0, __VA_ARGS__)                                                      \
        SMALL(3, 1, 0, __VA_ARGS__)                                                      \
        SMALL(2, 3, 0, __VA_ARGS__)                                                      \
        SMALL(3, 2, 0, __VA_ARGS__)                                                      \
        SMALL(3, 3, 0, __VA_ARGS__)                                                      \
        SMALL(3, 3, 1, __VA_ARGS__)                                                      \
        LARGE(1, 5, 0, __VA_ARGS__)                                                      \
        LARGE(5, 1, 0, __VA_ARGS__)                                                      \
        LARGE(3, 5, 0, __VA_ARGS__)                                                      \
        LARGE(5, 3, 0, __VA_ARGS__)                                                      \
        LARGE(5, 5, 0, __VA_ARGS__)                                                      \
        LARGE(5, 5, 1, __VA_ARGS__)                                                      \
    default:                                                                             \
        any_size(__VA_ARGS__)                                                            \
    }
#define any_size(work, ...) work(1, (int)p->m_i, (int)p->m_o, 0, b->s, b->t, __VA_ARGS__);

INLINE int kind(const Path *p)
{
    return p->m_i > 5 || p->m_o > 5 ? 0 : (int)KIND(p->m_i, p->m_o, p->diagonal && p->m_i > 1);
}

/* How many vectors of copies from c on are worked on together. */
INLINE int vectors(const Path *p, I c)
{
    return c + 2 * LANES <= p->padded && p->m_i <= 3 && p->m_o <= 3 ? 2 : 1;
}

#define FOR_O                       \
    for (int o = 0; o < m_o; o++)   \
        if (!diagonal || o == i)

/* Sums of n vectors of copies of a path, from c on, of all m_o. */
static void load_sums(int n, const Path *p, I c, const REAL *from, V *s)
{
    for (I o = 0; o < p->m_o; o++)
        for (int u = 0; u < n; u++)
            *s++ = load_some(from + o * p->step + u * LANES, p->copies - c - u * LANES);
}

static void store_sums(int n, const Path *p, I c, const V *s, REAL *to)
{
    for (I o = 0; o < p->m_o; o++)
        for (int u = 0; u < n; u++)
            store_some(to + o * p->step + u * LANES, *s++, p->copies - c - u * LANES);
}

static void begin_sums(int n, const Slice *b, const Path *p, I c, const REAL *from)
{
    if (b->first)
        memset(b->s, 0, p->m_o * n * sizeof(V));
    else
        load_sums(n, p, c, from, b->s);
}

INLINE void sum_copies(int U, int m_i, int m_o, int diagonal, V *s, const V *t, const Shape *a,
                       const Slice *b, const Path *p, I c)
{
    (void)t;
    for (int j = 0; j < b->edges; j++) {
        const REAL *w = b->values.w + j * 2 * LANES, *f = b->values.f[j] + p->f + c,
                   *g = b->values.g + j * a->products + p->g;
        UNROLL for (int i = 0; i < m_i; i++)
            UNROLL for (int u = 0; u < U; u++) {
                const V v = load(w + u * LANES) * load(f + i * p->padded + u * LANES);
                UNROLL FOR_O s[o * U + u] += g[i * m_o + o] * v;
            }
    }
}

static void sum_slice(const Shape *a, const Path *paths, Slice *b, const REAL *v, REAL *s, I target)
{
    for (const Path *p = paths; p < paths + a->paths; p++)
        for (I c = 0, n; c < p->padded; c += n * LANES) {
            n = vectors(p, c);
            weigh(a, b, &b->values, n, v + p->w + c);
            REAL *to = s + target * p->target + p->s + c;
            begin_sums(n, b, p, c, to);
            FOR_SIZES(sum_copies, a, b, p, c)
            store_sums(n, p, c, b->s, to);
        }
}

/* Do something for slices of the edges of every target, those without edges included, on all
   threads, each with room of its own. */
#define FOR_SLICES(...)                                                        \
    _Pragma("omp parallel num_threads(a->threads)")                            \
    {                                                                          \
        Room room = prepare(a);                                                \
        Slice *b = &room.slice;                                                \
        _Pragma("omp for schedule(static)")                                    \
        for (I n = begin; n < end; n++) {                                      \
            const I first = a->first[n], last = a->first[n + 1];               \
            I e = first;                                                       \
            do {                                                               \
                begin_slice(a, b, first, e, last);                             \
                __VA_ARGS__;                                                   \
            } while ((e += SLICE) < last);                                     \
        }                                                                      \
        free(room.memory);                                                     \
    }

/* S of the targets begin to end. */
void sums(const Shape *a, I begin, I end, const REAL *phi, const REAL *y, const REAL *f,
          const REAL *v, REAL *s)
{
    FOR_SLICES(fill(a, b, &b->values, e, phi, y, f);
               sum_slice(a, room.paths, b, v, s, n - begin))
}

INLINE void pull_copies(int U, int m_i, int m_o, int diagonal, V *s, const V *t, const Shape *a,
                        const Slice *b, const Path *p, I c, int with_g)
{
    for (int j = 0; j < b->edges; j++) {
        const REAL *w = b->values.w + j * 2 * LANES, *f = b->values.f[j] + p->f + c,
                   *g = b->values.g + j * a->products + p->g;
        REAL *to_f = b->to_f[j] + p->f + c;
        V *lanes = b->lanes + j * m_i * m_o, to_w[2] = {0};
        UNROLL for (int i = 0; i < m_i; i++)
            UNROLL for (int u = 0; u < U; u++) {
                const I at = i * p->padded + u * LANES;
                const V wu = load(w + u * LANES), fi = load(f + at), v = wu * fi;
                V to_v = {0};
                UNROLL FOR_O {
                    s[o * U + u] += g[i * m_o + o] * v;
                    to_v += g[i * m_o + o] * t[o * U + u];
                    if (with_g) lanes[i * m_o + o] += v * t[o * U + u];
                }
                to_w[u] += to_v * fi;
                store(to_f + at, load(to_f + at) + to_v * wu);
            }
        UNROLL for (int u = 0; u < U; u++) store(b->values.to_w + (j * 2 + u) * LANES, to_w[u]);
    }
}

/* The gradients of G of a path, from those in every lane, which are 0 then. */
static void sum_lanes(const Shape *a, Slice *b, const Path *p)
{
    const I size = p->m_i * p->m_o;
    for (int j = 0; j < b->edges; j++)
        for (I q = 0; q < size; q++) {
            b->to_g[j * a->products + p->g + q] = total(b->lanes[j * size + q]);
            b->lanes[j * size + q] = (V){0};
        }
}

static void pull_slice(const Shape *a, const Path *paths, Slice *b, const REAL *v, const REAL *vt,
                       const REAL *t, REAL *s, I target, REAL *to_v, int with_g)
{
    for (const Path *p = paths; p < paths + a->paths; p++) {
        for (I c = 0, n; c < p->padded; c += n * LANES) {
            const I at = target * p->target + p->s + c;
            n = vectors(p, c);
            weigh(a, b, &b->values, n, v + p->w + c);
            begin_sums(n, b, p, c, s + at);
            load_sums(n, p, c, t + at, b->t);
            if (with_g)
                FOR_SIZES(pull_copies, a, b, p, c, 1)
            else
                FOR_SIZES(pull_copies, a, b, p, c, 0)
            store_sums(n, p, c, b->s, s + at);
            unweigh_phi(a, b, n, vt + (p->w + c) * a->depth);
            unweigh_v(a, b, &b->values, n, to_v + p->w + c);
        }
        if (with_g) sum_lanes(a, b, p);
    }
}

/* S again, and the gradients of <T, S>: of phi; of Y, unless to_y is NULL; of f, added into rows of
   the sources, or of the edges from number `apart` on; of V^T, added for every thread. */
void pull(const Shape *a, I begin, I end, const REAL *phi, const REAL *y, const REAL *f,
          const REAL *v, const REAL *vt, const REAL *t, REAL *s, REAL *to_phi, REAL *to_y,
          REAL *to_f, I apart, REAL *to_v)
{
    FOR_SLICES(fill(a, b, &b->values, e, phi, y, f); begin_pull(a, b, e, to_f, apart);
               pull_slice(a, room.paths, b, v, vt, t, s, n - begin,
                          to_v + omp_get_thread_num() * a->depth * a->columns, to_y != NULL);
               end_pull(a, b, to_phi, to_y))
}

INLINE void pull_twice_copies(int U, int m_i, int m_o, int diagonal, V *s, const V *t,
                              const Shape *a, const Slice *b, const Path *p, I c)
{
    const Side *d = &b->changes;
    for (int j = 0; j < b->edges; j++) {
        const I x = p->f + c, y = j * a->products + p->g, z = j * 2 * LANES;
        const REAL *f = b->values.f[j] + x, *df = d->f[j] + x;
        const REAL *g = b->values.g + y, *dg = d->g + y;
        REAL *to_f = b->to_f[j] + x;
        const V w = load(b->values.w + z), dw = load(d->w + z);
        V *lanes = b->lanes + j * m_i * m_o, to_w = {0}, to_dw = {0};
        UNROLL for (int i = 0; i < m_i; i++) {
            const I at = i * p->padded;
            const V fi = load(f + at), dfi = load(df + at), v = w * fi, dv = dw * fi + w * dfi;
            V to_v = {0}, to_dv = {0};
            UNROLL FOR_O {
                const REAL gq = g[i * m_o + o], dgq = dg[i * m_o + o];
                s[o] += gq * dv + dgq * v;
                to_v += dgq * t[o];
                to_dv += gq * t[o];
                lanes[i * m_o + o] += dv * t[o];
            }
            to_dw += to_dv * fi;
            to_w += to_dv * dfi + to_v * fi;
            store(to_f + at, load(to_f + at) + to_dv * dw + to_v * w);
        }
        store(b->values.to_w + z, to_w), store(d->to_w + z, to_dw);
    }
}

static void pull_twice_slice(const Shape *a, const Path *paths, Slice *b, const REAL *v,
                             const REAL *vt, const REAL *t, REAL *ds, I target, REAL *to_v)
{
    const int n = 1;
    for (const Path *p = paths; p < paths + a->paths; p++) {
        for (I c = 0; c < p->padded; c += LANES) {
            const I at = target * p->target + p->s + c;
            weigh(a, b, &b->values, n, v + p->w + c);
            weigh(a, b, &b->changes, n, v + p->w + c);
            begin_sums(n, b, p, c, ds + at);
            load_sums(n, p, c, t + at, b->t);
            FOR_SIZES(pull_twice_copies, a, b, p, c)
            store_sums(n, p, c, b->s, ds + at);
            unweigh_phi(a, b, n, vt + (p->w + c) * a->depth);
            unweigh_v(a, b, &b->values, n, to_v + p->w + c);
            unweigh_v(a, b, &b->changes, n, to_v + p->w + c);
        }
        sum_lanes(a, b, p);
    }
}

/* dS, the derivative of S along dphi, dY, df, and the gradients of <T, dS>: of phi, Y, f and V. */
void pull_twice(const Shape *a, I begin, I end, const REAL *phi, const REAL *dphi, const REAL *y,
                const REAL *dy, const REAL *f, const REAL *df, const REAL *v, const REAL *vt,
                const REAL *t, REAL *ds, REAL *to_phi, REAL *to_y, REAL *to_f, I apart, REAL *to_v)
{
    FOR_SLICES(fill(a, b, &b->values, e, phi, y, f); fill(a, b, &b->changes, e, dphi, dy, df);
               begin_pull(a, b, e, to_f, apart);
               pull_twice_slice(a, room.paths, b, v, vt, t, ds, n - begin,
                                to_v + omp_get_thread_num() * a->depth * a->columns);
               end_pull(a, b, to_phi, to_y))
}

/* Features from their columns to those of f, or back; the other columns of f are not touched. */
void arrange(I rows, I columns, I width, const I *place, const REAL *restrict x, REAL *restrict f)
{
    for (I j = 0; j < rows; j++)
        for (I q = 0; q < columns; q++) f[j * width + place[q]] = x[j * columns + q];
}

void restore(I rows, I columns, I width, const I *place, const REAL *restrict f, REAL *restrict x)
{
    for (I j = 0; j < rows; j++)
        for (I q = 0; q < columns; q++) x[j * columns + q] = f[j * width + place[q]];
}

/* What `convolve` needs besides: columns of x and of the results, sources, numbers of S of a
   target, output irreps; for each of these m_o, copies of all paths, copies of the result; where
   the columns of x lie in f, and those of the results among (irrep, component, copy), behind which
   a zero lies. */
typedef struct {
    I features, sources, columns, sums, outputs;
    const I *sizes, *place, *joined;
} Ends;

/* The whole sum over neighbours of a small graph, from features as they lie to results as they lie:
   S of every target, and S L. Returns 1, or 0 where memory ends. */
int convolve(const Shape *a, const Ends *b, I size, const REAL *phi, const REAL *y, const REAL *x,
             const REAL *v, const REAL *const *mix, REAL *result)
{
    const I parts = b->sums > b->columns ? b->sums : b->columns;
    REAL *f = calloc(b->sources * a->width + b->sums + parts + 1, sizeof(REAL));
    Room room = prepare(a);
    if (!f || !room.memory) return free(f), free(room.memory), 0;
    REAL *s = f + b->sources * a->width, *z = s + b->sums;
    arrange(b->sources, b->features, a->width, b->place, x, f);
    for (I n = 0; n < size; n++) {
        I e = a->first[n];
        do {
            begin_slice(a, &room.slice, a->first[n], e, a->first[n + 1]);
            fill(a, &room.slice, &room.slice.values, e, phi, y, f);
            sum_slice(a, room.paths, &room.slice, v, s, 0);
        } while ((e += SLICE) < a->first[n + 1]);
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
    free(f), free(room.memory);
    return 1;
}
