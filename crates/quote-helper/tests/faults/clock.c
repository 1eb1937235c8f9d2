/*
 * A system clock that is wrong: preloaded, it adds to the time of day the seconds in the file that CLOCK_OFFSET names.
 * Clocks that measure how much time passes stay right, as they do when an administrator sets the clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*next)(clockid_t, struct timespec *);
    const char *path = getenv("CLOCK_OFFSET");
    FILE *file = clock == CLOCK_REALTIME && path ? fopen(path, "r") : NULL;
    long long offset = 0;
    int result;

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
    result = next(clock, now);
    if (file && fscanf(file, "%lld", &offset) == 1)
        now->tv_sec += offset;
    if (file)
        fclose(file);
    return result;
}
