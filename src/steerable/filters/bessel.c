/* Bessel functions of the distance in a polynomial envelope, with two derivatives, edge by edge.

   Of a relative position x, r = sqrt(|x|^2 + s^2), u = r / c and a_n = n pi u,
   b_n = B sin(a_n) / a_n,  f = E (1 - 28 u^6 + 48 u^7 - 21 u^8), 0 from u = 1 on.

   Rows of an edge: x (dim), b (count), f (1). All is computed in double precision. */

#include <math.h>
#include <stdint.h>

typedef int64_t I;
#define PI 3.14159265358979323846
#define MOST 64  /* functions */
#define NEAR 0.5 /* below it sin(a) / a and its derivatives are series */

typedef struct {
    I threads, edges, dim, count;
    double cutoff, soft, basis, envelope; /* c, s, B, E */
} Shape;

/* Values, first and second derivatives by r. */
typedef struct {
    double b[3][MOST], f[3];
} Functions;

static double distance(const Shape *a, const REAL *x)
{
    double square = a->soft * a->soft;
    for (I k = 0; k < a->dim; k++) square += (double)x[k] * x[k];
    return sqrt(square);
}

/* sin(x) / x and its derivatives for small x: terms (-x^2)^k / (2k+1)!. */
static void series(double x, double *g)
{
    double term = 1;
    g[0] = 1, g[1] = 0, g[2] = 0;
    for (int k = 1; k < 9; k++) {
        term *= -1.0 / ((2 * k) * (2 * k + 1));
        g[2] += 2 * k * (2 * k - 1) * term;
        g[1] += 2 * k * (term *= x);
        g[0] += (term *= x);
    }
}

static void evaluate(const Shape *a, double r, int derivatives, Functions *out)
{
    const double step = PI / a->cutoff, u = r / a->cutoff;
    const double sine = sin(step * r), cosine = cos(step * r);
    double s = 0, c = 1;
    for (I n = 1; n <= a->count; n++) {
        const double k = n * step, x = k * r, t = s;
        double g[3];
        s = s * cosine + c * sine, c = c * cosine - t * sine; /* of x */
        if (x < NEAR)
            series(x, g);
        else {
            const double inverse = 1 / x;
            g[0] = s * inverse, g[1] = (c - g[0]) * inverse, g[2] = -g[0] - 2 * g[1] * inverse;
        }
        out->b[0][n - 1] = a->basis * g[0];
        if (!derivatives) continue;
        out->b[1][n - 1] = a->basis * k * g[1];
        out->b[2][n - 1] = a->basis * k * k * g[2];
    }
    const double inside = u < 1 ? a->envelope : 0, u4 = u * u * u * u, rest = 1 - u,
                 c1 = 1 / a->cutoff;
    out->f[0] = u < 1 ? inside * (1 - u4 * u * u * (28 - u * (48 - 21 * u))) : 0;
    out->f[1] = -168 * inside * u4 * u * rest * rest * c1;
    out->f[2] = -168 * inside * u4 * rest * (5 - 7 * u) * c1 * c1;
}

void values(const Shape *a, const REAL *x, REAL *b, REAL *f)
{
#pragma omp parallel for num_threads(a->threads)
    for (I e = 0; e < a->edges; e++) {
        Functions at;
        evaluate(a, distance(a, x + e * a->dim), 0, &at);
        for (I n = 0; n < a->count; n++) b[e * a->count + n] = at.b[0][n];
        f[e] = at.f[0];
    }
}

/* The gradient of phi = <to_b, b> + <to_f, f> by x: phi' x / r. */
void pull(const Shape *a, const REAL *x, const REAL *to_b, const REAL *to_f, REAL *to_x)
{
#pragma omp parallel for num_threads(a->threads)
    for (I e = 0; e < a->edges; e++) {
        const REAL *xe = x + e * a->dim;
        const double r = distance(a, xe);
        Functions at;
        evaluate(a, r, 1, &at);
        double slope = to_f[e] * at.f[1];
        for (I n = 0; n < a->count; n++) slope += to_b[e * a->count + n] * at.b[1][n];
        for (I k = 0; k < a->dim; k++) to_x[e * a->dim + k] = slope / r * xe[k];
    }
}

/* The gradients of <dx, pull>: by x, H dx with the second derivatives H of phi; by to_b and to_f.
 */
void pull_twice(const Shape *a, const REAL *x, const REAL *to_b, const REAL *to_f, const REAL *dx,
                REAL *to_x, REAL *db, REAL *df)
{
#pragma omp parallel for num_threads(a->threads)
    for (I e = 0; e < a->edges; e++) {
        const REAL *xe = x + e * a->dim, *de = dx + e * a->dim;
        const double r = distance(a, xe);
        Functions at;
        evaluate(a, r, 1, &at);
        double slope = to_f[e] * at.f[1], bend = to_f[e] * at.f[2], dr = 0;
        for (I k = 0; k < a->dim; k++) dr += (double)xe[k] * de[k] / r;
        for (I n = 0; n < a->count; n++) {
            slope += to_b[e * a->count + n] * at.b[1][n];
            bend += to_b[e * a->count + n] * at.b[2][n];
            db[e * a->count + n] = at.b[1][n] * dr;
        }
        df[e] = at.f[1] * dr;
        for (I k = 0; k < a->dim; k++)
            to_x[e * a->dim + k] = slope / r * de[k] + (bend - slope / r) * dr / r * xe[k];
    }
}
