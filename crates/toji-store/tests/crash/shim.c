/* A disk that fails: from call number TOJI_SYNC_FAIL_FROM on, fsync and fdatasync report EIO.
 * Every call is logged with the path it was for. Loaded with LD_PRELOAD by failing.rs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int calls;

static int synced(int fd, const char *name) {
    const char *from = getenv("TOJI_SYNC_FAIL_FROM");
    const char *log = getenv("TOJI_SYNC_LOG");
    int n = __sync_fetch_and_add(&calls, 1);
    int fails = from && n >= atoi(from);
    char link[64], path[4096], line[4200];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    if (log) {
        int out = open(log, O_WRONLY | O_APPEND | O_CREAT, 0600);
        int size = snprintf(line, sizeof line, "%s %s\n", fails ? "fail" : "sync", path);
        if (out >= 0) {
            if (write(out, line, (size_t)size) < 0) abort();
            close(out);
        }
    }
    if (fails) {
        errno = EIO;
        return -1;
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return real(fd);
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }
