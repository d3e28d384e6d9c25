// CVODE (BDF, dense, difference-quotient Jacobian) on the equations of model.py, started again at every event:
// cvode SETTINGS.csv N KEEP RELATIVE ABSOLUTE prints JSON.
#include <cvode/cvode.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <stdio.h>
#include <stdlib.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <time.h>

#include "model.h" // rates, bolus, INITIAL, segments: written by model.py

struct of_run { double p[8]; const double *phase; };

static int slopes(realtype t, N_Vector y, N_Vector d, void *data) {
    struct of_run *it = data;
    rates(t, N_VGetArrayPointer(y), it->p, it->phase, N_VGetArrayPointer(d));
    return 0;
}

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void check(int flag, const char *what) {
    if (flag < 0) { fprintf(stderr, "%s: %d\n", what, flag); exit(1); }
}

int main(int count, char **given) {
    if (count != 6) return 2;
    int n = atoi(given[2]), keep = atoi(given[3]);
    double relative = atof(given[4]), absolute = atof(given[5]);
    double (*settings)[8] = malloc(sizeof(double[8]) * n), *out = malloc(sizeof(double) * OUTPUTS * 8);
    FILE *file = fopen(given[1], "r");
    if (!file || fscanf(file, "%*[^\n]") < 0) return 2;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 8; k++)
            if (fscanf(file, " %lf%*[,]", &settings[i][k]) != 1) { n = i; break; }
    SUNContext context;
    SUNContext_Create(NULL, &context);
    N_Vector y = N_VNew_Serial(8, context);
    SUNMatrix matrix = SUNDenseMatrix(8, 8, context);
    SUNLinearSolver solver = SUNLinSol_Dense(y, matrix, context);
    void *memory = CVodeCreate(CV_BDF, context);
    struct of_run run;
    check(CVodeInit(memory, slopes, 0.0, y), "init");
    check(CVodeSStolerances(memory, relative, absolute), "tolerances");
    check(CVodeSetLinearSolver(memory, solver, matrix), "linear solver");
    check(CVodeSetUserData(memory, &run), "data");
    check(CVodeSetMaxNumSteps(memory, 1000000), "steps");
    double *state = N_VGetArrayPointer(y), begin = 0.0;
    printf("{\"courses\":[");
    for (int i = -keep; i < n; i++) {
        if (i == 0) begin = cpu();
        double *setting = settings[i < 0 ? i + keep : i];
        for (int k = 0; k < 8; k++) { run.p[k] = setting[k]; state[k] = INITIAL[k]; }
        state[0] = setting[7];
        int asked = 0;
        for (int s = 0; s < SEGMENTS; s++) {
            if (ADDED[s]) bolus(state);
            run.phase = PHASE[s];
            check(CVodeReInit(memory, START[s], y), "again");
            check(CVodeSetStopTime(memory, START[s + 1]), "stop");
            for (;;) {
                double at = asked * END / (OUTPUTS - 1), t = START[s];
                double to = asked < OUTPUTS && at < START[s + 1] ? at : START[s + 1];
                if (to > START[s]) check(CVode(memory, to, y, &t, CV_NORMAL), "step");
                // At an instant of an event the state after it; at the end, the end.
                if (asked < OUTPUTS && (at < START[s + 1] || s == SEGMENTS - 1)) {
                    for (int k = 0; k < 8; k++) out[asked * 8 + k] = state[k];
                    asked++;
                }
                if (to >= START[s + 1]) break;
            }
        }
        if (i < 0)
            for (int k = 0; k < OUTPUTS; k++) {
                printf(k ? ",[" : i == -keep ? "[[" : ",[[");
                for (int j = 0; j < 8; j++) printf(j ? ",%.17g" : "%.17g", out[k * 8 + j]);
                printf(k == OUTPUTS - 1 ? "]]" : "]");
            }
    }
    printf("],\"cpu_s\":%.6f,\"n\":%d}\n", cpu() - begin, n);
    return 0;
}
