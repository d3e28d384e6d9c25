/* The model cho-mab-fed-batch without dead cells and host cell protein, which nothing else depends on, by Runge and Kutta's
   classical method with steps of 0.25 h, eight cultures at a time. Written apart from the engine, for apart.py. */
#define LANES 8
#define STATES 7
#define PARAMETERS 12
#define TIMES 7
typedef double lanes __attribute__((vector_size(8 * LANES)));

/* Xv, Glc, Lac, Gln, Amm, mAb, volume; mu_max, Q_mAb, Y_lac_glc, m_glc, Xv_0, Glc_0, Glc_feed, k_d, F_2 to F_5. */
static inline void slopes(const lanes *s, const lanes *p, lanes feed, lanes *d) {
  lanes mu = p[0] * s[1] / (1.0 + s[1]) * s[3] / (0.047 + s[3]) * 43.0 / (43.0 + s[2]) * 6.51 / (6.51 + s[4]);
  lanes death = p[7] * s[2] / (45.8 + s[2]) * s[4] / (6.51 + s[4]);
  lanes glucose = mu / 0.357 + p[3] * s[1] / (1.0 + s[1]);
  lanes glutamine = mu / 0.974 + 0.0032 * s[3] / (2.1 + s[3]);
  lanes dilution = feed / s[6];
  d[0] = (mu - death - 0.002 - dilution) * s[0];
  d[1] = -glucose * s[0] + dilution * (p[6] - s[1]);
  d[2] = p[2] * glucose * s[0] - dilution * s[2];
  d[3] = -glutamine * s[0] + dilution * (35.0 - s[3]);
  d[4] = 0.67 * glutamine * s[0] - 0.0063 * s[4] / (0.1 + s[4]) * s[0] - dilution * s[4];
  d[5] = p[1] * s[0] - dilution * s[5];
  d[6] = feed;
}

/* Cells, glucose, lactate and titre after 48, 96, … 336 h: `read` holds 28 numbers a culture. */
void simulate(const double *parameters, double *read, long n) {
  const double h = 0.25;
  const int shown[4] = {0, 1, 2, 5};
  for (long first = 0; first < n; first += LANES) {
    lanes p[PARAMETERS], zero, s[STATES];
    for (int k = 0; k < PARAMETERS; k++)
      for (int l = 0; l < LANES; l++) p[k][l] = parameters[(first + l < n ? first + l : n - 1) * PARAMETERS + k];
    zero = p[0] * 0.0;
    s[0] = p[4], s[1] = p[5], s[2] = zero, s[3] = zero + 6.0, s[4] = zero, s[5] = zero, s[6] = zero + 0.15;
    long step = 0;
    for (int time = 0; time < TIMES; time++) {
      for (int i = 0; i < 192; i++, step++) {
        double t = step * h;
        lanes feed = t >= 216 ? p[11] : t >= 144 ? p[10] : t >= 96 ? p[9] : t >= 48 ? p[8] : zero;
        lanes a[STATES], b[STATES], c[STATES], d[STATES], y[STATES];
        feed = feed / 1000.0;
        slopes(s, p, feed, a);
        for (int k = 0; k < STATES; k++) y[k] = s[k] + 0.5 * h * a[k];
        slopes(y, p, feed, b);
        for (int k = 0; k < STATES; k++) y[k] = s[k] + 0.5 * h * b[k];
        slopes(y, p, feed, c);
        for (int k = 0; k < STATES; k++) y[k] = s[k] + h * c[k];
        slopes(y, p, feed, d);
        for (int k = 0; k < STATES; k++) s[k] += h / 6.0 * (a[k] + 2.0 * b[k] + 2.0 * c[k] + d[k]);
        for (int k = 0; k < STATES; k++)
          for (int l = 0; l < LANES; l++)
            if (s[k][l] < 0.0) s[k][l] = 0.0;
      }
      for (int k = 0; k < 4; k++)
        for (int l = 0; l < LANES; l++)
          if (first + l < n) read[(first + l) * 28 + k * TIMES + time] = s[shown[k]][l];
    }
  }
}
